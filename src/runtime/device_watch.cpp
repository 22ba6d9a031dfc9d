#include "runtime/device_watch.h"

#include <algorithm>

#include "codec/config.h"

namespace hearth {

void DeviceWatch::configure(const std::vector<NamedBytes>& resources) {
  const MutexLock lock{mutex_};
  device_of_.clear();
  known_ = devices_ ? devices_->list() : std::vector<DeviceFigures>{};
  std::vector<std::string> sized;
  for (const NamedBytes& resource : resources) {
    if (resource.name == "page_cache" || resource.bytes == exclusive_device) continue;
    sized.push_back(resource.name);
    const auto found = std::ranges::find(known_, resource.name, &DeviceFigures::id);
    if (found != known_.end()) device_of_.emplace(resource.name, found->id);
  }
  const bool is_plain = known_.size() == 1 && sized.size() == 1;
  if (is_plain) device_of_.emplace(sized.front(), known_.front().id);
}

std::optional<Bytes> DeviceWatch::size_of(const std::string& resource) const {
  const MutexLock lock{mutex_};
  const auto id = device_of_.find(resource);
  if (id == device_of_.end()) return std::nullopt;
  const auto device = std::ranges::find(known_, id->second, &DeviceFigures::id);
  return device == known_.end() ? std::nullopt : device->total;
}

bool DeviceWatch::is_any() const {
  const MutexLock lock{mutex_};
  return !known_.empty();
}

DeviceWatch::Look DeviceWatch::look(const std::vector<Tree>& trees) {
  Look look;
  look.sums.resize(trees.size());
  const MutexLock lock{mutex_};
  if (known_.empty() || trees.empty()) return look;
  known_ = devices_->list();
  for (const auto& [resource, id] : device_of_) {
    const auto device = std::ranges::find(known_, id, &DeviceFigures::id);
    look.lost[id] = device == known_.end() || device->is_lost;
  }
  std::vector<std::vector<pid_t>> processes;
  for (const Tree& tree : trees) processes.push_back(tree.processes);
  const auto held = devices_->held(processes);
  for (std::size_t i = 0; i < trees.size() && i < held.size(); ++i) {
    for (const HeldOnDevice& one : held[i]) {
      look.sums[i].memory += one.memory;
      look.sums[i].unified += one.unified;
    }
    // Of what has no process of ours nothing is known, which is not the same as nothing.
    if (trees[i].processes.empty()) continue;
    for (const auto& [resource, id] : device_of_) {
      if (look.lost.at(id)) continue;
      const auto one = std::ranges::find(held[i], id, &HeldOnDevice::device);
      look.held.push_back({.component = trees[i].component,
                           .resource = resource,
                           .bytes = one == held[i].end() ? Bytes{} : one->memory});
    }
  }
  return look;
}

}  // namespace hearth
