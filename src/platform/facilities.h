// What Hearth finds on a machine, facility by facility, and what follows from it.
//
// Contract   The facts are read by others (read_machine_facts() here, the installation's by the
//            command line); the functions here only judge them. One entry a facility, in an order
//            that does not change, under names that scripts may rely on. `need` is said of this
//            version: `needed`, the daemon does not start or does not work without it; `optional`,
//            it is used where it is there; `unused`, this version does nothing with it. Only what
//            is needed can be broken. `missing`, `instead` and `mend` are empty where nothing is
//            missing. A mend is a command for Debian, or a line that says what to do.
// Errors     none.
// Threads    judge_* are pure; read_machine_facts() thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "platform/battery.h"
#include "platform/device_memory.h"
#include "platform/group_facts.h"
#include "platform/machine.h"
#include "platform/stall.h"

namespace hearth {

enum class FacilityNeed : unsigned char { needed, optional, unused };
enum class FacilityState : unsigned char { good, partly, missing, broken };
[[nodiscard]] std::string_view name_of(FacilityNeed need);
[[nodiscard]] std::string_view name_of(FacilityState state);

struct Facility {
  std::string name;
  FacilityNeed need = FacilityNeed::optional;
  FacilityState state = FacilityState::good;
  std::string found;    // what is there
  std::string missing;  // what is not
  std::string instead;  // what Hearth does without it
  std::vector<std::string> mend;
};

// Nothing that is needed is broken.
[[nodiscard]] bool is_healthy(const std::vector<Facility>& facilities);

struct Limit {
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
  static constexpr std::uint64_t none = ~std::uint64_t{0};
};

struct MachineFacts {
  bool is_root = false;
  bool has_systemd = false;  // it is what runs this machine
  bool has_boot_clock = false;
  std::optional<MemInfo> memory;
  std::vector<GroupHierarchy> groups;
  GroupTrial trial;  // left as it is by read_machine_facts(): it changes things
  Result<Stall> stall = fail(Errc::not_found, "");
  bool has_group_stall = false;
  SwapSpace swap;
  std::optional<SwapActivity> swapped;
  Zram zram;
  std::vector<DeviceSource> sources;
  std::vector<Device> devices;
  Limit open_files;
  Limit locked_bytes;
  std::optional<int> oom_score;
  bool can_lower_oom_score = false;  // CAP_SYS_RESOURCE
  Power power;
};

// `root` stands for "/" in tests; limits, clocks and capabilities are always this process's.
[[nodiscard]] MachineFacts read_machine_facts(const std::string& root = "");

// What of the configuration decides how much a facility matters.
struct Wishes {
  std::uint64_t open_files = 0;  // that the daemon asks for
  Bytes locked;                  // of components of kind files with `lock`
  int limited_components = 0;    // with `limits`
};
[[nodiscard]] std::vector<Facility> judge_machine(const MachineFacts& facts, const Wishes& wishes);

// A place at which the daemon listens.
struct DoorFacts {
  enum class State : unsigned char {
    closed,     // not wanted
    free,       // can be taken
    ours,       // the daemon of this state folder answers there
    other,      // another Hearth answers there
    stranger,   // something else is there
    forbidden,  // it cannot be taken: see why
  };
  std::string place;  // "127.0.0.1:7411", or a path
  State state = State::free;
  std::string why;
};

struct StateFolderFacts {
  std::string path;
  bool is_there = false;
  std::string obstacle;       // why it cannot be written or made; empty: it can
  std::optional<Bytes> free;  // on its file system
  Bytes wanted;               // what the history may grow to
  std::optional<int> holder;  // process id of the daemon that runs on it, and answers
  std::string holder_version;
};

struct ConfigFacts {
  std::string path;    // empty: there is none
  std::string unread;  // why it cannot be read; empty: it was
  int errors = 0;
  int warnings = 0;
  std::size_t components = 0;
  std::string first_problem;  // as `hearth config check` words it
};

struct InstallationFacts {
  ConfigFacts config;
  StateFolderFacts state;
  DoorFacts http;
  DoorFacts socket;
};
[[nodiscard]] std::vector<Facility> judge_installation(const InstallationFacts& facts);

}  // namespace hearth
