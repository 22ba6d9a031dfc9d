#include "platform/device_memory.h"

#include <algorithm>
#include <map>
#include <set>

#include "platform/drm.h"
#include "platform/nvml.h"

namespace hearth {
namespace {

DeviceSource::State state_of(Errc code) {
  if (code == Errc::not_found) return DeviceSource::State::absent;
  return code == Errc::corrupt ? DeviceSource::State::torn : DeviceSource::State::refused;
}

std::string nvml_id(std::size_t index) { return "nvidia" + std::to_string(index); }

bool is_of_nvidia(std::string_view driver) { return driver == "nvidia" || driver == "nvidia-drm"; }

struct Sums {
  std::map<std::string, DeviceUse> uses;  // by device
  bool is_whole = true;

  DeviceUse& of(const std::string& device) {
    DeviceUse& use = uses[device];
    use.device = device;
    return use;
  }
};

}  // namespace

struct DeviceMeter::State {
  std::string root;
  std::optional<Nvml> nvml;
  DeviceSource nvml_source{.name = "NVML"};
  // What NVML tells of is left to it.
  [[nodiscard]] bool is_left_out(std::string_view driver) const {
    return is_of_nvidia(driver) && nvml.has_value();
  }

  // The value, with the source's state set by whether there is one.
  template <class Value>
  std::optional<Value> heard(Result<Value> answer) {
    nvml_source.state = answer ? DeviceSource::State::working : DeviceSource::State::failed;
    nvml_source.detail = answer ? "" : answer.error().detail;
    return answer ? std::optional<Value>{std::move(*answer)} : std::nullopt;
  }

  void add_nvml(const std::set<pid_t>& wanted, Sums& sums) {
    if (!nvml) return;
    const auto processes = heard(nvml->processes());
    sums.is_whole = sums.is_whole && processes && processes->is_whole;
    if (!processes) return;
    for (const NvmlProcess& process : processes->list) {
      if (!wanted.contains(process.process)) continue;
      DeviceUse& use = sums.of(nvml_id(process.device));
      use.memory += process.used.value_or(Bytes{});
      use.is_whole = use.is_whole && process.used.has_value();
    }
  }

  void add_drm(const std::set<pid_t>& wanted, Sums& sums) const {
    const std::vector<pid_t> processes{wanted.begin(), wanted.end()};
    const DrmClients clients = read_drm_clients(processes, root);
    // Whom one may not look at can hold nothing where there is nothing to hold.
    if (!clients.is_whole && !read_drm_devices(root).empty()) sums.is_whole = false;
    for (const DrmClient& client : clients.list) {
      if (is_left_out(client.driver)) continue;
      DeviceUse& use = sums.of(client.bus.empty() ? client.driver : client.bus);
      use.memory += client.device;
      use.unified += client.unified;
      use.is_whole = use.is_whole && client.id.has_value();
    }
  }
};

DeviceMeter::DeviceMeter(const DeviceMeterOptions& options) : state_{std::make_unique<State>()} {
  state_->root = options.root;
  auto nvml = Nvml::open(options.nvml);
  if (nvml) {
    state_->nvml.emplace(std::move(*nvml));
    state_->nvml_source.state = DeviceSource::State::working;
  } else {
    state_->nvml_source.state = state_of(nvml.error().code);
    state_->nvml_source.detail = nvml.error().detail;
  }
}

DeviceMeter::~DeviceMeter() = default;
DeviceMeter::DeviceMeter(DeviceMeter&& other) noexcept = default;
DeviceMeter& DeviceMeter::operator=(DeviceMeter&& other) noexcept = default;

std::vector<DeviceSource> DeviceMeter::sources() const {
  DeviceSource drm{.name = "DRM", .detail = "no graphics device in /sys/class/drm"};
  if (!read_drm_devices(state_->root).empty()) {
    drm.state = DeviceSource::State::working;
    drm.detail.clear();
  }
  return {state_->nvml_source, drm};
}

std::vector<Device> DeviceMeter::devices() {
  std::vector<Device> all;
  if (state_->nvml) {
    const auto found = state_->heard(state_->nvml->devices());
    for (std::size_t i = 0; found && i < found->size(); ++i) {
      const NvmlDevice& device = (*found)[i];
      all.push_back({.id = nvml_id(i),
                     .name = device.name.empty() ? "NVIDIA" : device.name,
                     .total = device.total,
                     .used = device.used,
                     .is_lost = device.is_lost});
    }
  }
  for (const DrmDevice& device : read_drm_devices(state_->root)) {
    if (state_->is_left_out(device.driver)) continue;
    all.push_back({.id = device.bus.empty() ? device.driver : device.bus,
                   .name = device.driver.empty() ? "unknown" : device.driver,
                   .total = device.total,
                   .used = device.used});
  }
  return all;
}

DeviceUses DeviceMeter::of(std::span<const pid_t> processes) {
  const std::set<pid_t> wanted{processes.begin(), processes.end()};
  Sums sums;
  state_->add_nvml(wanted, sums);
  state_->add_drm(wanted, sums);
  DeviceUses all{.is_whole = sums.is_whole};
  for (auto& [device, use] : sums.uses) {
    all.is_whole = all.is_whole && use.is_whole;
    all.list.push_back(std::move(use));
  }
  return all;
}

}  // namespace hearth
