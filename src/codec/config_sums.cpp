// What components take together, against the budget, the pools and the devices.
#include <algorithm>
#include <functional>

#include "codec/config_links.h"
#include "codec/config_reader.h"

namespace hearth {
namespace {

// What there is of one thing, and how much of it a component takes.
struct Supply {
  std::string name;  // "the budget"
  Bytes limit;
  std::function<Bytes(const Spec&)> taken;
  std::string subject = "its memory";
  bool is_alone_told = true;   // of one that is too large by itself
  bool is_at_devices = false;  // else the problem stands at `memory`
};

// Saturates.
Bytes sum_of(const Supply& supply, const std::vector<Spec>& specs,
             const std::vector<std::size_t>& members) {
  Bytes sum;
  for (const std::size_t i : members) {
    const Bytes taken = supply.taken(specs[i]);
    if (sum >= Bytes::unlimited() || taken >= Bytes::unlimited()) return Bytes::unlimited();
    sum += taken;
  }
  return sum;
}

void check_supply(const ParsedConfig& parsed, const Links& links, const Supply& supply,
                  std::vector<ConfigProblem>& problems) {
  const std::vector<Spec>& specs = parsed.draft.core.components;
  const auto say = [&](std::size_t i, std::string message) {
    ConfigPlace place;
    if (i < parsed.places.size()) {
      place = supply.is_at_devices ? parsed.places[i].devices : parsed.places[i].memory;
    }
    problems.push_back({true, place.line, place.column, std::move(message)});
  };
  // Most files are far below their budget, and closures are the dear part.
  if (sum_of(supply, specs, links.order) <= supply.limit) return;
  Closure closure{links};
  std::vector<bool> is_over(specs.size(), false);
  std::vector<bool> is_core(specs.size(), false);
  std::vector<std::size_t> core;
  for (const std::size_t i : links.order) {
    const std::vector<std::size_t>& members = closure.of(i);
    if (specs[i].priority == Priority::core) {
      for (const std::size_t member : members) {
        if (!is_core[member]) core.push_back(member);
        is_core[member] = true;
      }
    }
    for (const std::size_t need : links.needs[i]) is_over[i] = is_over[i] || is_over[need];
    const Bytes sum = sum_of(supply, specs, members);
    if (is_over[i] || sum <= supply.limit) continue;
    is_over[i] = true;
    const bool is_alone = supply.taken(specs[i]) > supply.limit;
    if (is_alone && !supply.is_alone_told) continue;
    const bool has_needs = members.size() > 1;
    say(i, specs[i].name + ": " + supply.subject +
               (has_needs ? " with that of its needs is " : " is ") + format_bytes(sum) +
               ", more than " + supply.name + " of " + format_bytes(supply.limit));
  }
  const Bytes sum = sum_of(supply, specs, core);
  const bool is_said = std::ranges::any_of(core, [&](std::size_t i) { return is_over[i]; });
  if (sum > supply.limit && !is_said) {
    say(core.front(), "the components of priority core and their needs take " + format_bytes(sum) +
                          " together, more than " + supply.name + " of " +
                          format_bytes(supply.limit));
  }
}

Bytes declared(const Spec& spec) { return spec.memory.value_or(Bytes{}); }

}  // namespace

std::vector<ConfigProblem> check_budget(const ParsedConfig& parsed, Bytes budget) {
  std::vector<ConfigProblem> problems;
  const Supply supply{.name = "the budget", .limit = budget, .taken = declared};
  check_supply(parsed, links_of(parsed.draft), supply, problems);
  return problems;
}

std::vector<ConfigProblem> check_shares(const ParsedConfig& parsed) {
  std::vector<ConfigProblem> problems;
  const Settings& settings = parsed.draft.core.settings;
  if (settings.pools.empty() && settings.resources.empty()) return problems;
  const Links links = links_of(parsed.draft);
  for (const PoolSpec& pool : settings.pools) {
    if (!pool.is_hard) continue;  // it borrows
    const auto taken = [&pool](const Spec& spec) {
      return spec.pool == pool.name ? declared(spec) : Bytes{};
    };
    check_supply(parsed, links,
                 {.name = "the pool " + quoted(pool.name),
                  .limit = pool.bytes,
                  .taken = taken,
                  .is_alone_told = false},
                 problems);
  }
  for (const NamedBytes& device : settings.resources) {
    if (device.bytes == exclusive_device) continue;  // told by name: who takes it twice
    const auto taken = [&device](const Spec& spec) {
      const auto found = std::ranges::find(spec.devices, device.name, &ResourceNeed::resource);
      return found == spec.devices.end() ? Bytes{} : found->bytes;
    };
    check_supply(parsed, links,
                 {.name = "the device " + quoted(device.name),
                  .limit = device.bytes,
                  .taken = taken,
                  .subject = "its share",
                  .is_alone_told = false,
                  .is_at_devices = true},
                 problems);
  }
  return problems;
}

}  // namespace hearth
