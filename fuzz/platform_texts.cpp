// What Linux tells of stalls, swap, zram, power supplies and graphics clients: any bytes are read
// or refused, and no figure is out of its range.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "platform/battery.h"
#include "platform/drm.h"
#include "platform/facilities.h"
#include "platform/machine.h"
#include "platform/stall.h"
#include "runtime/lines.h"

namespace {

void check(bool is_true) {
  if (!is_true) std::abort();
}

void check_stall(std::string_view text) {
  const auto stall = hearth::parse_stall(text);
  if (!stall) return;
  for (const hearth::StallTime& time : {stall->some, stall->full}) {
    check(time.share_10s >= 0 && time.share_10s <= 1.01 && time.total.count() >= 0);
  }
}

// Each line is one supply: its files, parted by commas.
void check_power(std::string_view text) {
  std::vector<hearth::PowerSupply> supplies;
  hearth::each_line(text, [&](std::string_view line) {
    hearth::PowerSupply& supply = supplies.emplace_back();
    for (std::string* value : {&supply.type, &supply.scope, &supply.online, &supply.present,
                               &supply.status, &supply.capacity, &supply.full}) {
      const std::size_t end = std::min(line.find(','), line.size());
      *value = line.substr(0, end);
      line.remove_prefix(std::min(end + 1, line.size()));
    }
  });
  const hearth::Power power = hearth::decide_power(supplies);
  check(!power.is_on_battery || power.batteries > 0);
  check(!power.charge_share || (*power.charge_share >= 0 && *power.charge_share <= 1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  check_stall(text);
  check_power(text);
  if (const auto space = hearth::parse_swap_space(text)) check(space->free <= space->total);
  (void)hearth::parse_swap_activity(text);
  (void)hearth::parse_zram(text);
  (void)hearth::parse_meminfo(text);
  (void)hearth::parse_groups(text, text);
  if (const auto client = hearth::parse_drm_client(text)) {
    check(client->device <= hearth::Bytes::unlimited());
    check(client->unified <= hearth::Bytes::unlimited());
  }
  return 0;
}
