// Whether the machine runs on its batteries, and how full they are.
//
// Contract   of /sys/class/power_supply. Batteries of the machine count, those of mice and other
//            devices (scope Device) and empty bays do not. It is on battery when no other supply
//            is online and a battery discharges, or, where no battery tells its state, when every
//            other supply is known to be off. Without a battery it is on mains. The charge is of
//            all batteries together, weighted by what each holds when it is full, or alike where
//            that is not told in one unit.
// Units      charge_share is 0 to 1.
// Errors     none: what cannot be read is as if it were not there.
// Threads    decide_power() is pure, read_power() thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string>

namespace hearth {

struct Power {
  bool is_on_battery = false;
  int batteries = 0;
  std::optional<double> charge_share;
};

// The files of one supply as they were read; empty: not there.
struct PowerSupply {
  std::string type;      // Mains, Battery, USB, Wireless, UPS
  std::string scope;     // System, Device
  std::string online;    // 1: it gives power
  std::string present;   // of a battery; 0: an empty bay
  std::string status;    // Charging, Discharging, Full, Not charging, Unknown
  std::string capacity;  // percent
  std::string full;      // energy_full, or charge_full with " charge" behind it
};

[[nodiscard]] Power decide_power(std::span<const PowerSupply> supplies);

// `root` stands for "/" in tests.
[[nodiscard]] Power read_power(const std::string& root = "");

}  // namespace hearth
