#include "platform/stall.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "runtime/files.h"
#include "runtime/lines.h"

namespace hearth {
namespace {

constexpr std::uint64_t ns_of_us = 1000;

// "12.34" of a hundred. The kernel writes two decimals.
std::optional<double> share_of(std::string_view text) {
  const auto whole = whole_number(text);
  const std::size_t point = text.find('.');
  if (!whole || *whole > 100 || point == text.npos) return std::nullopt;
  const std::string_view decimals = text.substr(point + 1);
  if (decimals.size() != 2) return std::nullopt;
  const auto part = whole_number(decimals);
  if (!part) return std::nullopt;
  return (static_cast<double>(*whole) + static_cast<double>(*part) / 100) / 100;
}

// "avg10=0.00 avg60=0.00 avg300=0.00 total=0", in any order.
std::optional<StallTime> parse_stall_time(std::string_view line) {
  std::optional<double> share;
  std::optional<std::uint64_t> total;
  for (std::string_view word = cut_word(line); !word.empty(); word = cut_word(line)) {
    const std::size_t equals = std::min(word.find('='), word.size() - 1);
    const std::string_view value = word.substr(equals + 1);
    if (word.starts_with("avg10=")) share = share_of(value);
    if (word.starts_with("total=")) total = whole_number(value);
  }
  const auto longest = static_cast<std::uint64_t>(Duration::max().count()) / ns_of_us;
  if (!share || !total || *total > longest) return std::nullopt;
  return StallTime{*share, Duration{static_cast<std::int64_t>(*total * ns_of_us)}};
}

// read_file() says in words what failed; here the number decides.
Result<std::string> read_text(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.is_open()) {
    const Errc code = errno == ENOENT ? Errc::not_found : Errc::io;
    return fail(code, path + ": " + error_text(errno));
  }
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got == 0) return text;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const Errc code = errno == EOPNOTSUPP ? Errc::unavailable : Errc::io;
      return fail(code, path + ": " + error_text(errno));
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

template <class Value>
Result<Value> parsed(const std::string& path, std::optional<Value> (*parse)(std::string_view)) {
  const std::string text = HEARTH_TRY(read_text(path));
  const std::optional<Value> value = parse(text);
  if (!value) return fail(Errc::corrupt, path + ": not in the form that Linux writes");
  return *value;
}

// The values of a file whose lines are a name, ":" or blanks, and a number.
struct NamedNumber {
  std::string_view name;
  std::optional<std::uint64_t>& value;
};
void take_number(std::string_view line, const NamedNumber& wanted) {
  std::string_view name = cut_word(line);
  if (name.ends_with(':')) name.remove_suffix(1);
  if (name == wanted.name) wanted.value = whole_number(line);
}

}  // namespace

std::optional<Stall> parse_stall(std::string_view text) {
  std::optional<StallTime> some;
  std::optional<StallTime> full;
  each_line(text, [&](std::string_view line) {
    const std::string_view kind = cut_word(line);
    if (kind == "some") some = parse_stall_time(line);
    if (kind == "full") full = parse_stall_time(line);
  });
  if (!some || !full) return std::nullopt;
  return Stall{*some, *full};
}

std::optional<SwapActivity> parse_swap_activity(std::string_view text) {
  std::optional<std::uint64_t> in;
  std::optional<std::uint64_t> out;
  each_line(text, [&](std::string_view line) {
    take_number(line, {"pswpin", in});
    take_number(line, {"pswpout", out});
  });
  if (!in || !out) return std::nullopt;
  return SwapActivity{*in, *out};
}

std::optional<SwapSpace> parse_swap_space(std::string_view text) {
  std::optional<std::uint64_t> total;
  std::optional<std::uint64_t> free;
  each_line(text, [&](std::string_view line) {
    take_number(line, {"SwapTotal", total});
    take_number(line, {"SwapFree", free});
  });
  const std::uint64_t most = Bytes::unlimited().count / 1024;
  if (!total || !free || *total > most || *free > *total) return std::nullopt;
  return SwapSpace{Bytes{*total * 1024}, Bytes{*free * 1024}};
}

std::optional<Zram> parse_zram(std::string_view text) {
  std::array<Bytes, 3> values{};
  for (Bytes& value : values) {
    const auto number = whole_number(cut_word(text));
    if (!number || *number > Bytes::unlimited().count) return std::nullopt;
    value = Bytes{*number};
  }
  return Zram{.devices = 1, .original = values[0], .compressed = values[1], .used = values[2]};
}

Result<Stall> read_stall(const std::string& root) {
  return parsed(root + "/proc/pressure/memory", parse_stall);
}

Result<Stall> read_group_stall(const std::string& directory) {
  return parsed(directory + "/memory.pressure", parse_stall);
}

Result<SwapActivity> read_swap_activity(const std::string& root) {
  return parsed(root + "/proc/vmstat", parse_swap_activity);
}

Result<SwapSpace> read_swap_space(const std::string& root) {
  return parsed(root + "/proc/meminfo", parse_swap_space);
}

Zram read_zram(const std::string& root) {
  Zram sum;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator{root + "/sys/block", code}) {
    if (!entry.path().filename().string().starts_with("zram")) continue;
    const auto size = read_text(entry.path() / "disksize");
    const auto disk = size ? whole_number(*size) : std::nullopt;
    if (!disk || *disk == 0 || *disk > Bytes::unlimited().count) continue;
    const auto text = read_text(entry.path() / "mm_stat");
    const auto one = text ? parse_zram(*text) : std::nullopt;
    if (!one) continue;
    ++sum.devices;
    sum.disk += Bytes{*disk};
    sum.original += one->original;
    sum.compressed += one->compressed;
    sum.used += one->used;
  }
  return sum;
}

}  // namespace hearth
