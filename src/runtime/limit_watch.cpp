#include "runtime/limit_watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "codec/config.h"
#include "runtime/lines.h"

namespace hearth {
namespace {

constexpr Duration step = 500ms;

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::uint64_t count_in(std::string_view text, std::string_view key) {
  return number_for(text, key).value_or(0);
}

// What version 1 tells of memory that ran out: a counter that becomes readable.
Descriptor old_news(const std::string& directory, Descriptor& control) {
  Descriptor news{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  control.reset(::open((directory + "/memory.oom_control").c_str(), O_RDONLY | O_CLOEXEC));
  const std::string order = std::to_string(news.get()) + " " + std::to_string(control.get());
  if (!news.is_open() || !control.is_open() ||
      !put_into(directory + "/cgroup.event_control", order)) {
    control.reset();
    news.reset();
  }
  return news;
}

}  // namespace

bool OverLimit::look(Instant now, const Reading& reading) {
  if (reading.high != high_) grew_ = now;
  const bool is_held_back = reading.high > 0 && now - grew_ <= silence_max;
  high_ = reading.high;
  if (!is_held_back || reading.kept <= reading.threshold) {
    since_ = Instant::never();
    return false;
  }
  since_ = std::min(since_, now);
  return now - since_ >= patience;
}

LimitWatch::LimitWatch(const ComponentGroup& group, Bytes limit)
    : directory_(group.memory_directory()), limit_(limit) {
  if (directory_.empty()) return;
  news_.reset(::open((directory_ + "/memory.events").c_str(), O_RDONLY | O_CLOEXEC));
  is_old_ = !news_.is_open();
  if (is_old_) {
    news_ = old_news(directory_, control_);
    return;
  }
  // What was read once tells of changes from then on.
  std::array<char, 512> text{};
  (void)::pread(news_.get(), text.data(), text.size(), 0);
}

short LimitWatch::events() const { return is_old_ ? POLLIN : POLLPRI; }

Instant LimitWatch::next_look() const {
  return over_.is_suspect() ? quiet_until_ : Instant::never();
}

std::string LimitWatch::text_of(std::string_view file) const {
  return read_file(directory_ + "/" + std::string{file}).value_or("");
}

LimitWatch::Verdict LimitWatch::look(Instant now) {
  quiet_until_ = now + step;
  if (is_old_) {
    std::uint64_t times = 0;
    (void)::read(news_.get(), &times, sizeof times);
    return killed_text().empty() ? Verdict::fine : Verdict::killed;
  }
  std::array<char, 512> text{};
  const ssize_t size = ::pread(news_.get(), text.data(), text.size(), 0);
  const std::string_view events{text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  if (count_in(events, "oom_kill") > 0) return Verdict::killed;
  if (limit_ == Bytes{}) return Verdict::fine;
  const std::string stat = text_of("memory.stat");
  const std::uint64_t taken_back = count_in(stat, "active_file") + count_in(stat, "inactive_file") +
                                   count_in(stat, "slab_reclaimable");
  const bool is_over =
      over_.look(now, {.high = count_in(events, "high"),
                       .kept = less(Bytes{number_of(text_of("memory.current"))}, Bytes{taken_back}),
                       .threshold = throttle_at(limit_)});
  return is_over ? Verdict::over : Verdict::fine;
}

std::string LimitWatch::killed_text() const {
  if (directory_.empty()) return {};
  const std::string events = text_of(is_old_ ? "memory.oom_control" : "memory.events");
  if (count_in(events, "oom_kill") == 0) return {};
  // `oom` counts in the group whose limit it was, `oom_kill` where somebody was ended.
  // Version 1 tells of the most that it had; `memory.failcnt` stays 0 in newer kernels.
  const auto was_full = [&](std::string_view file) {
    return Bytes{number_of(text_of(file))} + 1_MiB >= limit_;
  };
  const bool is_own =
      is_old_ ? was_full("memory.max_usage_in_bytes") || was_full("memory.memsw.max_usage_in_bytes")
              : count_in(events, "oom") > 0;
  if (limit_ > Bytes{} && is_own) {
    return "killed by the kernel: over its limit of " + format_bytes(limit_);
  }
  return "killed by the kernel: the machine, or a control group around it, was out of memory";
}

std::string LimitWatch::over_text() const {
  return "over its limit of " + format_bytes(limit_) + " for " +
         format_duration(OverLimit::patience) + ": ended by hearth, to start anew";
}

bool LimitWatch::is_counted() const {
  if (directory_.empty()) return false;
  return text_of(is_old_ ? "memory.oom_control" : "memory.events").find("oom_kill ") !=
         std::string::npos;
}

}  // namespace hearth
