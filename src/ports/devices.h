// What accelerators there are, and what processes hold on them.
//
// Contract   list() is every device that there is, and every one that was there and does not answer
//            any more (is_lost). held() answers for each list of processes what they hold on each
//            device that answers. `unified` is memory of the machine, taken through a device: it is
//            ram, and no part of the device's own.
// Units      bytes. Errors  none: what is not known is not there.
// Threads    thread-compatible.
// Cost       goes into drivers: milliseconds as a rule, seconds when a device is being lost.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/units.h"

namespace hearth {

struct DeviceFigures {
  std::string id;    // "nvidia0", or the bus: "0000:03:00.0"
  std::string name;  // for a person
  std::optional<Bytes> total;
  bool is_lost = false;
};

struct HeldOnDevice {
  std::string device;  // its id
  Bytes memory;        // of the device's own
  Bytes unified;       // of the machine's
};

class Devices {
 public:
  virtual ~Devices() = default;
  [[nodiscard]] virtual std::vector<DeviceFigures> list() = 0;
  [[nodiscard]] virtual std::vector<std::vector<HeldOnDevice>> held(
      const std::vector<std::vector<pid_t>>& trees) = 0;
};

}  // namespace hearth
