// Small things with files and descriptors that the shell does everywhere.
//
// Contract   Descriptor owns a file descriptor and closes it. read_file() reads what is there,
//            files of /proc included. write_file() is atomic: the name holds the old text or the
//            new one; with name_too the new one outlives a loss of power once it has returned.
//            make_directories() makes all of them, private to the user.
// Errors     io, with the path and what the system said; not_found.
// Threads    Descriptor is thread-compatible; the functions are thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace hearth {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// "No such file or directory", without a lock or a static buffer.
[[nodiscard]] std::string error_text(int error);

[[nodiscard]] Result<std::string> read_file(const std::string& path);
[[nodiscard]] Result<std::vector<std::byte>> read_bytes(const std::string& path);
enum class Sync : unsigned char { content, name_too };
// Of a directory: the names in it.
[[nodiscard]] bool sync_directory(const std::string& path);
// Through a temporary file beside it, fdatasync and rename. Mode 0600.
[[nodiscard]] Result<> write_file(const std::string& path, std::span<const std::byte> bytes,
                                  Sync sync = Sync::content);
// At once into a file that is there, as those of /proc and of control groups want it.
[[nodiscard]] bool put_into(const std::string& path, std::string_view text);
[[nodiscard]] Result<> make_directories(const std::string& path);
[[nodiscard]] bool write_all(int fd, std::span<const std::byte> bytes);

// Held as long as it lives: one daemon a state directory. Refused with the pid of the holder.
class LockFile {
 public:
  [[nodiscard]] static Result<LockFile> take(const std::string& path);

 private:
  Descriptor file_;
};

}  // namespace hearth
