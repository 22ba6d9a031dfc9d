#include "platform/battery.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "runtime/files.h"
#include "runtime/lines.h"

namespace hearth {
namespace {

std::string text_in(const std::filesystem::path& path) {
  const auto text = read_file(path.string());
  return text ? std::string{trimmed(*text)} : std::string{};
}

bool is_battery(const PowerSupply& supply) {
  return supply.type == "Battery" && supply.scope != "Device" && supply.present != "0";
}

struct Charge {
  double share = 0;
  double full = 0;  // 0: not told
  bool is_by_charge = false;
};

std::optional<double> together(std::span<const Charge> charges) {
  if (charges.empty()) return std::nullopt;
  const bool is_weighted = std::ranges::all_of(charges, [&](const Charge& charge) {
    return charge.full > 0 && charge.is_by_charge == charges.front().is_by_charge;
  });
  double sum = 0;
  double weights = 0;
  for (const Charge& charge : charges) {
    const double weight = is_weighted ? charge.full : 1;
    sum += charge.share * weight;
    weights += weight;
  }
  return std::clamp(sum / weights, 0.0, 1.0);
}

}  // namespace

Power decide_power(std::span<const PowerSupply> supplies) {
  Power power;
  bool is_online = false;
  bool is_any_off = false;
  bool is_discharging = false;
  bool is_any_told = false;
  std::vector<Charge> charges;
  for (const PowerSupply& supply : supplies) {
    if (supply.type != "Battery" && supply.scope != "Device") {
      const auto online = whole_number(supply.online);
      is_online = is_online || online.value_or(0) > 0;
      is_any_off = is_any_off || online == std::optional<std::uint64_t>{0};
    }
    if (!is_battery(supply)) continue;
    ++power.batteries;
    is_discharging = is_discharging || supply.status == "Discharging";
    is_any_told = is_any_told || (!supply.status.empty() && supply.status != "Unknown");
    const auto capacity = whole_number(supply.capacity);
    if (!capacity) continue;
    const auto full = whole_number(supply.full);
    charges.push_back({.share = static_cast<double>(std::min<std::uint64_t>(*capacity, 100)) / 100,
                       .full = static_cast<double>(full.value_or(0)),
                       .is_by_charge = supply.full.ends_with(" charge")});
  }
  const bool is_off = is_discharging || (!is_any_told && is_any_off);
  power.is_on_battery = power.batteries > 0 && !is_online && is_off;
  power.charge_share = together(charges);
  return power;
}

Power read_power(const std::string& root) {
  std::vector<PowerSupply> supplies;
  std::error_code code;
  const std::string folder = root + "/sys/class/power_supply";
  for (const auto& entry : std::filesystem::directory_iterator{folder, code}) {
    const std::filesystem::path& path = entry.path();
    PowerSupply supply{.type = text_in(path / "type"),
                       .scope = text_in(path / "scope"),
                       .online = text_in(path / "online"),
                       .present = text_in(path / "present"),
                       .status = text_in(path / "status"),
                       .capacity = text_in(path / "capacity"),
                       .full = text_in(path / "energy_full")};
    if (supply.full.empty()) {
      const std::string charge = text_in(path / "charge_full");
      if (!charge.empty()) supply.full = charge + " charge";
    }
    supplies.push_back(std::move(supply));
  }
  return decide_power(supplies);
}

}  // namespace hearth
