// Which configured device is which of the machine's, and what components hold on them.
//
// Contract   A resource of the configuration with a size (not `exclusive`, not page_cache) is the
//            device whose id is its name ("nvidia0"); and where the machine has one device and the
//            configuration one such resource, they are the same, whatever it is called. Others are
//            budgets by declaration alone. size_of() is what the machine tells of the device's
//            size. look() tells of every tree that has a process what it holds on each resource
//            that is a device of the machine, 0 included, and on all devices together; of a device
//            that does not answer it tells nothing but that it is lost. Without a device, look()
//            costs nothing.
// Threads    thread-safe.  Cost  that of ports/devices.h, under a lock.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/event.h"
#include "core/model/spec.h"
#include "ports/devices.h"
#include "runtime/mutex.h"

namespace hearth {

class DeviceWatch {
 public:
  explicit DeviceWatch(std::unique_ptr<Devices> devices) : devices_(std::move(devices)) {}

  // Looks which devices there are.
  void configure(const std::vector<NamedBytes>& resources);
  [[nodiscard]] std::optional<Bytes> size_of(const std::string& resource) const;
  [[nodiscard]] bool is_any() const;

  struct Tree {
    ComponentId component;
    std::vector<pid_t> processes;
  };
  struct Sums {
    Bytes memory;   // of devices' own
    Bytes unified;  // of the machine's
  };
  struct Look {
    std::vector<event::DeviceHeld> held;
    std::vector<Sums> sums;            // of each tree
    std::map<std::string, bool> lost;  // by device id: every one that a resource is
  };
  [[nodiscard]] Look look(const std::vector<Tree>& trees);

 private:
  std::unique_ptr<Devices> devices_;  // may be null
  mutable Mutex mutex_;
  std::vector<DeviceFigures> known_ HEARTH_GUARDED_BY(mutex_);
  std::map<std::string, std::string> device_of_ HEARTH_GUARDED_BY(mutex_);  // by resource
};

}  // namespace hearth
