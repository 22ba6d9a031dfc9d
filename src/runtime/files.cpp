#include "runtime/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "runtime/clock.h"

namespace hearth {

void Descriptor::reset(int fd) {
  if (fd_ >= 0) (void)::close(fd_);
  fd_ = fd;
}

std::string error_text(int error) {
  const char* description = strerrordesc_np(error);
  return description != nullptr ? description : "error " + std::to_string(error);
}

namespace {

template <class Container>
Result<Container> read_whole(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.is_open()) {
    return fail(errno == ENOENT ? Errc::not_found : Errc::io, path + ": " + error_text(errno));
  }
  Container content;
  std::array<char, 16384> chunk;
  while (true) {
    const ssize_t got = ::read(file.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Errc::io, path + ": " + error_text(errno));
    if (got == 0) return content;
    const auto* begin = reinterpret_cast<const typename Container::value_type*>(chunk.data());
    content.insert(content.end(), begin, begin + got);
  }
}

}  // namespace

Result<std::string> read_file(const std::string& path) { return read_whole<std::string>(path); }

Result<std::vector<std::byte>> read_bytes(const std::string& path) {
  return read_whole<std::vector<std::byte>>(path);
}

bool write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return true;
}

bool sync_directory(const std::string& path) {
  const Descriptor directory{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  return directory.is_open() && ::fsync(directory.get()) == 0;
}

Result<> write_file(const std::string& path, std::span<const std::byte> bytes, Sync sync) {
  const std::string temporary = path + ".tmp";
  Descriptor file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  const bool is_written =
      file.is_open() && write_all(file.get(), bytes) && ::fdatasync(file.get()) == 0;
  const int error = errno;
  file.reset();
  if (!is_written || ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int cause = is_written ? errno : error;
    (void)::unlink(temporary.c_str());
    return fail(Errc::io, path + ": " + error_text(cause));
  }
  if (sync == Sync::content) return {};
  const std::filesystem::path parent = std::filesystem::path{path}.parent_path();
  if (sync_directory(parent.empty() ? "." : parent.string())) return {};
  return fail(Errc::io, path + ": its name is not on disk: " + error_text(errno));
}

bool put_into(const std::string& path, std::string_view text) {
  const Descriptor file{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
  return file.is_open() &&
         ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

Result<> make_directories(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return {};
  const auto parent = std::filesystem::path{path}.parent_path();
  if (!parent.empty() && parent != path) HEARTH_TRY(make_directories(parent.string()));
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(Errc::io, path + ": cannot make this directory: " + error_text(errno));
  }
  return {};
}

Result<LockFile> LockFile::take(const std::string& path) {
  LockFile lock;
  lock.file_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock.file_.is_open()) return fail(Errc::io, path + ": " + error_text(errno));
  if (::flock(lock.file_.get(), LOCK_EX | LOCK_NB) != 0) {
    const auto holder = read_file(path);
    std::string pid = holder ? *holder : "";
    while (!pid.empty() && pid.back() == '\n') pid.pop_back();
    return fail(Errc::conflict, path + ": another daemon (pid " + (pid.empty() ? "unknown" : pid) +
                                    ") uses this state directory; stop it, or use another one");
  }
  const std::string text = std::to_string(::getpid()) + "\n";
  (void)::ftruncate(lock.file_.get(), 0);
  (void)::pwrite(lock.file_.get(), text.data(), text.size(), 0);
  return lock;
}

std::string boot_id() {
  auto text = read_file("/proc/sys/kernel/random/boot_id");
  if (!text) return "";
  while (!text->empty() && text->back() == '\n') text->pop_back();
  return *text;
}

}  // namespace hearth
