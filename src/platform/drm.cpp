#include "platform/drm.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>
#include <tuple>

#include "runtime/files.h"
#include "runtime/lines.h"

namespace hearth {
namespace {

enum class Region : unsigned char { device, unified, other };

Region region_of(std::string_view name) {
  const auto begins = [&](std::string_view start) { return name.starts_with(start); };
  if (begins("vram") || begins("local") || begins("stolen-local")) return Region::device;
  if (begins("system") || begins("gtt") || begins("stolen-system") || name == "cpu" ||
      name == "memory") {
    return Region::unified;
  }
  return Region::other;
}

// "1024 KiB". Bytes without a unit.
std::optional<Bytes> size_of(std::string_view text) {
  const auto number = whole_number(cut_word(text));
  const std::string_view unit = cut_word(text);
  const unsigned shift = unit == "KiB" ? 10U : unit == "MiB" ? 20U : unit == "GiB" ? 30U : 0U;
  if (!number || (shift == 0 && !unit.empty())) return std::nullopt;
  if (*number > (Bytes::unlimited().count >> shift)) return std::nullopt;
  return Bytes{*number << shift};
}

// The keys of one region in the order in which they are believed.
constexpr std::array<std::string_view, 3> size_keys{"drm-resident-", "drm-memory-", "drm-total-"};
using RegionSizes = std::array<std::optional<Bytes>, size_keys.size()>;

Bytes believed(const RegionSizes& sizes) {
  for (const auto& size : sizes) {
    if (size) return *size;
  }
  return {};
}

Bytes added(Bytes sum, Bytes more) { return std::min(sum + more, Bytes::unlimited()); }

bool is_device_path(const std::string& target) {
  return target.starts_with("/dev/dri/") || target.starts_with("/dev/accel/");
}

std::string text_in(const std::filesystem::path& path) {
  const auto text = read_file(path.string());
  return text ? std::string{trimmed(*text)} : std::string{};
}

std::optional<Bytes> bytes_in(const std::filesystem::path& path) {
  const auto number = whole_number(text_in(path));
  if (!number || *number > Bytes::unlimited().count) return std::nullopt;
  return Bytes{*number};
}

// "card0", and not "card0-HDMI-A-1" or "renderD128".
bool is_card(std::string_view name) {
  constexpr std::string_view start = "card";
  if (!name.starts_with(start) || name.size() == start.size()) return false;
  return name.find_first_not_of("0123456789", start.size()) == name.npos;
}

using Key = std::tuple<std::string, std::string, std::uint64_t, pid_t>;

class Clients {
 public:
  void add(DrmClient client, pid_t process) {
    // Without an id, two descriptors of one process may be one client: the larger counts.
    const Key key{client.driver, client.bus, client.id.value_or(0), client.id ? 0 : process};
    const auto [place, is_new] = clients_.try_emplace(key, client);
    if (is_new) return;
    place->second.device = std::max(place->second.device, client.device);
    place->second.unified = std::max(place->second.unified, client.unified);
  }
  [[nodiscard]] std::vector<DrmClient> list() const {
    std::vector<DrmClient> all;
    for (const auto& [key, client] : clients_) all.push_back(client);
    return all;
  }

 private:
  std::map<Key, DrmClient> clients_;
};

}  // namespace

std::optional<DrmClient> parse_drm_client(std::string_view text) {
  DrmClient client;
  std::map<std::string_view, RegionSizes> regions;
  each_line(text, [&](std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == line.npos) return;
    const std::string_view key = line.substr(0, colon);
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (key == "drm-driver") client.driver = value;
    if (key == "drm-pdev") client.bus = value;
    if (key == "drm-client-id") client.id = whole_number(value);
    for (std::size_t i = 0; i < size_keys.size(); ++i) {
      if (!key.starts_with(size_keys.at(i))) continue;
      regions[key.substr(size_keys.at(i).size())].at(i) = size_of(value);
    }
  });
  if (client.driver.empty()) return std::nullopt;
  for (const auto& [name, sizes] : regions) {
    const Bytes size = believed(sizes);
    switch (region_of(name)) {
      case Region::device:
        client.device = added(client.device, size);
        break;
      case Region::unified:
        client.unified = added(client.unified, size);
        break;
      case Region::other:
        break;
    }
  }
  return client;
}

DrmClients read_drm_clients(std::span<const pid_t> processes, const std::string& root) {
  Clients clients;
  bool is_whole = true;
  for (const pid_t process : processes) {
    const std::filesystem::path folder = root + "/proc/" + std::to_string(process);
    std::error_code code;
    std::filesystem::directory_iterator entries{folder / "fdinfo", code};
    // A process that has ended has nothing; one that may not be looked at might.
    if (code && std::filesystem::exists(folder)) is_whole = false;
    while (!code && entries != std::filesystem::directory_iterator{}) {
      const std::filesystem::path name = entries->path().filename();
      std::error_code unread;
      const auto target = std::filesystem::read_symlink(folder / "fd" / name, unread);
      if (unread || is_device_path(target.string())) {
        const auto text = read_file(entries->path().string());
        auto client = text ? parse_drm_client(*text) : std::nullopt;
        if (client) {
          if (!client->id) is_whole = false;
          clients.add(std::move(*client), process);
        }
      }
      entries.increment(code);
    }
  }
  return {.list = clients.list(), .is_whole = is_whole};
}

std::vector<DrmDevice> read_drm_devices(const std::string& root) {
  std::vector<DrmDevice> devices;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator{root + "/sys/class/drm", code}) {
    if (!is_card(entry.path().filename().string())) continue;
    const std::filesystem::path folder = entry.path() / "device";
    DrmDevice device{.total = bytes_in(folder / "mem_info_vram_total"),
                     .used = bytes_in(folder / "mem_info_vram_used")};
    each_line(text_in(folder / "uevent"), [&](std::string_view line) {
      constexpr std::string_view driver = "DRIVER=";
      constexpr std::string_view slot = "PCI_SLOT_NAME=";
      if (line.starts_with(driver)) device.driver = line.substr(driver.size());
      if (line.starts_with(slot)) device.bus = line.substr(slot.size());
    });
    devices.push_back(std::move(device));
  }
  std::ranges::sort(devices, {}, [](const DrmDevice& device) {
    return std::pair<const std::string&, const std::string&>{device.bus, device.driver};
  });
  return devices;
}

}  // namespace hearth
