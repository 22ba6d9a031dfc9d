#include "runtime/memory_alarm.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace hearth {
namespace {

Error error_of(const std::string& file, int error) {
  const Errc code = error == ENOENT || error == EOPNOTSUPP ? Errc::not_found : Errc::unavailable;
  return {code, file + ": " + error_text(error)};
}

}  // namespace

Result<Descriptor> stall_alarm(const std::string& file) {
  int error = 0;
  // Stall and window, in microseconds. A group's file is written with its end.
  for (const std::string_view order : {"some 50000 500000", "some 200000 2000000"}) {
    Descriptor alarm{::open(file.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)};
    if (!alarm.is_open()) return std::unexpected{error_of(file, errno)};
    if (::write(alarm.get(), order.data(), order.size() + 1) >= 0) return alarm;
    error = errno;
  }
  return std::unexpected{error_of(file, error)};
}

Result<Descriptor> limit_alarm(const std::string& directory) {
  const std::string file = directory + "/memory.events.local";
  Descriptor alarm{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!alarm.is_open()) return std::unexpected{error_of(file, errno)};
  return alarm;
}

}  // namespace hearth
