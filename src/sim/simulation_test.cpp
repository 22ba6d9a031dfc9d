#include "sim/simulation.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "sim/command.h"

namespace hearth::sim {
namespace {

SimOptions half_an_hour(std::uint64_t seed) {
  return {.seed = seed, .virtual_time = 30min, .components = 24};
}

std::string verdict(const SimReport& report) {
  return report.violation ? report.violation->invariant + ": " + report.violation->text : "well";
}

// What the run says when the engine's answers are changed on their way.
std::string tampered(Tamper tamper, std::uint64_t seed = 1) {
  SimOptions options = half_an_hour(seed);
  options.tamper = std::move(tamper);
  const SimReport report = run(options);
  return report.violation ? report.violation->invariant : "";
}

TEST(Simulation, EqualSeedsGiveEqualDigests) {
  const SimReport first = run(half_an_hour(11));
  const SimReport second = run(half_an_hour(11));
  EXPECT_TRUE(first.is_ok()) << verdict(first);
  EXPECT_EQ(first.digest, second.digest);
  EXPECT_EQ(first.steps, second.steps);
}

TEST(Simulation, OtherSeedsGiveOtherDigests) {
  EXPECT_NE(run(half_an_hour(11)).digest, run(half_an_hour(12)).digest);
}

TEST(Simulation, AnEngineFromItsSnapshotGoesOnAsTheOneBefore) {
  for (std::uint64_t seed = 21; seed <= 32; ++seed) {
    SimOptions options = half_an_hour(seed);
    const SimReport plain = run(options);
    options.reload_every = 7;
    const SimReport reloaded = run(options);
    EXPECT_TRUE(plain.is_ok()) << seed << " " << verdict(plain);
    EXPECT_EQ(plain.digest, reloaded.digest) << seed;
  }
}

TEST(Simulation, AWorldWithoutFaultsIsWell) {
  SimOptions options = half_an_hour(31);
  options.has_faults = false;
  const SimReport report = run(options);
  EXPECT_TRUE(report.is_ok()) << verdict(report);
  EXPECT_EQ(report.restarts, 0U);
  EXPECT_GT(report.probes, 0U);
  for (const std::uint64_t count : report.faults) EXPECT_EQ(count, 0U);
}

TEST(Simulation, AVirtualDayShowsAllThatItMust) {
  const SimReport report = run({.seed = 1});
  EXPECT_TRUE(report.is_ok()) << verdict(report);
  EXPECT_TRUE(report.shortfalls.empty());
  EXPECT_GE(report.steps, steps_least_a_day);
  EXPECT_GE(report.commands, commands_least_a_day);
  for (const FaultKind& kind : fault_kinds()) {
    EXPECT_GE(report.faults[static_cast<std::size_t>(kind.fault)], faults_least_a_day) << kind.name;
  }
}

// src/sim/seeds.txt: SEED VIRTUAL_MINUTES COMPONENTS # what went wrong.
TEST(Simulation, EverySeedThatOnceFailedIsWell) {
  std::ifstream file{std::string{HEARTH_SOURCE_DIR} + "/src/sim/seeds.txt"};
  ASSERT_TRUE(file.is_open());
  std::string line;
  std::size_t count = 0;
  while (std::getline(file, line)) {
    std::istringstream words{line.substr(0, line.find('#'))};
    std::uint64_t seed = 0;
    std::int64_t minutes = 0;
    unsigned components = 0;
    if (!(words >> seed >> minutes >> components)) continue;
    ++count;
    const SimReport report =
        run({.seed = seed, .virtual_time = minutes * 60s, .components = components});
    EXPECT_TRUE(report.is_ok()) << line << "\n" << verdict(report);
  }
  EXPECT_GT(count, 10U);
}

TEST(Simulation, AFewSeedsOfTheSwarmAreWell) {
  std::ostringstream out;
  const SwarmReport report = run_swarm({.seed_first = 1000, .seed_count = 60}, out);
  EXPECT_EQ(report.runs, 60U);
  EXPECT_TRUE(report.failures.empty()) << out.str();
}

TEST(Simulation, NoticesAReplyThatIsLost) {
  std::uint64_t seen = 0;
  EXPECT_EQ(tampered([&seen](const Event&, std::vector<Action>& actions, const Engine&) {
              std::erase_if(actions, [&](const Action& a) {
                return std::holds_alternative<action::Reply>(a) && ++seen == 40;
              });
            }),
            "I4");
}

TEST(Simulation, NoticesAReservationThatIsTooSmall) {
  EXPECT_EQ(tampered([](const Event&, std::vector<Action>& actions, const Engine&) {
              for (Action& a : actions) {
                if (auto* start = std::get_if<action::StartLoad>(&a)) start->reserved = Bytes{1};
              }
            }),
            "I1");
}

TEST(Simulation, NoticesAnUnloadThatDoesNotWaitForItsGate) {
  EXPECT_EQ(tampered([](const Event&, std::vector<Action>& actions, const Engine&) {
              for (Action& a : actions) {
                const auto* close = std::get_if<action::CloseGate>(&a);
                if (close != nullptr) a = action::StartUnload{WorkId{900'000}, close->component};
              }
            }),
            "I2");
}

TEST(Simulation, NoticesARefusalInAHealedWorld) {
  const auto refuse = [](const Event& event, std::vector<Action>& actions, const Engine&) {
    if (event.at < Instant{} + 28min) return;
    for (Action& a : actions) {
      auto* reply = std::get_if<action::Reply>(&a);
      if (reply == nullptr || reply->components.empty() || !reply->is_granted) continue;
      *reply = action::Reply{
          .request = reply->request, .code = Errc::over_budget, .reason = Reason::memory};
    }
  };
  // A refusal of what was granted also leaves a lease that the model does not know: either may be
  // seen first.
  std::size_t seen = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) seen += tampered(refuse, seed) == "I5" ? 1 : 0;
  EXPECT_GE(seen, 1U);
}

TEST(Simulation, NoticesAnAnswerThatIsNotTheSameWhenReplayed) {
  // Each step says something that no replay repeats; some seed of a few has a restart to replay.
  std::uint64_t calls = 0;
  const auto tamper = [&calls](const Event&, std::vector<Action>& actions, const Engine&) {
    actions.push_back(action::Learn{CommandId{++calls}, {}});
  };
  std::size_t seen = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) seen += tampered(tamper, seed) == "I6" ? 1 : 0;
  EXPECT_GE(seen, 1U);
}

TEST(Simulation, AFailingRunPrintsTheCommandThatReplaysIt) {
  SimReport report;
  report.options = {.seed = 42, .virtual_time = 24h, .components = 64};
  report.violation = Violation{"I1", "too much", 17, Instant{}};
  std::ostringstream out;
  print_text(report, out);
  EXPECT_NE(out.str().find("hearth sim --seed 42 --virtual 24h --components 64"),
            std::string::npos);
}

TEST(Simulation, TheCommandsLastLineIsTheDigest) {
  std::ostringstream out;
  const std::vector<std::string> args{"--seed", "3", "--virtual=10m", "--components", "8"};
  EXPECT_EQ(sim_main(args, out), 0);
  const std::string text = out.str();
  const std::size_t line = text.rfind('\n', text.size() - 2) + 1;
  EXPECT_EQ(text.substr(line, 8), "digest: ");
  EXPECT_EQ(text.size() - line, 8U + 16U + 1U);
}

TEST(Simulation, TheCommandRefusesWhatItDoesNotKnow) {
  std::ostringstream out;
  EXPECT_EQ(sim_main(std::vector<std::string>{"--sed", "3"}, out), 2);
  EXPECT_EQ(sim_main(std::vector<std::string>{"--seed", "x"}, out), 2);
  EXPECT_EQ(sim_main(std::vector<std::string>{"--virtual", "24"}, out), 2);
  EXPECT_EQ(sim_main(std::vector<std::string>{"--components", "1"}, out), 2);
  EXPECT_EQ(sim_main(std::vector<std::string>{"--seed"}, out), 2);
}

}  // namespace
}  // namespace hearth::sim
