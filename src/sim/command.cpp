#include "sim/command.h"

#include <charconv>
#include <optional>
#include <ostream>
#include <string_view>

#include "sim/simulation.h"

namespace hearth::sim {
namespace {

struct Flags {
  std::uint64_t seed_first = 1;
  std::uint64_t seed_last = 1;
  bool has_range = false;
  std::optional<Duration> virtual_time;
  std::optional<unsigned> components;
  double minutes = 1;
  bool traces = false;
  bool is_swarm = false;
  bool stops_at_first = false;
  bool has_faults = true;
  bool is_json = false;
};

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Duration> duration(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  const auto value = number<std::int64_t>(text.substr(0, text.size() - 1));
  if (!value || *value < 1 || *value > 100'000) return std::nullopt;
  switch (text.back()) {
    case 's':
      return *value * 1s;
    case 'm':
      return *value * 60s;
    case 'h':
      return *value * 3600s;
    default:
      return std::nullopt;
  }
}

bool read_seeds(std::string_view text, Flags& flags) {
  const std::size_t dots = text.find("..");
  const auto first = number<std::uint64_t>(text.substr(0, dots));
  if (!first) return false;
  flags.seed_first = flags.seed_last = *first;
  if (dots == std::string_view::npos) return true;
  const auto last = number<std::uint64_t>(text.substr(dots + 2));
  if (!last || *last < *first) return false;
  flags.seed_last = *last;
  flags.has_range = true;
  return true;
}

// Empty when all is well, otherwise what is wrong.
std::string read_value(std::string_view flag, std::string_view value, Flags& flags) {
  if (flag == "--seed") return read_seeds(value, flags) ? "" : "--seed takes N or A..B";
  if (flag == "--virtual") {
    flags.virtual_time = duration(value);
    return flags.virtual_time ? "" : "--virtual takes a number and s, m or h, such as 24h";
  }
  if (flag == "--components") {
    flags.components = number<unsigned>(value);
    const bool is_good = flags.components && *flags.components >= 2 && *flags.components <= 10'000;
    return is_good ? "" : "--components takes a number from 2 to 10000";
  }
  if (flag == "--minutes") {
    const auto minutes = number<double>(value);
    flags.minutes = minutes.value_or(0);
    return minutes && *minutes > 0 ? "" : "--minutes takes a number above 0";
  }
  return "there is no flag " + std::string{flag};
}

std::string read_flags(std::span<const std::string> args, Flags& flags) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    std::string flag = args[i];
    if (flag == "--trace") {
      flags.traces = true;
    } else if (flag == "--swarm") {
      flags.is_swarm = true;
    } else if (flag == "--first") {
      flags.stops_at_first = true;
    } else if (flag == "--json") {
      flags.is_json = true;
    } else if (flag == "--no-faults") {
      flags.has_faults = false;
    } else {
      std::string value;
      if (const std::size_t equals = flag.find('='); equals != std::string::npos) {
        value = flag.substr(equals + 1);
        flag.resize(equals);
      } else if (i + 1 < args.size()) {
        value = args[++i];
      }
      std::string wrong = read_value(flag, value, flags);
      if (!wrong.empty()) return wrong;
    }
  }
  return "";
}

int run_many(const Flags& flags, std::ostream& out) {
  SwarmOptions options{.seed_first = flags.seed_first, .minutes = flags.minutes};
  if (flags.has_range) options.seed_count = flags.seed_last - flags.seed_first + 1;
  if (flags.virtual_time) options.virtual_time = *flags.virtual_time;
  options.components = flags.components.value_or(0);
  options.stops_at_first = flags.stops_at_first;
  return run_swarm(options, out).failures.empty() ? 0 : 1;
}

}  // namespace

int sim_main(std::span<const std::string> args, std::ostream& out) {
  Flags flags;
  if (const std::string wrong = read_flags(args, flags); !wrong.empty()) {
    out << "sim: " << wrong << '\n';
    return 2;
  }
  if (flags.is_swarm) return run_many(flags, out);
  bool is_ok = true;
  for (std::uint64_t seed = flags.seed_first; seed <= flags.seed_last; ++seed) {
    SimOptions options{.seed = seed, .has_faults = flags.has_faults};
    if (flags.virtual_time) options.virtual_time = *flags.virtual_time;
    if (flags.components) options.components = *flags.components;
    if (flags.traces) options.trace = &out;
    const SimReport report = run(options);
    if (flags.is_json) {
      print_json(report, out);
    } else {
      print_text(report, out);
    }
    is_ok = is_ok && report.is_ok();
  }
  return is_ok ? 0 : 1;
}

}  // namespace hearth::sim
