// NVIDIA's management library, taken from the machine it runs on.
//
// Contract   open() loads `library` (a name that the loader looks for, or a path) and starts it:
//            nothing of NVIDIA is needed to build Hearth, and a machine without it is a state, no
//            fault. One entry a device, in the library's own order. A device that is lost keeps
//            its entry, with is_lost set and nothing else told. A process that computes and draws
//            counts once on a device, with the larger of the two figures; a figure that the
//            library keeps back is not a number and is told as unknown.
// Domain     the ABI of NVML 11 and later (drivers 450 and up): structures are declared in
//            nvml.cpp, as nvml.h of the CUDA toolkit has them, and what may be longer in one
//            driver is given room.
// Errors     open(): not_found, no such library; unavailable, the library is there and there is
//            nothing behind it (no driver, no permission); corrupt, it lacks a function. devices()
//            and processes(): failed, the library answers no more.
// Threads    thread-compatible.
// Cost       every call goes into the driver, which can take milliseconds and, with a device that
//            is being lost, seconds: never on a thread that must not wait.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace hearth {

struct NvmlDevice {
  std::string name;
  std::optional<Bytes> total;
  std::optional<Bytes> used;
  bool is_lost = false;
};

struct NvmlProcess {
  std::size_t device = 0;  // index of devices()
  pid_t process = 0;       // as the kernel's first namespace counts
  std::optional<Bytes> used;
};

class Nvml {
 public:
  [[nodiscard]] static Result<Nvml> open(const std::string& library);
  ~Nvml();
  Nvml(Nvml&& other) noexcept;
  Nvml& operator=(Nvml&& other) noexcept;

  [[nodiscard]] Result<std::vector<NvmlDevice>> devices() const;
  // Of the devices that answer; those that do not know processes have none. `is_whole` is false
  // when a device did not answer.
  struct Processes {
    std::vector<NvmlProcess> list;
    bool is_whole = true;
  };
  [[nodiscard]] Result<Processes> processes() const;

 private:
  struct Library;
  explicit Nvml(std::unique_ptr<Library> library);
  std::unique_ptr<Library> library_;
};

}  // namespace hearth
