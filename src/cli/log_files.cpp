#include "cli/log_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <utility>

#include "cli/places.h"
#include "runtime/files.h"

namespace hearth {
namespace {

constexpr std::string_view suffix = ".log";

// The number of a rotated file, "ocr.log.2"; none for anything else.
int rotation_of(const std::string& file, const std::string& log) {
  if (!file.starts_with(log + ".")) return 0;
  int number = 0;
  const char* begin = file.data() + log.size() + 1;
  const char* end = file.data() + file.size();
  const auto [at, error] = std::from_chars(begin, end, number);
  return error == std::errc{} && at == end ? number : 0;
}

}  // namespace

std::vector<std::string> log_files(const std::string& folder, const std::string& name) {
  const std::string log = name + std::string{suffix};
  std::vector<std::pair<int, std::string>> rotated;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator{folder, code}) {
    const std::string file = entry.path().filename();
    if (const int number = rotation_of(file, log); number > 0) {
      rotated.emplace_back(number, entry.path());
    }
  }
  std::ranges::sort(rotated, std::greater{});
  std::vector<std::string> files;
  for (auto& [number, path] : rotated) files.push_back(std::move(path));
  if (is_file(folder + "/" + log)) files.push_back(folder + "/" + log);
  return files;
}

Result<std::string> read_log(const std::string& folder, const std::string& name,
                             std::size_t lines) {
  const auto files = log_files(folder, name);
  if (files.empty()) {
    return fail(Errc::not_found, name + ": has no log in " + folder + ": it was never started");
  }
  std::string text;
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    // A file may be rotated away between the listing and the reading: the rest is still true.
    const auto part = read_file(*file);
    if (part) text.insert(0, *part);
    if (lines > 0 && static_cast<std::size_t>(std::ranges::count(text, '\n')) > lines) break;
  }
  if (lines == 0) return text;
  std::size_t at = text.size();
  if (at > 0 && text[at - 1] == '\n') --at;
  for (std::size_t seen = 0; at > 0; --at) {
    if (text[at - 1] == '\n' && ++seen == lines) break;
  }
  return text.substr(at);
}

std::vector<std::string> logged_names(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator{folder, code}) {
    const std::string file = entry.path().filename();
    if (file.size() > suffix.size() && file.ends_with(suffix)) {
      names.push_back(file.substr(0, file.size() - suffix.size()));
    }
  }
  std::ranges::sort(names);
  return names;
}

LogFollower::LogFollower(std::string folder, const std::string& name)
    : path_{std::move(folder) + "/" + name + std::string{suffix}} {
  open(true);
}

LogFollower::~LogFollower() {
  if (fd_ >= 0) ::close(fd_);
}

void LogFollower::open(bool at_end) {
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ >= 0 && at_end) ::lseek(fd_, 0, SEEK_END);
}

std::string LogFollower::drain() {
  std::string text;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t got = ::read(fd_, buffer.data(), buffer.size());
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

std::string LogFollower::next() {
  if (fd_ < 0) {
    open(false);
    return fd_ < 0 ? std::string{} : drain();
  }
  struct stat ours{};
  struct stat theirs{};
  const bool is_replaced = ::stat(path_.c_str(), &theirs) == 0 && ::fstat(fd_, &ours) == 0 &&
                           (ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev);
  const bool is_truncated = !is_replaced && theirs.st_size < ::lseek(fd_, 0, SEEK_CUR);
  if (is_truncated) ::lseek(fd_, 0, SEEK_SET);
  std::string text = drain();
  if (is_replaced) {
    ::close(std::exchange(fd_, -1));
    open(false);
    if (fd_ >= 0) text += drain();
  }
  return text;
}

}  // namespace hearth
