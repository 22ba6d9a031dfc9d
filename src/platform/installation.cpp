#include "platform/facilities.h"
#include "platform/facility_words.h"

namespace hearth {
namespace {

// Below this not even the journal of a quiet day fits.
constexpr Bytes free_least = 1_MiB;

constexpr std::string_view no_start = "`hearth serve` does not start";

Facility judge_config(const ConfigFacts& facts) {
  Facility config{.name = "configuration", .need = FacilityNeed::needed};
  const auto broken = [&](std::string missing, std::vector<std::string> mend) {
    config.state = FacilityState::broken;
    config.missing = std::move(missing);
    config.instead = no_start;
    config.mend = std::move(mend);
    return config;
  };
  if (facts.path.empty()) return broken("there is none", {"hearth init"});
  if (!facts.unread.empty()) return broken(facts.unread, {"or name another with --config FILE"});
  config.found = facts.path + ": " + plural(facts.components, "component");
  if (facts.errors > 0) {
    config.found = facts.path;
    return broken(plural(static_cast<std::size_t>(facts.errors), "error") +
                      ", the first: " + facts.first_problem,
                  {"hearth config check " + shell_word(facts.path)});
  }
  if (facts.warnings > 0) {
    config.state = FacilityState::partly;
    config.missing = plural(static_cast<std::size_t>(facts.warnings), "warning") +
                     ", the first: " + facts.first_problem;
    config.instead = "it is used as it is";
    config.mend = {"hearth config check " + shell_word(facts.path)};
  }
  return config;
}

Facility judge_state_folder(const StateFolderFacts& facts) {
  Facility folder{.name = "state folder", .need = FacilityNeed::needed};
  folder.found = facts.path + (facts.is_there ? "" : " (made at the first start)");
  if (facts.free) folder.found += ", " + size_text(*facts.free) + " free";
  if (facts.holder) {
    folder.found += "; used by the daemon with process id " + std::to_string(*facts.holder);
    if (!facts.holder_version.empty()) folder.found += ", version " + facts.holder_version;
  }
  // The daemon that runs on it is another user's, and can write there.
  if (!facts.obstacle.empty() && !facts.holder) {
    folder.state = FacilityState::broken;
    folder.missing = facts.obstacle;
    folder.instead = no_start;
    folder.mend = {"sudo install -d -m 700 -o \"$(id -u)\" " + shell_word(facts.path),
                   "sudo hearth doctor   # when the daemon is to run as root",
                   "or another folder as `state`"};
    return folder;
  }
  if (!facts.free || *facts.free >= facts.wanted) return folder;
  folder.state = *facts.free < free_least ? FacilityState::broken : FacilityState::partly;
  folder.missing = "the history may grow to " + size_text(facts.wanted);
  folder.instead = "on a full disk nothing new is loaded until there is room";
  folder.mend = {"sudo apt clean", "or a smaller `history.size`"};
  return folder;
}

Facility judge_door(const DoorFacts& facts, std::string name, const std::string& key,
                    const std::string& who_is_there) {
  Facility door{.name = std::move(name), .need = FacilityNeed::needed};
  const auto broken = [&](std::string missing) {
    door.state = FacilityState::broken;
    door.missing = std::move(missing);
    door.instead = no_start;
    door.mend = {"or another `" + key + "`"};
    if (facts.state != DoorFacts::State::forbidden)
      door.mend.insert(door.mend.begin(), who_is_there);
    return door;
  };
  switch (facts.state) {
    case DoorFacts::State::closed:
      door.found = "none, as `" + key + "` says";
      break;
    case DoorFacts::State::free:
      door.found = facts.place + " is free";
      break;
    case DoorFacts::State::ours:
      door.found = "the daemon answers at " + facts.place;
      break;
    case DoorFacts::State::other:
      return broken(facts.place + " is taken by another Hearth, of another state folder");
    case DoorFacts::State::stranger:
      return broken(facts.place + " is taken by another program");
    case DoorFacts::State::forbidden:
      return broken(facts.why);
  }
  return door;
}

}  // namespace

std::vector<Facility> judge_installation(const InstallationFacts& facts) {
  const std::string port = facts.http.place.substr(facts.http.place.rfind(':') + 1);
  return {
      judge_config(facts.config), judge_state_folder(facts.state),
      judge_door(facts.http, "http", "listen.http",
                 "sudo ss -ltnp " + shell_word("sport = :" + port) + "   # who is there"),
      judge_door(facts.socket, "socket", "listen.socket",
                 "sudo ss -lxp | grep -F " + shell_word(facts.socket.place) + "   # who is there")};
}

}  // namespace hearth
