// The machine's accelerators, by NVML and DRM (device_memory.h).
//
// Contract   as ports/devices.h.
#pragma once

#include <memory>

#include "platform/device_memory.h"
#include "ports/devices.h"

namespace hearth {

[[nodiscard]] std::unique_ptr<Devices> make_devices(const DeviceMeterOptions& options = {});

}  // namespace hearth
