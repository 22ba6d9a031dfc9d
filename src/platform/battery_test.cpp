#include "platform/battery.h"

#include "platform/stand_in_root_testing.h"

namespace hearth {
namespace {

class Batteries : public StandInRoot {
 protected:
  void supply(const std::string& name, const PowerSupply& values) const {
    const std::string folder = "/sys/class/power_supply/" + name + "/";
    const auto file = [&](const std::string& key, const std::string& value) {
      if (!value.empty()) put(folder + key, value + "\n");
    };
    file("type", values.type);
    file("scope", values.scope);
    file("online", values.online);
    file("present", values.present);
    file("status", values.status);
    file("capacity", values.capacity);
    file("energy_full", values.full);
  }
};

TEST_F(Batteries, OfAMachineWithoutAnyAreMains) {
  EXPECT_FALSE(read_power(root_).is_on_battery);
  supply("AC", {.type = "Mains", .online = "0"});
  const Power power = read_power(root_);
  EXPECT_FALSE(power.is_on_battery);
  EXPECT_EQ(power.batteries, 0);
  EXPECT_FALSE(power.charge_share);
}

TEST_F(Batteries, ThatDischargeWithoutMainsArePowerFromBattery) {
  supply("AC", {.type = "Mains", .online = "0"});
  supply("BAT0", {.type = "Battery", .present = "1", .status = "Discharging", .capacity = "57"});
  const Power power = read_power(root_);
  EXPECT_TRUE(power.is_on_battery);
  EXPECT_DOUBLE_EQ(power.charge_share.value(), 0.57);
}

TEST_F(Batteries, ThatDischargeThoughMainsIsOnlineAreMains) {
  supply("ADP1", {.type = "USB", .online = "1"});
  supply("BAT0", {.type = "Battery", .status = "Discharging", .capacity = "57"});
  EXPECT_FALSE(read_power(root_).is_on_battery);
}

TEST_F(Batteries, ThatAreFullWhileAnEmptyPortIsOffAreMains) {
  supply("USBC0", {.type = "USB", .online = "0"});
  supply("BAT0", {.type = "Battery", .status = "Full", .capacity = "100"});
  EXPECT_FALSE(read_power(root_).is_on_battery);
}

TEST_F(Batteries, ThatTellNoStateAreJudgedByTheOtherSupplies) {
  supply("BAT0", {.type = "Battery", .status = "Unknown", .capacity = "40"});
  EXPECT_FALSE(read_power(root_).is_on_battery);
  supply("AC", {.type = "Mains", .online = "0"});
  EXPECT_TRUE(read_power(root_).is_on_battery);
}

TEST_F(Batteries, OfMiceAndEmptyBaysDoNotCount) {
  supply("mouse",
         {.type = "Battery", .scope = "Device", .status = "Discharging", .capacity = "10"});
  supply("BAT1", {.type = "Battery", .present = "0", .status = "Discharging", .capacity = "0"});
  const Power power = read_power(root_);
  EXPECT_FALSE(power.is_on_battery);
  EXPECT_EQ(power.batteries, 0);
}

TEST_F(Batteries, SeveralAreWeightedByWhatTheyHold) {
  supply("BAT0", {.type = "Battery", .status = "Full", .capacity = "100", .full = "30000000"});
  supply("BAT1", {.type = "Battery", .status = "Discharging", .capacity = "0", .full = "10000000"});
  const Power power = read_power(root_);
  EXPECT_EQ(power.batteries, 2);
  EXPECT_TRUE(power.is_on_battery);
  EXPECT_DOUBLE_EQ(power.charge_share.value(), 0.75);
}

TEST_F(Batteries, OfWhichOneDoesNotTellWhatItHoldsCountAlike) {
  supply("BAT0", {.type = "Battery", .status = "Full", .capacity = "100", .full = "30000000"});
  supply("BAT1", {.type = "Battery", .status = "Full", .capacity = "50"});
  EXPECT_DOUBLE_EQ(read_power(root_).charge_share.value(), 0.75);
}

TEST_F(Batteries, AChargeThatIsNoNumberIsNotTold) {
  supply("BAT0", {.type = "Battery", .status = "Charging", .capacity = "much"});
  EXPECT_FALSE(read_power(root_).charge_share);
  supply("BAT0", {.type = "Battery", .status = "Charging", .capacity = "250"});
  EXPECT_DOUBLE_EQ(read_power(root_).charge_share.value(), 1);
}

}  // namespace
}  // namespace hearth
