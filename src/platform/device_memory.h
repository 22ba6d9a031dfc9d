// How much memory of accelerators there is, and how much of it some processes hold.
//
// Contract   Two sources: NVML for NVIDIA's devices (platform/nvml.h), the kernel's DRM for all
//            others (platform/drm.h). What both tell of counts by NVML alone. devices() is every
//            device of both. of() adds up what the processes of a list hold on each device; a
//            process twice in the list counts once. `unified` is memory of the machine taken
//            through a device: it is ram, and no part of the device's own. is_whole is false when
//            something is not known: of one device, a figure that its driver keeps back; of all,
//            that too, a device that did not answer, or a process that may not be looked at. The
//            figures are a lower bound then.
//            sources() says how each source is; one that fails goes on being asked, and tells a
//            device again when it is there again.
// Errors     none: a source that is not there is a state. Nothing here ends the process.
// Threads    thread-compatible.
// Cost       goes into drivers: milliseconds as a rule, seconds when a device is being lost. Never
//            on a thread that must not wait.
// Example    DeviceMeter meter{{}};
//            for (const DeviceUse& use : meter.of(processes).list) total += use.memory;
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/units.h"

namespace hearth {

struct DeviceSource {
  enum class State : unsigned char {
    absent,   // no such library; no device of DRM
    refused,  // the library is there, and no driver or no permission behind it
    torn,     // the library lacks a function
    failed,   // it answered before, and does no more
    working,
  };
  std::string name;  // "NVML", "DRM"
  State state = State::absent;
  std::string detail;  // why, when it does not work
};

struct Device {
  std::string id;    // "nvidia0" by NVML's index, else the bus: "0000:03:00.0"
  std::string name;  // "NVIDIA H200", or the kernel's driver
  std::optional<Bytes> total;
  std::optional<Bytes> used;
  bool is_lost = false;  // it was there, and does not answer
};

struct DeviceUse {
  std::string device;  // its id
  Bytes memory;        // of the device's own
  Bytes unified;       // of the machine's
  bool is_whole = true;
};

struct DeviceUses {
  std::vector<DeviceUse> list;  // of devices on which something is held, or might be
  bool is_whole = true;
};

struct DeviceMeterOptions {
  std::string root;                        // stands for "/" in tests
  std::string nvml = "libnvidia-ml.so.1";  // what the loader is asked for
};

class DeviceMeter {
 public:
  explicit DeviceMeter(const DeviceMeterOptions& options = {});
  ~DeviceMeter();
  DeviceMeter(DeviceMeter&& other) noexcept;
  DeviceMeter& operator=(DeviceMeter&& other) noexcept;

  [[nodiscard]] std::vector<DeviceSource> sources() const;
  [[nodiscard]] std::vector<Device> devices();
  [[nodiscard]] DeviceUses of(std::span<const pid_t> processes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hearth
