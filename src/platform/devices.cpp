#include "platform/devices.h"

#include <algorithm>

namespace hearth {
namespace {

class MeteredDevices : public Devices {
 public:
  explicit MeteredDevices(const DeviceMeterOptions& options) : meter_(options) {}

  [[nodiscard]] std::vector<DeviceFigures> list() override {
    std::vector<DeviceFigures> found;
    for (const Device& device : meter_.devices()) {
      found.push_back({device.id, device.name, device.total, device.is_lost});
    }
    for (DeviceFigures before : known_) {
      const bool is_there = std::ranges::any_of(
          found, [&](const DeviceFigures& device) { return device.id == before.id; });
      if (is_there) continue;
      before.is_lost = true;
      found.push_back(std::move(before));
    }
    known_ = found;
    return found;
  }

  [[nodiscard]] std::vector<std::vector<HeldOnDevice>> held(
      const std::vector<std::vector<pid_t>>& trees) override {
    std::vector<std::vector<HeldOnDevice>> all;
    for (const std::vector<pid_t>& tree : trees) {
      std::vector<HeldOnDevice> held;
      for (const DeviceUse& use : meter_.of(tree).list) {
        held.push_back({use.device, use.memory, use.unified});
      }
      all.push_back(std::move(held));
    }
    return all;
  }

 private:
  DeviceMeter meter_;
  std::vector<DeviceFigures> known_;
};

}  // namespace

std::unique_ptr<Devices> make_devices(const DeviceMeterOptions& options) {
  return std::make_unique<MeteredDevices>(options);
}

}  // namespace hearth
