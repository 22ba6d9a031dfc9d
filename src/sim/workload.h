// What is generated from a seed: a configuration, what its components truly are, and who asks for
// what.
//
// Contract   a generated configuration is valid: needs form no cycle (a component needs only those
//            declared before it, four deep at most), no component needs two rivals, core components
//            clash with nothing, and every component with its needs and the core ones fits the
//            budget. vary() gives another valid configuration with the same pools and resources.
// Exactness  a function of the seed.
// Threads    thread-compatible.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/prng.h"
#include "core/model/spec.h"

namespace hearth::sim {

// A component as it really is, known to the world and never to the engine.
struct Truth {
  Bytes size;  // when just loaded
  Duration load_time{0};
  Duration unload_time{0};
};

class Workload {
 public:
  Workload(std::uint64_t seed, unsigned components);

  [[nodiscard]] const Configuration& configuration() const { return configuration_; }
  [[nodiscard]] const Truth& truth(const std::string& name) const;
  // Some components changed, gone, back or new; `share` of the budget is left.
  [[nodiscard]] Configuration vary(Prng& prng);
  [[nodiscard]] Configuration with_budget(const Configuration& from, double share) const;

  // Popular ones more often, by Zipf's law: an index below count.
  [[nodiscard]] std::size_t popular(Prng& prng, std::size_t count) const;
  [[nodiscard]] Bytes budget() const { return configuration_.settings.budget; }

 private:
  Spec make_spec(Prng& prng, unsigned index);
  void make_settings(Prng& prng);
  void make_conflicts(Prng& prng);
  void fit_budgets(Prng& prng);
  [[nodiscard]] std::vector<std::size_t> closure(std::size_t index) const;

  Configuration configuration_;
  std::vector<Truth> truths_;
  std::vector<unsigned> depths_;
  std::vector<double> weights_;  // cumulative
};

// A time with the mean `mean`, exponentially distributed.
[[nodiscard]] Duration arrival(Prng& prng, Duration mean);
[[nodiscard]] Duration between(Prng& prng, Duration low, Duration high);

}  // namespace hearth::sim
