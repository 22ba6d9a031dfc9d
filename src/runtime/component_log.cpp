#include "runtime/component_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <span>

namespace hearth {
namespace {

constexpr std::size_t line_kept_max = 4096;
constexpr std::size_t line_shown_max = 300;

std::string shown(std::string_view line) {
  std::string text;
  for (const char c : line.substr(0, line_shown_max)) {
    if (static_cast<unsigned char>(c) >= 0x20 || c == '\t') text += c;
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.pop_back();
  return text;
}

}  // namespace

ComponentLog::ComponentLog(std::string path) : path_(std::move(path)) { open(); }

void ComponentLog::open() {
  file_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  struct stat found{};
  size_ = file_.is_open() && ::fstat(file_.get(), &found) == 0
              ? static_cast<std::size_t>(found.st_size)
              : 0;
}

void ComponentLog::rotate() {
  for (int i = kept; i > 1; --i) {
    const std::string from = path_ + "." + std::to_string(i - 1);
    const std::string to = path_ + "." + std::to_string(i);
    (void)std::rename(from.c_str(), to.c_str());
  }
  (void)std::rename(path_.c_str(), (path_ + ".1").c_str());
  open();
}

bool ComponentLog::take(std::string_view bytes, std::string_view wanted) {
  if (size_ + bytes.size() > size_max && size_ > 0) rotate();
  if (file_.is_open() && write_all(file_.get(), std::as_bytes(std::span{bytes}))) {
    size_ += bytes.size();
  }
  bool is_seen = false;
  const auto look = [&] {
    if (!wanted.empty() && line_.find(wanted) != std::string::npos) is_seen = true;
  };
  for (const char c : bytes) {
    if (c != '\n') {
      if (line_.size() < line_kept_max) line_ += c;
      continue;
    }
    look();
    std::string text = shown(line_);
    if (!text.empty()) last_ = std::move(text);
    line_.clear();
  }
  look();
  return is_seen;
}

std::string ComponentLog::last_line() const {
  std::string text = shown(line_);
  return text.empty() ? last_ : text;
}

}  // namespace hearth
