#include "cli/installation.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "api/listen.h"
#include "cli/config_file.h"
#include "cli/places.h"
#include "cli/reloading.h"
#include "net/http_client.h"
#include "runtime/files.h"

namespace hearth {
namespace {

// Of a state folder: more names than it has.
constexpr int names_looked_at = 1000;

struct ReadConfig {
  ConfigFacts facts;
  Config config;  // what could be read of it
};

ReadConfig read_config(const Console& console) {
  ReadConfig read{.facts = {.path = console.config_path()}};
  if (read.facts.path.empty()) return read;
  const auto text = read_file(read.facts.path);
  if (!text) {
    read.facts.unread = text.error().detail;
    return read;
  }
  const Environment& environment = console.streams().environment;
  CheckedConfig checked = check_config(*text, read.facts.path, environment);
  for (const ConfigProblem& problem : checked.problems) {
    int& count = problem.is_error ? read.facts.errors : read.facts.warnings;
    const bool is_first = problem.is_error ? count == 0 : read.facts.first_problem.empty();
    if (is_first) read.facts.first_problem = to_text(problem, read.facts.path);
    ++count;
  }
  read.config = checked.config ? std::move(*checked.config)
                               : read_leniently(*text, read.facts.path, environment).config;
  read.facts.components = read.config.launches.size();
  return read;
}

// Why `folder` cannot be written, or made where it is not there; empty: it can.
std::string obstacle_to(const std::string& folder) {
  std::filesystem::path nearest{folder};
  std::error_code code;
  while (!std::filesystem::exists(nearest, code) && nearest.has_parent_path() &&
         nearest != nearest.parent_path()) {
    nearest = nearest.parent_path();
  }
  const std::string name = nearest.string();
  if (!std::filesystem::is_directory(nearest, code)) return name + " is not a folder";
  if (::access(name.c_str(), W_OK | X_OK) != 0) {
    return name + " cannot be written: " + error_text(errno);
  }
  return {};
}

// What a daemon of another user left there stops the next one.
std::string obstacle_in(const std::string& folder) {
  std::error_code code;
  int looked_at = 0;
  for (const auto& entry : std::filesystem::directory_iterator{folder, code}) {
    if (++looked_at > names_looked_at) break;
    const bool is_ours = entry.is_regular_file(code) || entry.is_directory(code);
    if (is_ours && ::access(entry.path().c_str(), W_OK) != 0) {
      return entry.path().string() + " cannot be written: " + error_text(errno);
    }
  }
  return {};
}

std::optional<Bytes> free_at(const std::string& folder) {
  std::filesystem::path nearest{folder};
  struct statvfs space{};
  while (::statvfs(nearest.c_str(), &space) != 0) {
    if (!nearest.has_parent_path() || nearest == nearest.parent_path()) return std::nullopt;
    nearest = nearest.parent_path();
  }
  return Bytes{std::uint64_t{space.f_bavail} * std::uint64_t{space.f_frsize}};
}

// Who answers at an address.
struct Answerer {
  bool is_there = false;
  bool is_hearth = false;
  std::string version;
};

Answerer ask(HttpAddress address) {
  Answerer who;
  who.is_there = try_connect(address, 1s).has_value();
  if (!who.is_there) return who;
  HttpClient client{std::move(address)};
  const auto reply = client.send({.path = "/v1/status", .timeout = 2s, .body_bytes_max = 1 << 20});
  if (!reply) return who;
  const auto json = read_json(reply->body);
  if (!json) return who;
  who.version = text_of(*json, "version");
  const bool is_status = reply->status == 200 && json->contains("state_dir");
  const bool is_refusal = text_of(*json, "type").starts_with("urn:hearth:problem:");
  who.is_hearth = is_status || is_refusal;
  return who;
}

// The daemon of this state folder, when it answers. A process of that number may be another by now.
struct Own {
  std::optional<Address> address;
  std::string version;
};

Own find_own(const std::string& state_dir) {
  const auto address = read_address(state_dir);
  if (!address || address->socket.empty()) return {};
  HttpAddress where;
  where.socket_path = address->socket;
  const Answerer who = ask(std::move(where));
  if (!who.is_hearth) return {};
  return {.address = address, .version = who.version};
}

StateFolderFacts read_state_folder(const Config& config, const Own& own) {
  StateFolderFacts facts{.path = config.state_dir};
  struct stat status{};
  facts.is_there = ::stat(facts.path.c_str(), &status) == 0;
  facts.obstacle = obstacle_to(facts.path);
  if (facts.obstacle.empty() && facts.is_there) facts.obstacle = obstacle_in(facts.path);
  facts.free = free_at(facts.path);
  facts.wanted = config.history_size_max;
  if (own.address) facts.holder = own.address->pid;
  facts.holder_version = own.version;
  return facts;
}

DoorFacts::State state_of(const Answerer& who) {
  return who.is_hearth ? DoorFacts::State::other : DoorFacts::State::stranger;
}

DoorFacts read_http(const Config& config, const Own& own) {
  DoorFacts door{.place = config.listen_http};
  if (door.place.empty()) {
    door.state = DoorFacts::State::closed;
    return door;
  }
  if (own.address && own.address->http == "http://" + door.place) {
    door.state = DoorFacts::State::ours;
    return door;
  }
  if (auto address = parse_http_address("http://" + door.place); address && address->port != 0) {
    const Answerer who = ask(std::move(*address));
    if (who.is_there) {
      door.state = state_of(who);
      return door;
    }
  }
  auto listening = listen_tcp(door.place);
  if (listening) {
    const Descriptor closing{listening->fd};
    if (door.place.ends_with(":0")) door.place = "a port of " + door.place;
    return door;
  }
  door.state = DoorFacts::State::forbidden;
  door.why = listening.error().detail;
  return door;
}

DoorFacts read_socket(const Config& config, const Own& own) {
  DoorFacts door{.place = socket_path(config)};
  const auto forbidden = [&](std::string why) {
    door.state = DoorFacts::State::forbidden;
    door.why = std::move(why);
    return door;
  };
  // Of sockaddr_un, with the zero at its end.
  if (door.place.size() >= 108) {
    return forbidden(door.place + ": the path of a socket has at most 107 bytes");
  }
  if (own.address && own.address->socket == door.place) {
    door.state = DoorFacts::State::ours;
    return door;
  }
  struct stat status{};
  if (::lstat(door.place.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) return forbidden(door.place + " is there and is not a socket");
    HttpAddress address;
    address.socket_path = door.place;
    const Answerer who = ask(std::move(address));
    if (who.is_there) door.state = state_of(who);
    return door;
  }
  // The state folder has a line of its own.
  const std::string parent = std::filesystem::path{door.place}.parent_path();
  if (parent == config.state_dir) return door;
  const std::string obstacle = obstacle_to(parent);
  return obstacle.empty() ? door : forbidden(obstacle);
}

Wishes wishes_of(const Config& config) {
  Wishes wishes;
  // As `hearth serve` raises it: a client and its component are two.
  wishes.open_files = 2 * std::uint64_t{config.connections_max} + 1024;
  for (const Launch& launch : config.launches) {
    const ComponentLimits& limits = launch.limits;
    const bool is_limited = limits.memory_max || limits.cpus || limits.pids_max;
    wishes.limited_components += is_limited ? 1 : 0;
    for (const std::string& file : launch.files) {
      std::error_code code;
      const auto size = std::filesystem::file_size(file, code);
      if (launch.is_locked && !code) wishes.locked += Bytes{size};
    }
  }
  return wishes;
}

}  // namespace

Installation read_installation(const Console& console) {
  ReadConfig read = read_config(console);
  std::error_code code;
  read.config.state_dir = std::filesystem::absolute(console.state_dir(read.config), code);
  const Own own = find_own(read.config.state_dir);
  return {.facts = {.config = std::move(read.facts),
                    .state = read_state_folder(read.config, own),
                    .http = read_http(read.config, own),
                    .socket = read_socket(read.config, own)},
          .wishes = wishes_of(read.config)};
}

}  // namespace hearth
