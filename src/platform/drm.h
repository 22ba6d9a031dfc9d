// What the kernel's graphics drivers tell of memory (DRM), without a library.
//
// Contract   A client is one opening of a device; all descriptors that share it show the same
//            figures under one drm-client-id, and it counts once, in whichever processes they are.
//            `device` is what lies on the device itself (regions vram, local); `unified` is what
//            it takes of the machine's memory (regions system, gtt, cpu, memory), as all of an
//            integrated GPU's is: it counts as ram. What is resident counts, where the driver tells
//            it, else what it calls `memory`, else all that is allocated. Memory that two clients
//            share counts for both: an upper bound.
// Domain     the keys of the kernel's Documentation/gpu/drm-usage-stats.rst; units are none, KiB
//            or MiB. Regions of other names (on-chip ones) are passed over.
// Errors     parse_drm_client() is nullopt for what is no client's text. read_drm_clients() passes
//            over processes that end and those it may not look at, and says so by is_whole.
// Threads    parse is pure, the readers thread-safe.
// Cost       a readlink a descriptor of each process, and a read of those that are devices'.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"

namespace hearth {

struct DrmClient {
  std::string driver;               // "amdgpu"
  std::string bus;                  // drm-pdev: "0000:03:00.0"; empty: not on PCI
  std::optional<std::uint64_t> id;  // drm-client-id
  Bytes device;
  Bytes unified;
};
// The text of /proc/PID/fdinfo/N.
[[nodiscard]] std::optional<DrmClient> parse_drm_client(std::string_view text);

struct DrmClients {
  std::vector<DrmClient> list;  // each once
  bool is_whole = true;
};
// `root` stands for "/" in tests.
[[nodiscard]] DrmClients read_drm_clients(std::span<const pid_t> processes,
                                          const std::string& root = "");

struct DrmDevice {
  std::string bus;
  std::string driver;
  std::optional<Bytes> total;  // of its own memory; only some drivers tell it
  std::optional<Bytes> used;
};
// Of /sys/class/drm/cardN, by bus.
[[nodiscard]] std::vector<DrmDevice> read_drm_devices(const std::string& root = "");

}  // namespace hearth
