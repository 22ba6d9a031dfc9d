#include "sim/workload.h"

#include <algorithm>

#include "base/math.h"
#include "core/policy/eviction.h"

namespace hearth::sim {
namespace {

constexpr std::size_t depth_max = 4;

std::string name_at(std::size_t index) {
  std::string digits = std::to_string(index);
  if (digits.size() < 3) digits.insert(0, 3 - digits.size(), '0');
  return "c" + digits;
}

Bytes scaled(Bytes bytes, double by) {
  return Bytes{static_cast<std::uint64_t>(static_cast<double>(bytes.count) * by)};
}

}  // namespace

Duration arrival(Prng& prng, Duration mean) {
  const double wait = -seconds(mean) * exact_log(1.0 - prng.unit());
  return Duration{static_cast<std::int64_t>(wait * 1e9) + 1};
}

Duration between(Prng& prng, Duration low, Duration high) {
  return Duration{prng.between(low.count(), high.count())};
}

Workload::Workload(std::uint64_t seed, unsigned components) {
  Prng prng{seed ^ 0x3077U};
  make_settings(prng);
  for (unsigned i = 0; i < components; ++i) {
    Spec spec = make_spec(prng, i);
    configuration_.components.push_back(std::move(spec));
  }
  make_conflicts(prng);
  fit_budgets(prng);
  double sum = 0;
  for (unsigned i = 0; i < components; ++i) {
    sum += 1.0 / static_cast<double>(i + 1);
    weights_.push_back(sum);
  }
}

void Workload::make_settings(Prng& prng) {
  Settings& settings = configuration_.settings;
  const auto policies = eviction_policies();
  settings.policy = policies[prng.below(policies.size())].name;
  settings.pools = {{"vision", {}}, {"audio", {}}, {"ml", {}}};
  settings.resources = {{"gpu", {}}, {"npu", {}}};
  settings.loads_parallel_max = static_cast<unsigned>(prng.between(1, 6));
  settings.load_timeout = between(prng, 14s, 30s);
  settings.load_attempts_max = static_cast<unsigned>(prng.between(1, 4));
  settings.retry_delay = between(prng, 200ms, 3s);
  settings.unknown_memory = Bytes{static_cast<std::uint64_t>(prng.between(256, 768)) << 20};
  settings.preload_expiry = between(prng, 10s, 90s);
  settings.idle_from = static_cast<Pressure>(prng.below(3));
  settings.preempt_grace = between(prng, 500ms, 4s);
  settings.yields = prng.chance(0.25);
  for (Duration& limit : settings.idle_limits) limit = between(prng, 30s, 400s);
}

Spec Workload::make_spec(Prng& prng, unsigned index) {
  Spec spec;
  spec.name = name_at(index);
  const double kind = prng.unit();
  // The first is core, so that there always is one.
  spec.priority = index == 0 || kind < 0.03 ? Priority::core
                  : kind < 0.22             ? Priority::high
                  : kind < 0.7              ? Priority::medium
                                            : Priority::low;
  Truth truth;
  const std::int64_t most = prng.chance(0.2) ? 900 : 300;
  truth.size = Bytes{static_cast<std::uint64_t>(prng.between(20, most)) << 20};
  truth.load_time =
      Duration{static_cast<std::int64_t>(truth.size.count) * 8} + between(prng, 50ms, 1s);
  truth.unload_time = between(prng, 10ms, 800ms);
  truths_.push_back(truth);
  const double declared = prng.unit();
  const double factor = 1.02 + 0.5 * prng.unit();
  if (declared < 0.7) {
    spec.memory = scaled(truth.size, factor);
  } else if (declared < 0.8) {
    spec.memory = scaled(truth.size, 0.6 + 0.3 * prng.unit());
  }
  static constexpr std::array<std::string_view, 3> pools{"vision", "audio", "ml"};
  if (prng.chance(0.4)) spec.pool = pools[prng.below(3)];
  if (prng.chance(0.12)) {
    spec.devices.push_back({"gpu", Bytes{static_cast<std::uint64_t>(prng.between(50, 600)) << 20}});
  }
  if (prng.chance(0.08)) {
    spec.devices.push_back({"npu", Bytes{static_cast<std::uint64_t>(prng.between(10, 200)) << 20}});
  }
  unsigned depth = 0;
  if (index > 2 && spec.priority != Priority::core && prng.chance(0.4)) {
    const std::uint64_t count = 1 + prng.below(2);
    for (std::uint64_t n = 0; n < count; ++n) {
      const std::size_t need = prng.below(index);
      if (depths_[need] + 1 > depth_max) continue;
      if (std::ranges::find(spec.needs, name_at(need)) != spec.needs.end()) continue;
      spec.needs.push_back(name_at(need));
      depth = std::max(depth, depths_[need] + 1);
    }
  }
  depths_.push_back(depth);
  spec.is_lazy = !prng.chance(0.06);
  spec.is_default = spec.priority != Priority::core && prng.chance(0.06);
  if (prng.chance(0.1)) spec.ttl = between(prng, 30s, 600s);
  // What is slow to load is what hibernating is for.
  spec.can_hibernate = prng.chance(0.6);
  Duration& load_time = truths_.back().load_time;
  if (spec.can_hibernate) load_time = std::min<Duration>(load_time + between(prng, 2s, 5s), 10s);
  if (prng.chance(0.1)) spec.load_timeout = between(prng, 14s, 25s);
  spec.revision = 1;
  return spec;
}

std::vector<std::size_t> Workload::closure(std::size_t index) const {
  std::vector<std::size_t> found{index};
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const std::string& need : configuration_.components[found[i]].needs) {
      for (std::size_t j = 0; j < found[i]; ++j) {
        const bool is_it = configuration_.components[j].name == need;
        if (is_it && std::ranges::find(found, j) == found.end()) found.push_back(j);
      }
    }
  }
  return found;
}

// Pairs that no component needs both of.
void Workload::make_conflicts(Prng& prng) {
  auto& components = configuration_.components;
  const std::size_t count = components.size();
  if (count < 4) return;
  std::vector<std::vector<std::size_t>> closures;
  std::vector<bool> is_core(count, false);
  for (std::size_t i = 0; i < count; ++i) {
    closures.push_back(closure(i));
    if (components[i].priority != Priority::core) continue;
    for (const std::size_t member : closures[i]) is_core[member] = true;
  }
  for (std::size_t n = 0; n < count / 6; ++n) {
    const std::size_t a = prng.below(count);
    const std::size_t b = prng.below(count);
    const bool is_together = std::ranges::any_of(closures, [&](const auto& members) {
      return std::ranges::find(members, a) != members.end() &&
             std::ranges::find(members, b) != members.end();
    });
    if (a == b || is_together || is_core[a] || is_core[b]) continue;
    components[a].conflicts.push_back(components[b].name);
    if (prng.chance(0.5)) components[b].conflicts.push_back(components[a].name);
  }
}

// Tight, and yet enough for each component with its needs, beside the core ones.
void Workload::fit_budgets(Prng& prng) {
  Settings& settings = configuration_.settings;
  const double share = 0.2 + 0.35 * prng.unit();
  Bytes all;
  Bytes core;
  std::array<Bytes, 3> pool_all{};
  std::array<Bytes, 3> pool_least{};
  std::array<Bytes, 3> pool_core{};
  std::array<Bytes, 2> device_all{};
  std::array<Bytes, 2> device_least{};
  std::array<Bytes, 2> device_core{};
  Bytes least;
  for (std::size_t i = 0; i < truths_.size(); ++i) {
    std::array<Bytes, 3> pools{};
    std::array<Bytes, 2> devices{};
    Bytes sum;
    for (const std::size_t member : closure(i)) {
      const Spec& spec = configuration_.components[member];
      const Bytes bound = std::max(spec.memory.value_or(settings.unknown_memory),
                                   scaled(truths_[member].size, 1.4));
      sum += bound;
      for (std::size_t p = 0; p < 3; ++p) {
        if (settings.pools[p].name == spec.pool) pools[p] += bound;
      }
      for (const ResourceNeed& need : spec.devices)
        devices[need.resource == "gpu" ? 0 : 1] += need.bytes;
    }
    const bool is_core = configuration_.components[i].priority == Priority::core;
    all += truths_[i].size;
    least = std::max(least, sum);
    if (is_core) core += sum;
    for (std::size_t p = 0; p < 3; ++p) {
      if (settings.pools[p].name == configuration_.components[i].pool)
        pool_all[p] += truths_[i].size;
      pool_least[p] = std::max(pool_least[p], pools[p]);
      if (is_core) pool_core[p] += pools[p];
    }
    for (std::size_t d = 0; d < 2; ++d) {
      device_all[d] += devices[d];
      device_least[d] = std::max(device_least[d], devices[d]);
      if (is_core) device_core[d] += devices[d];
    }
  }
  settings.budget = std::max(scaled(all, share), least + core) + 64_MiB;
  for (std::size_t p = 0; p < 3; ++p) {
    settings.pools[p].bytes =
        std::max(scaled(pool_all[p], share * 1.3), pool_least[p] + pool_core[p]) + 16_MiB;
    // A soft one may be too small for some of its own members: they live on what others lend.
    settings.pools[p].is_hard = prng.chance(0.5);
    if (!settings.pools[p].is_hard) {
      settings.pools[p].bytes = scaled(settings.pools[p].bytes, 0.2 + 0.8 * prng.unit());
    }
  }
  for (std::size_t d = 0; d < 2; ++d) {
    settings.resources[d].bytes =
        std::max(scaled(device_all[d], 0.3), device_least[d] + device_core[d]) + 1_MiB;
  }
  settings.pressure.below = {scaled(settings.budget, 0.3), scaled(settings.budget, 0.2),
                             scaled(settings.budget, 0.12), scaled(settings.budget, 0.05)};
}

const Truth& Workload::truth(const std::string& name) const {
  const std::size_t index = static_cast<std::size_t>(std::stoul(name.substr(1)));
  return truths_[index % truths_.size()];
}

Configuration Workload::with_budget(const Configuration& from, double share) const {
  Configuration next = from;
  next.settings.budget = scaled(configuration_.settings.budget, share);
  for (std::size_t p = 0; p < next.settings.pools.size(); ++p) {
    next.settings.pools[p].bytes = scaled(configuration_.settings.pools[p].bytes, share);
  }
  return next;
}

Configuration Workload::vary(Prng& prng) {
  Configuration next = configuration_;
  std::vector<std::string> gone;
  for (std::size_t i = 0; i < next.components.size(); ++i) {
    Spec& spec = next.components[i];
    const bool is_gone = prng.chance(0.05) && spec.priority != Priority::core;
    std::erase_if(spec.needs, [&](const std::string& need) {
      return std::ranges::find(gone, need) != gone.end();
    });
    if (is_gone) gone.push_back(spec.name);
    if (prng.chance(0.06)) spec.revision = prng.below(1000) + 2;
    if (prng.chance(0.04) && !spec.needs.empty()) spec.needs.pop_back();
    if (prng.chance(0.04) && spec.priority != Priority::core) {
      spec.priority = static_cast<Priority>(prng.below(3));
    }
    if (prng.chance(0.04)) spec.ttl = between(prng, 20s, 300s);
    if (prng.chance(0.03)) spec.pool.clear();
    if (prng.chance(0.03) && spec.memory) spec.memory = scaled(*spec.memory, 1.2);
    if (prng.chance(0.03)) spec.is_lazy = !spec.is_lazy;
  }
  const auto is_gone = [&](const std::string& name) {
    return std::ranges::find(gone, name) != gone.end();
  };
  std::erase_if(next.components, [&](const Spec& spec) { return is_gone(spec.name); });
  for (Spec& spec : next.components) std::erase_if(spec.conflicts, is_gone);
  if (prng.chance(0.3)) {
    Spec added = next.components[prng.below(next.components.size())];
    added.name = name_at(truths_.size() + prng.below(8));
    added.priority = Priority::low;
    added.conflicts.clear();
    next.components.push_back(std::move(added));
  }
  if (prng.chance(0.3)) {
    next.settings.loads_parallel_max = static_cast<unsigned>(prng.between(1, 6));
  }
  const auto policies = eviction_policies();
  if (prng.chance(0.2)) next.settings.policy = policies[prng.below(policies.size())].name;
  return next;
}

std::size_t Workload::popular(Prng& prng, std::size_t count) const {
  const std::size_t known = std::min(count, weights_.size());
  if (known == 0) return 0;
  const double draw = prng.unit() * weights_[known - 1];
  const auto end = weights_.begin() + static_cast<std::ptrdiff_t>(known);
  const auto place = std::upper_bound(weights_.begin(), end, draw);
  // The order of declaration is that of needs, so popularity is spread over it.
  const auto rank = static_cast<std::size_t>(place - weights_.begin());
  return rank * 7919 % known;
}

}  // namespace hearth::sim
