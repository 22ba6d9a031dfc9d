#include "sim/simulation.h"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ostream>
#include <span>

#include "sim/trace.h"
#include "sim/world.h"

namespace hearth::sim {
namespace {

// What an assertion of the engine leaves on standard error: the command that replays the run.
char replay_line[256];

extern "C" void tell_replay(int /*signal*/) {
  const auto written = ::write(STDERR_FILENO, replay_line, std::strlen(replay_line));
  (void)written;
}

void remember(const SimOptions& options) {
  const std::string line = "the assertion failed in: " + replay_command(options) + "\n";
  std::strncpy(replay_line, line.c_str(), sizeof replay_line - 1);
  (void)std::signal(SIGABRT, tell_replay);
}

std::string hex(std::uint64_t value) {
  std::string text(16, '0');
  for (std::size_t i = 16; i-- > 0; value >>= 4) text[i] = "0123456789abcdef"[value & 15];
  return text;
}

std::string duration_text(Duration span) {
  const std::int64_t s = span.count() / 1'000'000'000;
  if (s % 3600 == 0) return std::to_string(s / 3600) + "h";
  if (s % 60 == 0) return std::to_string(s / 60) + "m";
  return std::to_string(s) + "s";
}

void print_row(std::ostream& out, std::string_view name, std::uint64_t value) {
  const std::string digits = std::to_string(value);
  out << "  " << name;
  const std::size_t used = name.size() + digits.size();
  out << std::string(used < 40 ? 40 - used : 1, ' ') << digits << '\n';
}

}  // namespace

SimReport run(const SimOptions& options) {
  remember(options);
  World world{options};
  return world.run();
}

std::string replay_command(const SimOptions& options) {
  return "hearth sim --seed " + std::to_string(options.seed) + " --virtual " +
         duration_text(options.virtual_time) + " --components " +
         std::to_string(options.components);
}

void print_text(const SimReport& report, std::ostream& out) {
  out << "seed " << report.options.seed << ", " << duration_text(report.options.virtual_time)
      << " virtual, " << report.options.components << " components, policy " << report.policy
      << "\n";
  out << "what happened\n";
  print_row(out, "steps", report.steps);
  print_row(out, "steps replayed after restarts", report.replayed);
  print_row(out, "commands", report.commands);
  print_row(out, "requests granted", report.granted);
  print_row(out, "requests accepted", report.accepted);
  print_row(out, "requests refused", report.refused);
  print_row(out, "fast leases", report.fast_leases);
  print_row(out, "loads", report.loads);
  print_row(out, "unloads", report.unloads);
  print_row(out, "evictions", report.evictions);
  print_row(out, "restarts of the daemon", report.restarts);
  print_row(out, "snapshots", report.snapshots);
  print_row(out, "probes granted in a healed world", report.probes);
  out << "events\n";
  for (const auto& [name, count] : report.events) print_row(out, name, count);
  out << "faults\n";
  for (const FaultKind& kind : fault_kinds()) {
    print_row(out, kind.name, report.faults[static_cast<std::size_t>(kind.fault)]);
  }
  for (const std::string& what : report.shortfalls) {
    out << "TOO FEW for a whole day: " << what << '\n';
  }
  if (report.violation) {
    const Violation& violation = *report.violation;
    out << "VIOLATION of " << violation.invariant << " at step " << violation.step << ", "
        << to_text(violation.at) << ": " << violation.text << '\n';
  }
  if (!report.is_ok()) out << "replay: " << replay_command(report.options) << '\n';
  out << "digest: " << hex(report.digest) << '\n';
}

void print_json(const SimReport& report, std::ostream& out) {
  const auto quoted = [](std::string_view text) {
    std::string escaped = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') escaped += '\\';
      escaped += c;
    }
    return escaped + "\"";
  };
  out << "{\"seed\":" << report.options.seed
      << ",\"virtual_ms\":" << report.options.virtual_time.count() / 1'000'000
      << ",\"components\":" << report.options.components << ",\"policy\":" << quoted(report.policy)
      << ",\"steps\":" << report.steps << ",\"commands\":" << report.commands
      << ",\"granted\":" << report.granted << ",\"accepted\":" << report.accepted
      << ",\"refused\":" << report.refused << ",\"loads\":" << report.loads
      << ",\"unloads\":" << report.unloads << ",\"evictions\":" << report.evictions
      << ",\"restarts\":" << report.restarts << ",\"probes\":" << report.probes << ",\"faults\":{";
  bool is_first = true;
  for (const FaultKind& kind : fault_kinds()) {
    out << (is_first ? "" : ",") << quoted(kind.name) << ':'
        << report.faults[static_cast<std::size_t>(kind.fault)];
    is_first = false;
  }
  out << "},\"ok\":" << (report.is_ok() ? "true" : "false");
  if (report.violation) {
    out << ",\"violation\":{\"invariant\":" << quoted(report.violation->invariant)
        << ",\"step\":" << report.violation->step << ",\"text\":" << quoted(report.violation->text)
        << '}';
  }
  if (!report.shortfalls.empty()) {
    out << ",\"shortfalls\":[";
    for (std::size_t i = 0; i < report.shortfalls.size(); ++i) {
      out << (i == 0 ? "" : ",") << quoted(report.shortfalls[i]);
    }
    out << ']';
  }
  if (!report.is_ok()) out << ",\"replay\":" << quoted(replay_command(report.options));
  out << ",\"digest\":" << quoted(hex(report.digest)) << "}\n";
}

SimOptions swarm_options(std::uint64_t seed, const SwarmOptions& options) {
  Prng prng{seed ^ 0x5a4aU};
  static constexpr std::array<unsigned, 6> sizes{4, 8, 16, 32, 64, 96};
  SimOptions made{.seed = seed, .virtual_time = options.virtual_time};
  const unsigned drawn = sizes[prng.below(sizes.size())];
  made.components = options.components != 0 ? options.components : drawn;
  return made;
}

SwarmReport run_swarm(const SwarmOptions& options, std::ostream& out) {
  const auto begun = std::chrono::steady_clock::now();
  const std::chrono::duration<double> limit{options.minutes * 60};
  SwarmReport report;
  for (std::uint64_t seed = options.seed_first;; ++seed) {
    const bool is_enough = options.seed_count != 0
                               ? seed - options.seed_first >= options.seed_count
                               : std::chrono::steady_clock::now() - begun >= limit;
    if (is_enough) break;
    const SimOptions one = swarm_options(seed, options);
    SimReport result = run(one);
    ++report.runs;
    report.steps += result.steps;
    if (result.is_ok()) continue;
    out << "seed " << seed << ": ";
    if (result.violation) {
      out << result.violation->invariant << ": " << result.violation->text;
    } else {
      out << "too little happened: " << result.shortfalls.front();
    }
    out << "\n  replay: " << replay_command(one) << std::endl;
    report.failures.push_back(std::move(result));
    if (options.stops_at_first || report.failures.size() >= 20) break;
  }
  out << report.runs << " runs of " << duration_text(options.virtual_time) << " from seed "
      << options.seed_first << ", " << report.steps << " steps, " << report.failures.size()
      << " failed\n";
  return report;
}

}  // namespace hearth::sim
