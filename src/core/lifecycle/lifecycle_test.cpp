#include "core/lifecycle/lifecycle.h"

#include <gtest/gtest.h>

#include <set>

namespace hearth {
namespace {

TEST(Lifecycle, EveryStateIsReachedFromUnloaded) {
  std::set<State> reached{State::unloaded};
  for (std::size_t round = 0; round < transitions.size(); ++round) {
    for (const Transition& row : transitions) {
      if (reached.contains(row.from)) reached.insert(row.to);
    }
  }
  EXPECT_EQ(reached.size(), limit_of(State{}));
}

TEST(Lifecycle, EveryStateLeadsBackToUnloaded) {
  std::set<State> leading{State::unloaded};
  for (std::size_t round = 0; round < transitions.size(); ++round) {
    for (const Transition& row : transitions) {
      if (leading.contains(row.to)) leading.insert(row.from);
    }
  }
  EXPECT_EQ(leading.size(), limit_of(State{}));
}

TEST(Lifecycle, UnloadingIsEnteredOnlyBehindAClosedGateByACancelledLoadOrFromHibernation) {
  for (const Transition& row : transitions) {
    if (row.to != State::unloading) continue;
    EXPECT_TRUE(row.trigger == Trigger::gate_closed || row.trigger == Trigger::cancel_done ||
                row.trigger == Trigger::evict_hibernated ||
                row.trigger == Trigger::hibernate_refused);
  }
}

TEST(Lifecycle, StatesHaveDifferentNames) {
  std::set<std::string_view> names;
  for (unsigned i = 0; i < limit_of(State{}); ++i) names.insert(name_of(static_cast<State>(i)));
  EXPECT_EQ(names.size(), limit_of(State{}));
}

}  // namespace
}  // namespace hearth
