// How well the next level of pressure is foretold, on recorded ramps.
//
//     bench/step_forecast [FILE]          bench/data/ramps.txt, of bench/record_ramps.py
//
// Each ramp is shown to an engine as its own looks would find it: at the times that next_look()
// asks for, by the figure recorded last. Between the most and the least that was available there,
// four levels are put at random, forty times over, by a fixed seed. For each change of level that
// happens:
//
//   foretold   what was said ten seconds before it, or at half of the time since the last change
//              or the begin of the ramp if that is nearer, was within a quarter or 5 s of the
//              truth.
//
// There is an alarm while a level is said to begin within ten seconds; it is false where none began
// within fifteen. What was recorded hardly moving has its levels below all of it. Beside Hearth
// stands one who says "in five seconds" whatever he sees: where he is asked that is near, and what
// he is worth his alarms tell. Ramps of a few seconds leave nothing to see a trend by; they count
// as well.
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/prng.h"
#include "core/engine/engine.h"

namespace {

using namespace hearth;

struct Ramp {
  std::string name;
  std::vector<std::pair<Instant, Bytes>> looks;
};

struct Saying {
  Instant at;
  Pressure level = Pressure::low;  // as it was then
  std::optional<Duration> in;      // when the next one begins
};

struct Score {
  unsigned changes = 0;
  unsigned foretold = 0;
  double alarms = 0;  // seconds
  double false_alarms = 0;
  void add(const Score& other) {
    changes += other.changes;
    foretold += other.foretold;
    alarms += other.alarms;
    false_alarms += other.false_alarms;
  }
};

std::vector<Ramp> read_ramps(const std::string& path) {
  std::vector<Ramp> ramps;
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("ramp ")) {
      ramps.push_back({.name = line.substr(5), .looks = {}});
      continue;
    }
    std::istringstream words{line};
    std::int64_t ms = 0;
    std::uint64_t kib = 0;
    if (words >> ms >> kib && !ramps.empty()) {
      ramps.back().looks.emplace_back(Instant{} + Duration{ms * 1'000'000}, Bytes{kib * 1024});
    }
  }
  return ramps;
}

// The levels lie where the ramp goes through; the engine's clock begins an hour late.
std::vector<Saying> play(const Ramp& ramp, const PressureLimits& limits) {
  Engine engine;
  std::vector<Action> actions;
  Configuration configuration;
  configuration.settings.pressure = limits;
  configuration.components = {Spec{.name = "none"}};
  engine.step({Instant{} + 1h, event::Configured{configuration}}, actions);
  std::vector<Saying> said;
  std::size_t next = 0;
  for (Instant now; next < ramp.looks.size();) {
    while (next + 1 < ramp.looks.size() && ramp.looks[next + 1].first <= now) ++next;
    actions.clear();
    engine.step({now + 1h, event::MemorySampled{.available = ramp.looks[next].second}}, actions);
    const auto forecast = engine.forecast();
    said.push_back({.at = now,
                    .level = engine.pressure(),
                    .in = forecast ? std::optional{forecast->in} : std::nullopt});
    now = now + std::min<Duration>(1s, engine.next_look());
    if (now > ramp.looks.back().first) break;
  }
  return said;
}

bool is_right(const Saying& saying, Instant change) {
  if (!saying.in) return false;
  const double truth = seconds(change - saying.at);
  const double error = std::abs(seconds(*saying.in) - truth);
  return error <= std::max(0.25 * truth, 5.0);
}

Score judge(const std::vector<Saying>& said) {
  Score score;
  std::vector<Instant> changes;
  Instant since;  // the last change, or the begin
  for (std::size_t i = 1; i < said.size(); ++i) {
    if (said[i].level == said[i - 1].level) continue;
    const Instant change = said[i].at;
    if (said[i].level > said[i - 1].level) {
      changes.push_back(change);
      const Instant asked = std::max(change - 10s, since + (change - since) / 2);
      const Saying* then = nullptr;
      for (const Saying& one : said) {
        if (one.at <= asked) then = &one;
      }
      ++score.changes;
      if (then != nullptr && is_right(*then, change)) ++score.foretold;
    }
    since = change;
  }
  for (std::size_t i = 0; i + 1 < said.size(); ++i) {
    const Saying& one = said[i];
    // What the end of the recording hides is not judged.
    if (!one.in || *one.in > 10s || one.at + 15s > said.back().at) continue;
    const bool came = std::ranges::any_of(
        changes, [&](Instant change) { return change > one.at && change <= one.at + 15s; });
    const double lasts = seconds(said[i + 1].at - one.at);
    score.alarms += lasts;
    if (!came) score.false_alarms += lasts;
  }
  return score;
}

PressureLimits levels_for(const Ramp& ramp, Prng& prng) {
  Bytes most;
  Bytes least = Bytes::unlimited();
  for (const auto& [at, bytes] : ramp.looks) {
    most = std::max(most, bytes);
    least = std::min(least, bytes);
  }
  // What wavers by less goes nowhere.
  if (less(most, least) < 64_MiB) {
    least = less(least, 1_GiB);
    most = less(most, 512_MiB);
  }
  std::array<double, 4> shares{};
  for (double& share : shares) share = 0.1 + 0.8 * prng.unit();
  std::ranges::sort(shares, std::greater<>{});
  PressureLimits limits{.stall = 0, .swap = {}};
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const double bytes = static_cast<double>((most - least).count) * shares.at(i);
    limits.below.at(i) = least + Bytes{static_cast<std::uint64_t>(bytes)};
  }
  return limits;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : "bench/data/ramps.txt";
  const std::vector<Ramp> ramps = read_ramps(path);
  if (ramps.empty()) {
    std::fprintf(stderr, "step_forecast: no ramps in %s: bench/record_ramps.py makes them\n",
                 path.c_str());
    return 1;
  }
  constexpr int rounds = 40;
  Prng prng{7};
  std::printf("%-32s %8s %9s %14s %16s\n", "ramp", "changes", "foretold", "alarms, s",
              "of them false");
  const auto share = [](double part, double whole) {
    return whole > 0 ? 100.0 * part / whole : 0.0;
  };
  const auto show = [&](const std::string& name, const Score& score) {
    std::printf("%-32s %8u %8.0f%% %14.0f %15.0f%%\n", name.c_str(), score.changes,
                share(score.foretold, score.changes), score.alarms,
                share(score.false_alarms, score.alarms));
  };
  Score all;
  Score always;
  for (const Ramp& ramp : ramps) {
    Score sum;
    for (int round = 0; round < rounds; ++round) {
      std::vector<Saying> said = play(ramp, levels_for(ramp, prng));
      sum.add(judge(said));
      for (Saying& one : said) one.in = 5s;
      always.add(judge(said));
    }
    show(ramp.name, sum);
    all.add(sum);
  }
  show("all", all);
  show("always \"in five seconds\"", always);
  return 0;
}
