// What a component is to the core, and the settings that the core decides by. Plain data.
//
// Contract   names are unique in a Configuration; `needs` and `conflicts` hold names of the same
//            Configuration; a conflict said on one side holds on both. codec/ checks all of it
//            before the core sees it; Registry::check() says the same of any Configuration.
// Threads    values.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/units.h"

namespace hearth {

enum class Priority : unsigned char { low, medium, high, core };
constexpr unsigned limit_of(Priority) { return 4; }
enum class Pressure : unsigned char { low, medium, high, critical, emergency };
constexpr unsigned limit_of(Pressure) { return 5; }

[[nodiscard]] std::string_view name_of(Priority priority);
[[nodiscard]] std::string_view name_of(Pressure pressure);
[[nodiscard]] std::optional<Priority> priority_of(std::string_view name);
[[nodiscard]] std::optional<Pressure> pressure_of(std::string_view name);

struct ResourceNeed {
  std::string resource{};  // a name of Configuration::resources, not "ram"
  Bytes bytes{};

  bool operator==(const ResourceNeed&) const = default;
  template <class A>
  void fields(A& a) {
    a(resource, bytes);
  }
};

struct Spec {
  std::string name{};
  Priority priority = Priority::medium;
  std::optional<Bytes> memory{};  // declared upper bound of ram; none: learnt or unknown_memory
  std::vector<ResourceNeed> devices{};
  std::string pool{};  // empty: none
  std::vector<std::string> needs{};
  std::vector<std::string> conflicts{};
  bool is_lazy = true;                     // false: loaded at start, after core
  bool is_default = false;                 // comes back when what displaced it goes idle
  std::optional<Duration> ttl{};           // unloaded when idle for this long, at any pressure
  std::optional<Duration> load_timeout{};  // none: Settings::load_timeout
  bool can_hibernate = false;              // frozen and paged out, as far as the shell can tell
  // Hash of everything that the shell starts it with; when it changes the component restarts.
  std::uint64_t revision = 0;

  bool operator==(const Spec&) const = default;
  template <class A>
  void fields(A& a) {
    a(name, priority, memory, devices, pool, needs, conflicts, is_lazy, is_default, ttl,
      load_timeout, can_hibernate, revision);
  }
};

struct NamedBytes {
  std::string name{};
  Bytes bytes{};

  bool operator==(const NamedBytes&) const = default;
  template <class A>
  void fields(A& a) {
    a(name, bytes);
  }
};

struct PoolSpec {
  std::string name{};
  Bytes bytes{};
  bool is_hard = false;  // a limit; else what it has back from whoever borrowed it

  bool operator==(const PoolSpec&) const = default;
  template <class A>
  void fields(A& a) {
    a(name, bytes, is_hard);
  }
};

// Where the levels of pressure begin.
struct PressureLimits {
  // Available memory below which: medium, high, critical, emergency.
  std::array<Bytes, 4> below{4_GiB, 2_GiB, 1_GiB, 512_MiB};
  // At which it is high; medium at half of it, critical at 2.5 times, emergency at 5. 0: never.
  double stall = 0.1;   // the share of the time in which some program waits for memory
  Bytes swap = 64_MiB;  // a second, in and out of the swap

  bool operator==(const PressureLimits&) const = default;
  template <class A>
  void fields(A& a) {
    a(below, stall, swap);
  }
};

struct Settings {
  Bytes budget = 8_GiB;                 // of ram; already resolved from a share by the shell
  std::vector<PoolSpec> pools{};        // sub-budgets of ram
  std::vector<NamedBytes> resources{};  // page_cache and devices, with their budgets
  unsigned loads_parallel_max = 4;
  Duration load_timeout = 30s;
  unsigned load_attempts_max = 4;  // the first and three retries
  Duration retry_delay = 1s;
  Bytes unknown_memory = 1_GiB;     // reserved for what was never measured nor declared
  double threshold = 0.5;           // at or above: demand
  double preload_threshold = 0.25;  // between: preload
  Duration preload_expiry = 60s;    // an unused preload is unloaded after this
  // Idle limits act from this pressure on; index by Priority (core never).
  Pressure idle_from = Pressure::medium;
  std::array<Duration, 3> idle_limits{60s, 120s, 300s};
  std::array<Duration, 4> wait_objectives{2s, 500ms, 100ms, 100ms};
  PressureLimits pressure{};
  bool yields = false;  // the budget shrinks as other programs grow, so that pressure stays low
  // On battery and charged less than this, nothing is loaded ahead, and what hibernates stays so.
  double battery_below = 0.2;
  Duration learning_window = 60s;
  Duration drain_time_max = 10s;  // a shutdown waits this long for leases
  Duration preempt_grace = 2s;    // from telling an owner to revoking its lease
  std::string policy = "gdsf";

  bool operator==(const Settings&) const = default;
  template <class A>
  void fields(A& a) {
    a(budget, pools, resources, loads_parallel_max, load_timeout, load_attempts_max, retry_delay,
      unknown_memory, threshold, preload_threshold, preload_expiry, idle_from, idle_limits,
      wait_objectives, pressure, yields, battery_below, learning_window, drain_time_max,
      preempt_grace, policy);
  }
};

struct Configuration {
  Settings settings{};
  std::vector<Spec> components{};

  bool operator==(const Configuration&) const = default;
  template <class A>
  void fields(A& a) {
    a(settings, components);
  }
};

}  // namespace hearth
