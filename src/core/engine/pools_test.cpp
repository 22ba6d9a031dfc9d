// Who gives memory back to whom: engine.h, Pools.
#include <gtest/gtest.h>

#include "core/engine/script.h"

namespace hearth {
namespace {

using testing::Script;
using testing::spec;

Spec in(std::string pool, std::string name, Bytes memory, Priority priority = Priority::medium) {
  Spec result = spec(std::move(name), memory);
  result.pool = std::move(pool);
  result.priority = priority;
  return result;
}

Script pools(std::vector<PoolSpec> all, std::vector<Spec> specs, Bytes budget = 1000_MiB) {
  Configuration configuration;
  configuration.settings.budget = budget;
  configuration.settings.policy = "lru";
  configuration.settings.pools = std::move(all);
  configuration.components = std::move(specs);
  Script s;
  s.send(event::Configured{configuration});
  return s;
}

// Loaded, used once and idle; it holds what it declares.
void leave_idle(Script& s, const std::string& name) {
  s.wait(1s);
  s.measured = s.engine.component(s.id(name)).declared;
  const RequestId request = s.command({name});
  s.play();
  ASSERT_EQ(s.state(name), State::ready) << name;
  s.release(request);
  s.play();
}

std::vector<std::string> resident(const Script& s) {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < s.engine.component_count(); ++i) {
    const ComponentView view = s.engine.component(ComponentId{i});
    if (view.state == State::ready) names.emplace_back(view.name);
  }
  return names;
}

using Names = std::vector<std::string>;

TEST(Pools, ASoftPoolBorrowsWhatOthersLeaveIdle) {
  Script s =
      pools({{"v", 300_MiB}, {"a", 500_MiB}}, {in("v", "v1", 300_MiB), in("v", "v2", 400_MiB)});
  leave_idle(s, "v1");
  leave_idle(s, "v2");
  EXPECT_EQ(resident(s), (Names{"v1", "v2"}));
  EXPECT_EQ(s.engine.ledger().borrowed(PoolId{1}), 400_MiB);
}

TEST(Pools, AHardPoolDoesNot) {
  Script s = pools({{"v", 400_MiB, true}}, {in("v", "v1", 300_MiB), in("v", "v2", 400_MiB)});
  leave_idle(s, "v1");
  leave_idle(s, "v2");
  EXPECT_EQ(resident(s), Names{"v2"});
}

TEST(Pools, WhatIsBorrowedIsGivenBackFirst) {
  Script s =
      pools({{"v", 300_MiB}, {"a", 500_MiB}}, {in("", "old", 200_MiB), in("v", "v1", 300_MiB),
                                               in("v", "v2", 400_MiB), in("a", "a1", 300_MiB)});
  leave_idle(s, "old");
  leave_idle(s, "v1");
  leave_idle(s, "v2");
  leave_idle(s, "a1");
  EXPECT_EQ(resident(s), (Names{"old", "v2", "a1"}));
}

TEST(Pools, BorrowedMemoryGoesBackBeforeWhatIsOfLowerPriority) {
  Script s = pools({{"v", 300_MiB}, {"a", 500_MiB}},
                   {in("a", "low", 200_MiB, Priority::low), in("v", "v1", 300_MiB, Priority::high),
                    in("v", "v2", 400_MiB, Priority::high), in("a", "a1", 200_MiB, Priority::low)});
  leave_idle(s, "low");
  leave_idle(s, "v1");
  leave_idle(s, "v2");
  leave_idle(s, "a1");
  EXPECT_EQ(resident(s), (Names{"low", "v2", "a1"}));
}

TEST(Pools, OnlyWhatIsNeededIsGivenBack) {
  Script s = pools({{"v", 100_MiB}, {"a", 500_MiB}},
                   {in("v", "v1", 200_MiB), in("v", "v2", 200_MiB), in("v", "v3", 200_MiB),
                    in("v", "v4", 200_MiB), in("a", "a1", 400_MiB)});
  for (const char* name : {"v1", "v2", "v3", "v4", "a1"}) leave_idle(s, name);
  EXPECT_EQ(resident(s), (Names{"v2", "v3", "v4", "a1"}));
}

TEST(Pools, ABorrowerDoesNotPushOutWhatIsWithinItsPool) {
  Script s = pools({{"v", 300_MiB}, {"a", 600_MiB}},
                   {in("a", "a1", 600_MiB), in("v", "v1", 300_MiB), in("v", "v2", 450_MiB)});
  leave_idle(s, "a1");
  leave_idle(s, "v1");
  const RequestId request = s.command({"v2"});
  s.play();
  EXPECT_FALSE(s.reply(request));
  EXPECT_EQ(s.state("a1"), State::ready);
  s.wait(30s);
  s.send(event::TimerFired{});
  ASSERT_TRUE(s.reply(request));
  EXPECT_EQ(s.reply(request)->reason, Reason::pool);
}

TEST(Pools, ABorrowerWhoseOwnPoolMakesRoomDoes) {
  Script s = pools({{"v", 400_MiB}, {"a", 600_MiB}},
                   {in("a", "a1", 600_MiB), in("v", "v1", 400_MiB), in("v", "v2", 400_MiB)});
  leave_idle(s, "a1");
  leave_idle(s, "v1");
  leave_idle(s, "v2");
  EXPECT_EQ(resident(s), (Names{"a1", "v2"}));
}

TEST(Pools, WhatNeedsNothingOfTheBorrowersPoolIsProtectedThoughBothUseWhatIsInNone) {
  Spec a1 = in("a", "a1", 500_MiB);
  a1.needs = {"base"};
  Spec v1 = in("v", "v1", 500_MiB);
  v1.needs = {"tool"};
  Script s = pools({{"v", 300_MiB}, {"a", 600_MiB}},
                   {in("", "base", 100_MiB), in("", "tool", 50_MiB), a1, v1});
  leave_idle(s, "base");
  leave_idle(s, "a1");
  s.command({"v1"});
  s.play();
  EXPECT_EQ(s.state("a1"), State::ready);
}

TEST(Pools, WhatNeedsSomethingOfTheBorrowersPoolCountsAsIts) {
  Spec a1 = in("a", "a1", 500_MiB);
  a1.needs = {"v1"};
  Script s =
      pools({{"v", 400_MiB}, {"a", 600_MiB}}, {in("v", "v1", 300_MiB), a1, in("v", "v2", 400_MiB)});
  leave_idle(s, "v1");
  leave_idle(s, "a1");
  leave_idle(s, "v2");
  EXPECT_EQ(s.state("v2"), State::ready) << "v1 stays while a1 needs it";
}

TEST(Pools, ABorrowerOfHigherPriorityPushesOut) {
  Script s = pools({{"v", 300_MiB}, {"a", 600_MiB}},
                   {in("a", "a1", 600_MiB), in("v", "v1", 500_MiB, Priority::high)});
  leave_idle(s, "a1");
  leave_idle(s, "v1");
  EXPECT_EQ(resident(s), Names{"v1"});
}

TEST(Pools, WhoIsWithinItsPoolPushesOutAnyThatIsIdle) {
  Script s = pools({{"v", 500_MiB}, {"a", 600_MiB}},
                   {in("a", "a1", 600_MiB, Priority::high), in("v", "v1", 500_MiB)});
  leave_idle(s, "a1");
  leave_idle(s, "v1");
  EXPECT_EQ(resident(s), Names{"v1"});
}

TEST(Pools, WhatBelongsToNoPoolNeitherBorrowsNorIsProtected) {
  Script s = pools({{"v", 500_MiB}},
                   {in("v", "v1", 500_MiB), in("", "free", 900_MiB), in("v", "v2", 600_MiB)});
  leave_idle(s, "v1");
  leave_idle(s, "free");
  EXPECT_EQ(resident(s), Names{"free"});
  leave_idle(s, "v2");
  EXPECT_EQ(resident(s), Names{"v2"});
}

TEST(Pools, ABorrowerRevokesNoPreemptibleLeaseOnWhatIsWithinItsPool) {
  Script s =
      pools({{"v", 300_MiB}, {"a", 600_MiB}}, {in("a", "a1", 600_MiB), in("v", "v1", 500_MiB)});
  s.measured = 600_MiB;
  s.lease({"a1"}, true);
  s.play();
  s.command({"v1"});
  s.wait(10s);
  s.send(event::TimerFired{});
  EXPECT_EQ(s.state("a1"), State::ready);
  EXPECT_EQ(s.engine.leases().size(), 1U);
}

TEST(Pools, WhoIsWithinItsPoolRevokesThePreemptibleLeaseOfABorrower) {
  Script s =
      pools({{"v", 500_MiB}, {"a", 300_MiB}}, {in("a", "a1", 600_MiB), in("v", "v1", 500_MiB)});
  s.measured = 600_MiB;
  s.lease({"a1"}, true);
  s.play();
  const RequestId request = s.command({"v1"});
  s.wait(3s);
  s.send(event::TimerFired{});
  s.play();
  ASSERT_TRUE(s.reply(request));
  EXPECT_TRUE(s.reply(request)->is_granted);
}

TEST(Pools, AMeasurementThatPutsRamOverIsMendedByWhatWasBorrowed) {
  Script s = pools({{"v", 200_MiB}},
                   {in("", "old", 200_MiB), in("v", "v1", 300_MiB), in("", "new", 300_MiB)});
  for (const char* name : {"old", "v1", "new"}) leave_idle(s, name);
  s.send(event::MemorySampled{.available = 64_GiB, .measured = {{s.id("new"), 600_MiB}}});
  s.play();
  EXPECT_EQ(resident(s), (Names{"old", "new"}));
}

TEST(Pools, AMeasurementAboveASoftPoolIsBorrowedAndNothingGoes) {
  Script s = pools({{"v", 200_MiB}}, {in("v", "v1", 100_MiB)});
  leave_idle(s, "v1");
  s.send(event::MemorySampled{.available = 64_GiB, .measured = {{s.id("v1"), 600_MiB}}});
  s.play();
  EXPECT_EQ(resident(s), Names{"v1"});
  EXPECT_EQ(s.engine.ledger().borrowed(PoolId{1}), 400_MiB);
}

TEST(Pools, APoolThatBecomesHardIsBroughtWithinItsSize) {
  const std::vector<Spec> specs{in("v", "v1", 200_MiB), in("v", "v2", 200_MiB)};
  Script s = pools({{"v", 300_MiB}}, specs);
  leave_idle(s, "v1");
  leave_idle(s, "v2");
  Configuration next;
  next.settings.budget = 1000_MiB;
  next.settings.policy = "lru";
  next.settings.pools = {{"v", 300_MiB, true}};
  next.components = specs;
  s.send(event::Configured{next});
  s.play();
  EXPECT_EQ(resident(s), Names{"v2"});
}

}  // namespace
}  // namespace hearth
