// How long the engine takes to load a set, against the best order that an exhaustive search finds.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/prng.h"
#include "core/engine/engine.h"

namespace hearth::sim {
namespace {

constexpr Duration unit = 1ms;

struct Graph {
  std::vector<std::vector<std::size_t>> needs;  // of lower numbers only
  std::vector<int> takes;                       // units
  [[nodiscard]] std::size_t size() const { return takes.size(); }
};

// Every order there is under the rule that what can start, starts: whenever a slot is free, each of
// those whose needs are ready is tried as the next.
class Search {
 public:
  Search(const Graph& graph, std::size_t slots)
      : graph_(graph), slots_(slots), ends_(graph.size(), -1), tails_(graph.takes) {
    for (std::size_t i = graph.size(); i-- > 0;) {
      for (const std::size_t need : graph.needs[i]) {
        tails_[need] = std::max(tails_[need], graph.takes[need] + tails_[i]);
      }
    }
    best_ = 1;
    for (const int one : graph.takes) best_ += one;
    descend(0);
  }
  [[nodiscard]] int best() const { return best_; }

 private:
  void descend(int now) {
    std::size_t running = 0;
    int next = best_;
    bool has_candidate = false;
    for (const int end : ends_) {
      if (end <= now) continue;
      ++running;
      next = std::min(next, end);
    }
    for (std::size_t i = 0; i < graph_.size() && running < slots_; ++i) {
      if (ends_[i] >= 0 || !can_start(i, now)) continue;
      has_candidate = true;
      if (now + tails_[i] >= best_) return;  // it cannot end in time, now or later
      ends_[i] = now + graph_.takes[i];
      descend(now);
      ends_[i] = -1;
    }
    if (has_candidate) return;
    if (running > 0) return descend(next);
    best_ = std::min(best_, *std::ranges::max_element(ends_));
  }
  [[nodiscard]] bool can_start(std::size_t i, int now) const {
    return std::ranges::all_of(
        graph_.needs[i], [&](std::size_t need) { return ends_[need] >= 0 && ends_[need] <= now; });
  }

  const Graph& graph_;
  std::size_t slots_;
  std::vector<int> ends_;
  std::vector<int> tails_;
  int best_ = 0;
};

// What the engine makes of it: one lease on all of them, loads that take what was learnt.
int makespan_of_engine(const Graph& graph, std::size_t slots) {
  Configuration configuration;
  configuration.settings.loads_parallel_max = static_cast<unsigned>(slots);
  event::LearntBefore learnt;
  for (std::size_t i = 0; i < graph.size(); ++i) {
    Spec spec;
    spec.name = "c" + std::to_string(i);
    spec.memory = 1_MiB;
    for (const std::size_t need : graph.needs[i]) spec.needs.push_back("c" + std::to_string(need));
    configuration.components.push_back(std::move(spec));
    learnt.components.push_back({"c" + std::to_string(i), {1_MiB}, unit * graph.takes[i], {}});
  }
  Engine engine;
  std::vector<Action> actions;
  engine.step({Instant{}, event::Configured{configuration}}, actions);
  engine.step({Instant{}, learnt}, actions);
  event::LeaseRequested request;
  request.request = RequestId{1};
  request.patience = 1h;
  for (std::uint32_t i = 0; i < graph.size(); ++i) request.components.push_back(ComponentId{i});
  std::multimap<Instant, WorkId> running;
  Instant now;
  const auto step = [&](Event::What what) {
    actions.clear();
    engine.step({now, std::move(what)}, actions);
    for (const Action& action : actions) {
      if (const auto* start = std::get_if<action::StartLoad>(&action)) {
        running.emplace(now + unit * graph.takes[start->component.value], start->work);
      }
    }
  };
  step(request);
  while (!running.empty()) {
    const auto [at, work] = *running.begin();
    running.erase(running.begin());
    now = at;
    step(event::LoadFinished{work, WorkOutcome::done, 1_MiB, ""});
  }
  const bool is_granted = std::ranges::any_of(actions, [](const Action& action) {
    const auto* reply = std::get_if<action::Reply>(&action);
    return reply != nullptr && reply->is_granted;
  });
  EXPECT_TRUE(is_granted);
  return static_cast<int>((now - Instant{}) / unit);
}

std::string told(const Graph& graph, std::size_t slots) {
  std::string text = std::to_string(slots) + " slots:";
  for (std::size_t i = 0; i < graph.size(); ++i) {
    text += " " + std::to_string(i) + "(" + std::to_string(graph.takes[i]) + ")";
    for (const std::size_t need : graph.needs[i]) text += "<" + std::to_string(need);
  }
  return text;
}

// Lengths are of milliseconds, so that no two loads end in one: then either may be told first.
struct Verdict {
  std::size_t graphs = 0;
  std::size_t worse = 0;  // by more than 5 %
  double worst = 1;
  std::string example;
  void add(const Graph& graph, std::size_t slots) {
    const int best = Search{graph, slots}.best();
    const int taken = makespan_of_engine(graph, slots);
    const double ratio = static_cast<double>(taken) / best;
    EXPECT_GE(taken, best) << told(graph, slots);
    ++graphs;
    if (ratio > 1.05) ++worse;
    if (ratio > worst) {
      worst = ratio;
      example = told(graph, slots);
    }
  }
};

Graph with_edges(std::size_t size, std::uint64_t edges) {
  Graph graph;
  graph.needs.resize(size);
  for (std::size_t i = 0, bit = 0; i < size; ++i) {
    for (std::size_t j = 0; j < i; ++j, ++bit) {
      if (((edges >> bit) & 1) != 0) graph.needs[i].push_back(j);
    }
  }
  return graph;
}

TEST(Makespan, IsBestOnEveryGraphOfUpToFiveWithinFivePercent) {
  Prng prng{5};
  Verdict verdict;
  for (std::size_t size = 1; size <= 5; ++size) {
    for (std::uint64_t edges = 0; edges < 1ULL << (size * (size - 1) / 2); ++edges) {
      Graph graph = with_edges(size, edges);
      for (std::size_t i = 0; i < size; ++i) {
        graph.takes.push_back(static_cast<int>(prng.between(100, 2000)));
      }
      for (std::size_t slots = 1; slots <= 3; ++slots) verdict.add(graph, slots);
    }
  }
  EXPECT_EQ(verdict.worse, 0U) << verdict.worst << " of " << verdict.graphs << ", "
                               << verdict.example;
}

TEST(Makespan, IsBestOnRandomGraphsOfUpToEightWithinFivePercent) {
  Prng prng{8};
  Verdict verdict;
  for (int round = 0; round < 1500; ++round) {
    const auto size = static_cast<std::size_t>(prng.between(6, 8));
    const double density = 0.1 + 0.5 * prng.unit();
    std::uint64_t edges = 0;
    for (std::size_t bit = 0; bit < size * (size - 1) / 2; ++bit) {
      if (prng.chance(density)) edges |= 1ULL << bit;
    }
    Graph graph = with_edges(size, edges);
    for (std::size_t i = 0; i < size; ++i) {
      graph.takes.push_back(static_cast<int>(prng.between(100, 2000)));
    }
    verdict.add(graph, static_cast<std::size_t>(prng.between(1, 4)));
  }
  EXPECT_EQ(verdict.worse, 0U) << verdict.worst << " of " << verdict.graphs << ", "
                               << verdict.example;
}

}  // namespace
}  // namespace hearth::sim
