// What no key says by itself: names that nothing has, cycles, rivals, ports, devices, budgets.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "codec/config_reader.h"

namespace hearth {
namespace {

using Index = std::unordered_map<std::string_view, std::size_t>;

// Components as numbers: what they need and who they never stand beside.
struct Links {
  std::vector<std::vector<std::size_t>> needs;
  std::vector<std::unordered_set<std::size_t>> rivals;  // both sides
  std::vector<std::size_t> order;                       // needs before what needs them
};

struct Found {
  std::vector<std::size_t> cycle;  // a -> ... -> a, without the last a
  std::vector<std::size_t> order;
};

// Depth first, without recursion: needs may form a chain as long as the file.
Found walk(const std::vector<std::vector<std::size_t>>& needs) {
  enum class Mark : unsigned char { untouched, on_path, done };
  Found found;
  std::vector<Mark> marks(needs.size(), Mark::untouched);
  std::vector<std::size_t> next(needs.size(), 0);
  std::vector<std::size_t> path;
  for (std::size_t root = 0; root < needs.size(); ++root) {
    if (marks[root] != Mark::untouched) continue;
    path.push_back(root);
    marks[root] = Mark::on_path;
    while (!path.empty()) {
      const std::size_t at = path.back();
      if (next[at] == needs[at].size()) {
        marks[at] = Mark::done;
        found.order.push_back(at);
        path.pop_back();
        continue;
      }
      const std::size_t need = needs[at][next[at]++];
      if (marks[need] == Mark::untouched) {
        marks[need] = Mark::on_path;
        path.push_back(need);
      } else if (marks[need] == Mark::on_path && found.cycle.empty()) {
        found.cycle.assign(std::ranges::find(path, need), path.end());
      }
    }
  }
  return found;
}

// A component with all that it needs, itself first.
class Closure {
 public:
  explicit Closure(const Links& links) : links_(links), seen_(links.needs.size(), 0) {}

  const std::vector<std::size_t>& of(std::size_t root) {
    ++stamp_;
    members_.assign(1, root);
    seen_[root] = stamp_;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      for (const std::size_t need : links_.needs[members_[i]]) {
        if (seen_[need] == stamp_) continue;
        seen_[need] = stamp_;
        members_.push_back(need);
      }
    }
    return members_;
  }
  // Of the last of().
  [[nodiscard]] bool has(std::size_t member) const { return seen_[member] == stamp_; }

 private:
  const Links& links_;
  std::vector<std::size_t> members_;
  std::vector<std::size_t> seen_;
  std::size_t stamp_ = 0;
};

class Checks {
 public:
  Checks(ConfigReader& reader, ConfigDraft& draft)
      : reader_(reader), draft_(draft), components_(draft.components) {}

  void run() {
    index_names();
    links_.needs.resize(components_.size());
    links_.rivals.resize(components_.size());
    for (std::size_t i = 0; i < components_.size(); ++i) {
      resolve(i, "needs", components_[i].spec.needs, components_[i].needs_at);
      resolve(i, "conflicts", components_[i].spec.conflicts, components_[i].conflicts_at);
      check_pool(components_[i]);
      check_devices(components_[i]);
    }
    Found found = walk(links_.needs);
    if (found.cycle.empty()) {
      links_.order = std::move(found.order);
      check_rivals_in_needs();
    } else {
      say_cycle(found.cycle);
    }
    check_rivals();
    check_ports();
    check_exclusive_devices();
  }

 private:
  const std::string& name(std::size_t i) const { return components_[i].spec.name; }

  void index_names() {
    for (std::size_t i = 0; i < components_.size(); ++i) {
      index_.emplace(name(i), i);
      names_.push_back(name(i));
    }
    Index aliases;
    for (std::size_t i = 0; i < components_.size(); ++i) {
      const ComponentDraft& component = components_[i];
      for (std::size_t k = 0; k < component.launch.aliases.size(); ++k) {
        const std::string& alias = component.launch.aliases[k];
        const ConfigPlace place = component.aliases_at[k];
        if (!is_alias(alias)) {
          reader_.error(place, name(i) + ": the alias " + quoted(alias) + " is not allowed: a " +
                                   "letter or digit, then letters, digits and . _ - / :");
        } else if (const auto clash = index_.find(alias); clash != index_.end()) {
          reader_.error(place, name(i) + ": the alias " + quoted(alias) + " is the name of " +
                                   (clash->second == i ? "itself" : "another component"));
        } else if (const auto [held, is_new] = aliases.emplace(alias, i); !is_new) {
          reader_.error(place, name(i) + ": " + quoted(name(held->second)) + " has the alias " +
                                   quoted(alias) + " already");
        } else {
          names_.push_back(alias);
        }
      }
    }
    index_.merge(aliases);
  }

  void resolve(std::size_t i, const std::string& key, std::vector<std::string>& listed,
               const std::vector<ConfigPlace>& places) {
    std::vector<std::string> kept;
    std::unordered_set<std::size_t> seen;
    const bool is_needs = key == "needs";
    for (std::size_t k = 0; k < listed.size(); ++k) {
      const std::string label = name(i) + ": `" + key + "`";
      const auto found = index_.find(listed[k]);
      if (found == index_.end()) {
        reader_.error(places[k], label + " names " + quoted(listed[k]) + ", which is no component" +
                                     did_you_mean(listed[k], names_));
        continue;
      }
      const std::size_t other = found->second;
      if (!seen.insert(other).second) {
        reader_.warning(places[k], label + " names " + quoted(listed[k]) + " twice");
        continue;
      }
      if (other == i && !is_needs) {
        reader_.error(places[k], label + " names the component itself");
        continue;
      }
      kept.push_back(name(other));
      if (is_needs) {
        links_.needs[i].push_back(other);
      } else {
        links_.rivals[i].insert(other);
        links_.rivals[other].insert(i);
      }
    }
    listed = std::move(kept);
  }

  void say_cycle(const std::vector<std::size_t>& cycle) {
    constexpr std::size_t shown_max = 20;
    std::string text;
    for (std::size_t i = 0; i < cycle.size() && i < shown_max; ++i) text += name(cycle[i]) + " -> ";
    if (cycle.size() > shown_max) text += "... -> ";
    const ComponentDraft& first = components_[cycle.front()];
    const auto place = first.places.find("needs");
    reader_.error(place == first.places.end() ? first.place : place->second,
                  first.spec.name + ": its needs go in a circle: " + text + first.spec.name);
  }

  ConfigPlace place_of(std::size_t i, const std::string& key) const {
    const auto found = components_[i].places.find(key);
    return found == components_[i].places.end() ? components_[i].place : found->second;
  }

  // Said once, for the lowest component that it is true of.
  void check_rivals_in_needs() {
    const auto has_rivals = [](const auto& rivals) { return !rivals.empty(); };
    if (std::ranges::none_of(links_.rivals, has_rivals)) return;
    Closure closure{links_};
    std::vector<bool> is_bad(components_.size(), false);
    for (const std::size_t i : links_.order) {
      for (const std::size_t need : links_.needs[i]) is_bad[i] = is_bad[i] || is_bad[need];
      if (is_bad[i]) continue;
      for (const std::size_t member : closure.of(i)) {
        const auto rival = std::ranges::find_if(
            links_.rivals[member], [&](std::size_t other) { return closure.has(other); });
        if (rival == links_.rivals[member].end()) continue;
        is_bad[i] = true;
        const bool is_own = member == i || *rival == i;
        const std::size_t other = member == i ? *rival : member;
        reader_.error(
            place_of(i, "needs"),
            is_own ? name(i) + ": it needs " + quoted(name(other)) + ", which it conflicts with"
                   : name(i) + ": it needs " + quoted(name(member)) + " and " +
                         quoted(name(*rival)) + ", which conflict");
        break;
      }
    }
  }

  void check_rivals() {
    for (std::size_t i = 0; i < components_.size(); ++i) {
      for (const std::size_t other : links_.rivals[i]) {
        if (other >= i) continue;
        const Spec& a = components_[i].spec;
        const Spec& b = components_[other].spec;
        if (a.priority == Priority::core && b.priority == Priority::core) {
          reader_.error(place_of(i, "priority"),
                        a.name + ": it conflicts with " + quoted(b.name) + ", and both are core");
        } else if (a.is_default && b.is_default) {
          reader_.warning(place_of(i, "default"), a.name + ": it conflicts with " + quoted(b.name) +
                                                      ", and both are `default`");
        }
      }
    }
  }

  void check_pool(const ComponentDraft& component) {
    if (component.spec.pool.empty()) return;
    const auto& pools = draft_.config.core.settings.pools;
    const auto place = component.places.find("pool");
    const ConfigPlace at = place == component.places.end() ? component.place : place->second;
    const auto found = std::ranges::find(pools, component.spec.pool, &NamedBytes::name);
    if (found == pools.end()) {
      std::vector<std::string> known;
      for (const NamedBytes& pool : pools) known.push_back(pool.name);
      const std::string near = did_you_mean(component.spec.pool, known);
      reader_.error(at, component.spec.name + ": `pool` names " + quoted(component.spec.pool) +
                            ", which `memory.pools` does not have" + near);
    } else if (component.spec.memory && *component.spec.memory > found->bytes) {
      reader_.error(at, component.spec.name + ": its memory of " +
                            format_bytes(*component.spec.memory) + " does not fit into the pool " +
                            quoted(found->name) + " of " + format_bytes(found->bytes));
    }
  }

  void check_devices(const ComponentDraft& component) {
    std::vector<NamedBytes>& resources = draft_.config.core.settings.resources;
    const auto place = component.places.find("devices");
    const ConfigPlace at = place == component.places.end() ? component.place : place->second;
    std::unordered_set<std::string> seen;
    for (const ResourceNeed& need : component.spec.devices) {
      if (!seen.insert(need.resource).second) {
        reader_.error(
            at, component.spec.name + ": `devices` names " + quoted(need.resource) + " twice");
      }
      const auto found = std::ranges::find(resources, need.resource, &NamedBytes::name);
      if (found == resources.end() && need.resource == "page_cache") {
        resources.push_back({need.resource, Bytes::unlimited()});
      } else if (found == resources.end()) {
        std::vector<std::string> known;
        for (const NamedBytes& resource : resources) known.push_back(resource.name);
        const std::string near = did_you_mean(need.resource, known);
        reader_.error(at, component.spec.name + ": `devices` names " + quoted(need.resource) +
                              ", which `memory.devices` does not have" + near);
      } else if (need.bytes > found->bytes) {
        reader_.error(at, component.spec.name + ": it takes more of " + quoted(need.resource) +
                              " (" + format_bytes(need.bytes) + ") than there is (" +
                              format_bytes(found->bytes) + ")");
      }
    }
  }

  void check_ports() {
    std::unordered_map<int, std::vector<std::size_t>> users;
    for (std::size_t i = 0; i < components_.size(); ++i) {
      const std::optional<int> port = components_[i].launch.port;
      if (!port) continue;
      for (const std::size_t other : users[*port]) {
        if (links_.rivals[i].contains(other)) continue;
        reader_.error(place_of(i, "port"),
                      name(i) + ": the port " + std::to_string(*port) + " is also that of " +
                          quoted(name(other)) +
                          ": give another, drop `port`, or say that they conflict");
        break;
      }
      users[*port].push_back(i);
    }
  }

  void check_exclusive_devices() {
    std::unordered_map<std::string_view, std::vector<std::size_t>> users;
    for (const NamedBytes& resource : draft_.config.core.settings.resources) {
      if (resource.bytes == exclusive_device) users[resource.name];
    }
    for (std::size_t i = 0; i < components_.size(); ++i) {
      for (const ResourceNeed& need : components_[i].spec.devices) {
        const auto found = users.find(need.resource);
        if (found == users.end()) continue;
        for (const std::size_t other : found->second) {
          if (other == i || links_.rivals[i].contains(other)) continue;
          reader_.error(place_of(i, "devices"), name(i) + ": the exclusive device " +
                                                    quoted(need.resource) + " is also taken by " +
                                                    quoted(name(other)) +
                                                    ": say that they conflict");
          break;
        }
        found->second.push_back(i);
      }
    }
  }

  ConfigReader& reader_;
  ConfigDraft& draft_;
  std::vector<ComponentDraft>& components_;
  Index index_;
  std::vector<std::string> names_;
  Links links_;
};

Links links_of(const Config& config) {
  Links links;
  Index index;
  const auto& specs = config.core.components;
  for (std::size_t i = 0; i < specs.size(); ++i) index.emplace(specs[i].name, i);
  links.needs.resize(specs.size());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    for (const std::string& need : specs[i].needs) {
      if (const auto found = index.find(need); found != index.end()) {
        links.needs[i].push_back(found->second);
      }
    }
  }
  links.order = walk(links.needs).order;
  return links;
}

// Declared memory only; saturates.
Bytes sum_of(const std::vector<Spec>& specs, const std::vector<std::size_t>& members) {
  Bytes sum;
  for (const std::size_t i : members) {
    const Bytes memory = specs[i].memory.value_or(Bytes{});
    if (sum >= Bytes::unlimited()) return Bytes::unlimited();
    sum += memory;
  }
  return sum;
}

}  // namespace

void check_draft(ConfigReader& reader, ConfigDraft& draft) { Checks{reader, draft}.run(); }

std::vector<ConfigProblem> check_budget(const ParsedConfig& parsed, Bytes budget) {
  std::vector<ConfigProblem> problems;
  const std::vector<Spec>& specs = parsed.draft.core.components;
  const Links links = links_of(parsed.draft);
  const auto say = [&](std::size_t i, std::string message) {
    const ConfigPlace place = i < parsed.places.size() ? parsed.places[i].memory : ConfigPlace{};
    problems.push_back({true, place.line, place.column, std::move(message)});
  };
  // Most files are far below their budget, and closures are the dear part.
  if (sum_of(specs, links.order) <= budget) return problems;
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
    const Bytes sum = sum_of(specs, members);
    if (is_over[i] || sum <= budget) continue;
    is_over[i] = true;
    const bool is_alone = members.size() == 1;
    say(i, specs[i].name + ": its memory " + (is_alone ? "" : "with that of its needs ") + "is " +
               format_bytes(sum) + ", more than the budget of " + format_bytes(budget));
  }
  const Bytes sum = sum_of(specs, core);
  const bool is_said = std::ranges::any_of(core, [&](std::size_t i) { return is_over[i]; });
  if (sum > budget && !is_said) {
    say(core.front(), "the components of priority core and their needs take " + format_bytes(sum) +
                          " together, more than the budget of " + format_bytes(budget));
  }
  return problems;
}

std::vector<ConfigProblem> check_binaries(const ParsedConfig& parsed, const ProgramExists& exists) {
  std::vector<ConfigProblem> problems;
  for (std::size_t i = 0; i < parsed.draft.launches.size(); ++i) {
    const Launch& launch = parsed.draft.launches[i];
    const bool is_known =
        !launch.is_shell && !launch.argv.empty() && launch.argv[0].find("${") == std::string::npos;
    if (!is_known || exists(launch.argv[0], launch.directory)) continue;
    const bool is_path = launch.argv[0].find('/') != std::string::npos;
    const ConfigPlace place = i < parsed.places.size() ? parsed.places[i].command : ConfigPlace{};
    problems.push_back({false, place.line, place.column,
                        launch.name + ": the program " + quoted(launch.argv[0]) +
                            (is_path ? " is not there" : " is not on PATH") +
                            ": install it or correct `cmd`"});
  }
  return problems;
}

}  // namespace hearth
