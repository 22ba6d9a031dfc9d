#include "core/policy/pressure.h"

#include <gtest/gtest.h>

#include <functional>

namespace hearth {
namespace {

// Limits as they are by default: 4, 2, 1 and 0.5 GiB; stall 0.1; swap 64 MiB a second.
struct Watched {
  PressureLimits limits;
  PressureGauge gauge;
  Instant now{};
  MemorySigns signs{.available = 16_GiB};

  void look(Duration after = 1s) {
    now = now + after;
    gauge.take(now, signs, limits);
  }
  Pressure at(Bytes available) {
    signs.available = available;
    look();
    return gauge.level();
  }
};

TEST(PressureGauge, EachLevelBeginsBelowItsLimit) {
  Watched w;
  EXPECT_EQ(w.at(4_GiB), Pressure::low);
  EXPECT_EQ(w.at(4_GiB - Bytes{1}), Pressure::medium);
  EXPECT_EQ(w.at(2_GiB - Bytes{1}), Pressure::high);
  EXPECT_EQ(w.at(1_GiB - Bytes{1}), Pressure::critical);
  EXPECT_EQ(w.at(512_MiB - Bytes{1}), Pressure::emergency);
  EXPECT_EQ(w.at(Bytes{}), Pressure::emergency);
}

TEST(PressureGauge, ALevelEndsALittleAboveItsLimit) {
  Watched w;
  EXPECT_EQ(w.at(1000_MiB), Pressure::critical);
  EXPECT_EQ(w.at(1025_MiB), Pressure::critical);
  EXPECT_EQ(w.at(PressureGauge::end_of(Pressure::critical, w.limits)), Pressure::high);
  EXPECT_EQ(w.at(1025_MiB), Pressure::high) << "it has ended, and begins only below its limit";
  EXPECT_EQ(w.at(8_GiB), Pressure::low);
}

TEST(PressureGauge, ProgramsThatWaitForMemoryArePressureWhateverIsAvailable) {
  Watched w;
  w.look();
  w.signs.stalled += 120ms;
  w.look();
  EXPECT_EQ(w.gauge.level(), Pressure::high);
  EXPECT_EQ(w.gauge.sign(), PressureSign::stall);
  EXPECT_NEAR(w.gauge.stall_share(), 0.12, 1e-9);
  w.signs.stalled += 600ms;
  w.look();
  EXPECT_EQ(w.gauge.level(), Pressure::high) << "with memory plenty it is no more than that";
  EXPECT_TRUE(w.gauge.is_suffering(w.limits));
  w.signs.available = 3_GiB;
  w.signs.stalled += 600ms;
  w.look();
  EXPECT_EQ(w.gauge.level(), Pressure::emergency);
  w.signs.available = 5_GiB;
  w.look();
  EXPECT_FALSE(w.gauge.is_suffering(w.limits));
  EXPECT_EQ(w.gauge.level(), Pressure::high) << "two seconds below half of its limit end it";
  w.look();
  EXPECT_EQ(w.gauge.level(), Pressure::low);
  EXPECT_EQ(w.gauge.sign(), PressureSign::memory);
}

TEST(PressureGauge, AShortLookDoesNotMakeAShortStallLarge) {
  Watched w;
  w.look();
  w.signs.stalled += 10ms;
  w.look(50ms);
  EXPECT_EQ(w.gauge.level(), Pressure::low);
  w.look(100ms);
  EXPECT_NEAR(w.gauge.stall_share(), 10.0 / 150, 1e-9);
  EXPECT_EQ(w.gauge.level(), Pressure::medium);
}

TEST(PressureGauge, TrafficWithTheSwapIsPressureToo) {
  Watched w;
  w.look();
  w.signs.swapped += 70_MiB;
  w.look();
  EXPECT_EQ(w.gauge.level(), Pressure::high);
  EXPECT_EQ(w.gauge.sign(), PressureSign::swap);
}

TEST(PressureGauge, TheHighestSignSpeaks) {
  Watched w;
  w.look();
  w.signs.stalled += 60ms;       // medium
  w.signs.available = 1500_MiB;  // high
  w.look();
  EXPECT_EQ(w.gauge.level(), Pressure::high);
  EXPECT_EQ(w.gauge.sign(), PressureSign::memory);
  w.signs.is_own_limit = true;
  w.look();
  EXPECT_EQ(w.gauge.sign(), PressureSign::own_limit);
}

TEST(PressureGauge, SignsThatAreNotToBeLookedAtSayNothing) {
  Watched w;
  w.limits.stall = 0;
  w.limits.swap = Bytes{};
  w.look();
  w.signs.stalled += 1s;
  w.signs.swapped += 1_GiB;
  w.look();
  EXPECT_EQ(w.gauge.level(), Pressure::low);
}

TEST(PressureGauge, CountsThatBeginAnewAreNoTraffic) {
  Watched w;
  w.signs.stalled = 100s;
  w.signs.swapped = 100_GiB;
  w.look();
  EXPECT_EQ(w.gauge.level(), Pressure::low) << "what was before the first look is not its own";
  w.signs.stalled = 1ms;
  w.signs.swapped = 1_MiB;
  w.look();
  w.look();
  EXPECT_EQ(w.gauge.level(), Pressure::low);
}

TEST(PressureGauge, TheNextLookIsWhenALevelCouldBePassed) {
  Watched w;
  (void)w.at(4_GiB + Bytes{2'000'000'000});
  EXPECT_EQ(w.gauge.next_look(w.limits), 500ms);
  (void)w.at(16_GiB);
  EXPECT_EQ(w.gauge.next_look(w.limits), 1s);
  (void)w.at(4_GiB + 1_MiB);
  EXPECT_EQ(w.gauge.next_look(w.limits), 50ms);
  (void)w.at(100_MiB);
  EXPECT_EQ(w.gauge.next_look(w.limits), 50ms);
}

TEST(PressureGauge, WhatProgramsSufferIsWatchedWhileTheyDo) {
  Watched w;
  (void)w.at(16_GiB);
  w.signs.stalled += 100ms;
  w.look(1s);
  EXPECT_EQ(w.gauge.next_look(w.limits), 200ms);
  for (int i = 0; i < 4; ++i) w.look(1s);
  EXPECT_EQ(w.gauge.next_look(w.limits), 1s);
}

// What trend() says of a figure that is this at each of twelve looks, half a second apart.
std::optional<Trend> fall_of(const std::function<double(double second)>& bytes_at) {
  Watched w;
  for (int i = 0; i < 12; ++i) {
    w.signs.available = Bytes{static_cast<std::uint64_t>(bytes_at(i * 0.5))};
    w.look(500ms);
  }
  return w.gauge.trend();
}

TEST(PressureGauge, ATrendIsSeen) {
  const auto fall = fall_of([](double t) { return 8e9 - 200e6 * t; });
  ASSERT_TRUE(fall);
  EXPECT_NEAR(fall->rate, 200e6, 1e3);
}

TEST(PressureGauge, ATrendIsSeenThoughOneLookIsOff) {
  const auto fall = fall_of([](double t) { return 8e9 - 200e6 * t - (t == 2.5 ? 1e9 : 0); });
  ASSERT_TRUE(fall);
  EXPECT_NEAR(fall->rate, 200e6, 20e6);
}

TEST(PressureGauge, WhatOnlyWaversHasNoTrend) {
  int i = 0;
  EXPECT_FALSE(fall_of([&](double) { return 8e9 + (++i % 2 == 0 ? 300e6 : -300e6); }));
  EXPECT_FALSE(fall_of([](double) { return 8e9; }));
  EXPECT_FALSE(fall_of([](double t) { return 8e9 + 100e6 * t; })) << "it grows";
}

TEST(PressureGauge, ATrendThatHasJustBegunIsSeen) {
  const auto fall = fall_of([](double t) { return 8e9 - (t > 3.4 ? 200e6 * (t - 3.4) : 0); });
  ASSERT_TRUE(fall);
  EXPECT_NEAR(fall->rate, 200e6, 10e6) << "though for most of the time nothing fell";
}

TEST(PressureGauge, ABurstIsNoSteadyTrend) {
  Watched w;
  for (int i = 0; i < 20; ++i) {
    if (i > 15) w.signs.available = less(w.signs.available, 100_MiB);
    w.look(500ms);
  }
  EXPECT_TRUE(w.gauge.trend());
  EXPECT_FALSE(w.gauge.steady_trend());
  for (int i = 0; i < 20; ++i) {
    w.signs.available = less(w.signs.available, 100_MiB);
    w.look(500ms);
  }
  ASSERT_TRUE(w.gauge.steady_trend());
  EXPECT_NEAR(w.gauge.steady_trend()->rate, 200.0 * 1024 * 1024, 1e3);
}

TEST(PressureGauge, AFallThatGrowsIsSeenToGrow) {
  const auto fall = fall_of([](double t) { return 8e9 - 10e6 * t - 20e6 * t * t; });
  ASSERT_TRUE(fall);
  EXPECT_NEAR(fall->rate, 230e6, 10e6) << "10 + 2 * 20 * 5.5";
  EXPECT_NEAR(fall->growth, 40e6, 4e6);
}

TEST(Trend, SaysWhenSoMuchWillHaveFallen) {
  const Trend even{.rate = 100, .growth = 0, .seen = 5};
  EXPECT_NEAR(even.time_for(1000, 600).value_or(0), 10, 1e-6);
  EXPECT_FALSE(even.time_for(1000, 9));
  const Trend growing{.rate = 100, .growth = 20, .seen = 5};
  EXPECT_NEAR(growing.fallen_in(5), 750, 1e-6);
  EXPECT_NEAR(growing.fallen_in(10), 750 + 5 * 200, 1e-6)
      << "it is believed as long as it was seen";
  EXPECT_NEAR(growing.time_for(750, 600).value_or(0), 5, 1e-6);
  const Trend resting{.rate = 100, .growth = -20, .seen = 30};
  EXPECT_NEAR(resting.fallen_in(5), 250, 1e-6);
  EXPECT_NEAR(resting.fallen_in(100), 250, 1e-6) << "it does not rise for that";
  EXPECT_FALSE(resting.time_for(251, 600));
  EXPECT_FALSE(Trend{}.time_for(1, 600));
}

TEST(PressureGauge, WhatHasEndedIsNoTrendForLong) {
  Watched w;
  for (int i = 0; i < 10; ++i) {
    w.signs.available = less(w.signs.available, 200_MiB);
    w.look(500ms);
  }
  EXPECT_TRUE(w.gauge.trend());
  for (int i = 0; i < 12; ++i) w.look(1s);
  EXPECT_FALSE(w.gauge.trend());
}

}  // namespace
}  // namespace hearth
