#include "platform/facilities.h"

#include <algorithm>

#include "platform/stand_in_root_testing.h"

namespace hearth {
namespace {

// A machine on which all is well.
MachineFacts whole() {
  MachineFacts facts;
  facts.has_boot_clock = true;
  facts.memory = MemInfo{8_GiB, 6_GiB};
  facts.groups = {{.mount = "/sys/fs/cgroup",
                   .directory = "/sys/fs/cgroup/a",
                   .is_version_2 = true,
                   .controllers = {"cpu", "memory", "pids"}}};
  facts.trial = {.has_memory_limit = true,
                 .has_pids_limit = true,
                 .has_cpu_limit = true,
                 .can_freeze = true,
                 .can_reclaim = true};
  facts.stall = Stall{};
  facts.swap = {2_GiB, 1_GiB};
  facts.zram = {.devices = 1, .disk = 1_GiB};
  facts.sources = {{.name = "NVML", .state = DeviceSource::State::working},
                   {.name = "DRM", .state = DeviceSource::State::working}};
  facts.devices = {{.id = "nvidia0", .name = "H200", .total = 8_GiB, .used = 1_GiB}};
  facts.open_files = {.soft = 1024, .hard = 100000};
  facts.locked_bytes = {.soft = (8_MiB).count, .hard = (8_MiB).count};
  facts.oom_score = 0;
  facts.can_lower_oom_score = true;
  return facts;
}

constexpr Wishes modest{.open_files = 21024};

Facility one(const std::vector<Facility>& all, std::string_view name) {
  const auto found = std::ranges::find(all, name, &Facility::name);
  if (found == all.end()) ADD_FAILURE() << "there is no facility " << name;
  return found == all.end() ? Facility{} : *found;
}

Facility of(const MachineFacts& facts, std::string_view name, const Wishes& wishes = modest) {
  return one(judge_machine(facts, wishes), name);
}

bool mends(const Facility& facility, std::string_view words) {
  return std::ranges::any_of(facility.mend, [&](const std::string& mend) {
    return mend.find(words) != std::string::npos;
  });
}

TEST(Facilities, OfAMachineOnWhichAllIsWellLackNothing) {
  for (const Facility& facility : judge_machine(whole(), modest)) {
    EXPECT_EQ(facility.state, FacilityState::good) << facility.name;
    EXPECT_EQ(facility.missing + facility.instead, "") << facility.name;
    EXPECT_TRUE(facility.mend.empty()) << facility.name;
    EXPECT_NE(facility.found, "") << facility.name;
  }
}

TEST(Facilities, OfAMachineThatHasNothingSayWhatIsMissingAndOnlyWhatIsNeededIsBroken) {
  MachineFacts nothing;
  nothing.sources = {{.name = "NVML", .detail = "no library"}, {.name = "DRM", .detail = "none"}};
  for (const Facility& facility : judge_machine(nothing, {.open_files = 1, .locked = 1_GiB})) {
    // What is found where there is nothing is all that they need.
    if (facility.name == "battery" || facility.name == "freezing") continue;
    EXPECT_NE(facility.state, FacilityState::good) << facility.name;
    EXPECT_NE(facility.missing, "") << facility.name;
    EXPECT_NE(facility.instead, "") << facility.name;
    EXPECT_EQ(facility.state == FacilityState::broken, facility.need == FacilityNeed::needed)
        << facility.name;
  }
  EXPECT_FALSE(is_healthy(judge_machine(nothing, modest)));
}

TEST(Facilities, AMachineWithoutWhatIsOptionalIsHealthy) {
  MachineFacts facts;
  facts.has_boot_clock = true;
  facts.memory = MemInfo{8_GiB, 6_GiB};
  EXPECT_TRUE(is_healthy(judge_machine(facts, modest)));
}

TEST(Facilities, LimitsThatAreRefusedAreNamedWithTheDelegationThatMendsThem) {
  MachineFacts facts = whole();
  facts.has_systemd = true;
  facts.trial.has_cpu_limit = false;
  const Facility groups = of(facts, "control groups", {.limited_components = 2});
  EXPECT_EQ(groups.state, FacilityState::partly);
  EXPECT_EQ(groups.missing, "limits of cpus cannot be set from here");
  EXPECT_NE(groups.instead.find("components with `limits`: 2"), std::string::npos);
  EXPECT_TRUE(mends(groups, "systemctl --user edit hearth   # [Service] Delegate=memory pids cpu"));
  facts.is_root = true;
  EXPECT_TRUE(mends(of(facts, "control groups"), "systemctl edit hearth"));
}

TEST(Facilities, AUserOfVersionOneIsToldHowToBeGivenAGroup) {
  MachineFacts facts = whole();
  facts.trial = {};
  facts.groups = {{.mount = "/sys/fs/cgroup/memory", .controllers = {"memory"}}};
  const Facility groups = of(facts, "control groups");
  EXPECT_EQ(groups.state, FacilityState::missing);
  EXPECT_TRUE(mends(groups, "sudo mkdir -p /sys/fs/cgroup/$c/hearth"));
}

TEST(Facilities, StallsThatAreSwitchedOffAreMendedOnTheKernelsCommandLine) {
  MachineFacts facts = whole();
  facts.stall = fail(Errc::unavailable, "");
  const Facility stalls = of(facts, "pressure stalls");
  EXPECT_EQ(stalls.need, FacilityNeed::optional);
  EXPECT_NE(stalls.missing.find("switched off"), std::string::npos);
  EXPECT_TRUE(mends(stalls, "psi=1"));
}

TEST(Facilities, OpenFilesAreRaisedByTheDaemonAsFarAsTheHardLimit) {
  MachineFacts facts = whole();
  EXPECT_NE(of(facts, "open files").found.find("raises its own to 21024"), std::string::npos);
  facts.open_files.hard = 4096;
  const Facility files = of(facts, "open files");
  EXPECT_EQ(files.state, FacilityState::partly);
  EXPECT_TRUE(mends(files, "hard nofile 21024"));
}

TEST(Facilities, LockedMemoryMattersToComponentsThatLock) {
  MachineFacts facts = whole();
  EXPECT_EQ(of(facts, "locked memory").state, FacilityState::good);
  const Wishes wishes{.open_files = 1, .locked = 1_GiB};
  const Facility locked = of(facts, "locked memory", wishes);
  EXPECT_EQ(locked.state, FacilityState::partly);
  EXPECT_TRUE(mends(locked, "ulimit -l 1048576"));
  facts.is_root = true;
  EXPECT_EQ(of(facts, "locked memory", wishes).state, FacilityState::good);
}

TEST(Facilities, ADeviceThatIsLostIsNamed) {
  MachineFacts facts = whole();
  facts.devices[0].is_lost = true;
  const Facility devices = of(facts, "nvidia devices");
  EXPECT_EQ(devices.state, FacilityState::partly);
  EXPECT_EQ(devices.found, "nvidia0 H200: lost");
}

TEST(Facilities, WithoutAGroupThatFreezesThereIsTheSignal) {
  MachineFacts facts = whole();
  facts.trial.can_freeze = false;
  EXPECT_EQ(of(facts, "freezing").found, "SIGSTOP");
}

InstallationFacts installed() {
  InstallationFacts facts;
  facts.config = {.path = "/etc/hearth/hearth.yaml", .components = 1};
  facts.state = {.path = "/var/lib/hearth", .is_there = true, .free = 1_GiB, .wanted = 256_MiB};
  facts.http = {.place = "127.0.0.1:7411"};
  facts.socket = {.place = "/var/lib/hearth/hearth.sock"};
  return facts;
}

TEST(Installations, ThatAreInOrderAreHealthy) {
  EXPECT_TRUE(is_healthy(judge_installation(installed())));
  EXPECT_EQ(one(judge_installation(installed()), "configuration").found,
            "/etc/hearth/hearth.yaml: 1 component");
}

TEST(Installations, WithoutAConfigurationOrWithErrorsInItAreBroken) {
  InstallationFacts facts = installed();
  facts.config = {};
  EXPECT_TRUE(mends(one(judge_installation(facts), "configuration"), "hearth init"));
  facts.config = {.path = "a.yaml", .errors = 2, .first_problem = "a.yaml:1:1: error: x"};
  const Facility config = one(judge_installation(facts), "configuration");
  EXPECT_EQ(config.state, FacilityState::broken);
  EXPECT_EQ(config.missing, "2 errors, the first: a.yaml:1:1: error: x");
  EXPECT_TRUE(mends(config, "hearth config check a.yaml"));
}

TEST(Installations, WarningsBreakNothing) {
  InstallationFacts facts = installed();
  facts.config.warnings = 1;
  EXPECT_TRUE(is_healthy(judge_installation(facts)));
  EXPECT_EQ(one(judge_installation(facts), "configuration").state, FacilityState::partly);
}

TEST(Installations, AStateFolderIsBrokenByWhatStopsWritingAndByAFullDisk) {
  InstallationFacts facts = installed();
  facts.state.free = 100_MiB;
  EXPECT_EQ(one(judge_installation(facts), "state folder").state, FacilityState::partly);
  facts.state.free = 10_KiB;
  EXPECT_EQ(one(judge_installation(facts), "state folder").state, FacilityState::broken);
  facts = installed();
  facts.state.obstacle = "/var/lib cannot be written";
  const Facility folder = one(judge_installation(facts), "state folder");
  EXPECT_EQ(folder.state, FacilityState::broken);
  EXPECT_TRUE(mends(folder, "sudo install -d -m 700"));
  facts.state.holder = 12;
  EXPECT_EQ(one(judge_installation(facts), "state folder").state, FacilityState::good);
}

TEST(Installations, AnAddressIsBrokenByStrangersAndNotByItsOwnDaemon) {
  using State = DoorFacts::State;
  InstallationFacts facts = installed();
  for (const State state : {State::closed, State::free, State::ours}) {
    facts.http.state = state;
    EXPECT_TRUE(is_healthy(judge_installation(facts))) << static_cast<int>(state);
  }
  for (const State state : {State::other, State::stranger, State::forbidden}) {
    facts.http.state = state;
    EXPECT_FALSE(is_healthy(judge_installation(facts))) << static_cast<int>(state);
  }
  facts.http.state = State::stranger;
  EXPECT_TRUE(mends(one(judge_installation(facts), "http"), "sport = :7411"));
}

TEST(Installations, APathIsOneWordOfTheCommandThatMendsIt) {
  InstallationFacts facts = installed();
  facts.config = {.path = "/home/o'neill/my files/$(x).yaml", .errors = 1};
  EXPECT_TRUE(mends(one(judge_installation(facts), "configuration"),
                    R"(hearth config check '/home/o'\''neill/my files/$(x).yaml')"));
}

class Facts : public StandInRoot {};

TEST_F(Facts, AreReadOfAStandInMachine) {
  put("/proc/meminfo",
      "MemTotal: 2048 kB\nMemAvailable: 1024 kB\nSwapTotal: 64 kB\nSwapFree: 32 kB\n");
  put("/proc/self/status", "Name:\tx\nCapEff:\t0000000001000000\n");
  put("/proc/self/oom_score_adj", "-17\n");
  put("/proc/self/cgroup", "1:freezer:/a\n0::/a\n");
  put("/proc/self/mounts",
      "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
      "cgroup /sys/fs/cgroup/freezer cgroup rw,freezer 0 0\n");
  put("/sys/fs/cgroup/freezer/a/cgroup.procs", "");
  put("/run/systemd/system/x", "");
  const MachineFacts facts = read_machine_facts(root_);
  EXPECT_TRUE(facts.has_systemd);
  EXPECT_TRUE(facts.can_lower_oom_score);
  EXPECT_EQ(facts.oom_score, -17);
  EXPECT_EQ(facts.memory->total, 2_MiB);
  EXPECT_EQ(facts.swap.free, 32_KiB);
  EXPECT_EQ(facts.stall.error().code, Errc::not_found);
  EXPECT_TRUE(facts.has_boot_clock);
  EXPECT_EQ(facts.sources.size(), 2U);
}

}  // namespace
}  // namespace hearth
