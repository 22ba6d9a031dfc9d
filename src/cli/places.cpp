#include "cli/places.h"

#include <unistd.h>

#include <filesystem>
#include <span>
#include <sstream>

#include "cli/json.h"
#include "runtime/files.h"

namespace hearth {
namespace {

std::string value_or_empty(const Environment& environment, const std::string& name) {
  return environment(name).value_or("");
}

std::string address_path(const std::string& state_dir) { return state_dir + "/address.json"; }

}  // namespace

std::vector<std::string> config_candidates(const std::string& option,
                                           const Environment& environment) {
  if (!option.empty()) return {option};
  if (const std::string named = value_or_empty(environment, "HEARTH_CONFIG"); !named.empty()) {
    return {named};
  }
  std::vector<std::string> found;
  const std::string xdg = value_or_empty(environment, "XDG_CONFIG_HOME");
  const std::string home = value_or_empty(environment, "HOME");
  if (!xdg.empty()) {
    found.push_back(xdg + "/hearth/hearth.yaml");
  } else if (!home.empty()) {
    found.push_back(home + "/.config/hearth/hearth.yaml");
  }
  found.emplace_back("/etc/hearth/hearth.yaml");
  return found;
}

std::string find_config(const std::string& option, const Environment& environment) {
  const auto candidates = config_candidates(option, environment);
  if (candidates.size() == 1 &&
      (!option.empty() || !value_or_empty(environment, "HEARTH_CONFIG").empty())) {
    return candidates.front();
  }
  for (const std::string& path : candidates) {
    if (is_file(path)) return path;
  }
  return {};
}

std::optional<Address> read_address(const std::string& state_dir) {
  const auto text = read_file(address_path(state_dir));
  if (!text) return std::nullopt;
  const auto json = read_json(*text);
  if (!json || !json->is_object()) return std::nullopt;
  return Address{.http = text_of(*json, "http"),
                 .socket = text_of(*json, "socket"),
                 .pid = static_cast<int>(number_of(*json, "pid"))};
}

Result<> write_address(const std::string& state_dir, const Address& address) {
  const OrderedJson json{{"http", address.http}, {"socket", address.socket}, {"pid", address.pid}};
  const std::string text = dump_json(json, 2) + "\n";
  return write_file(address_path(state_dir), std::as_bytes(std::span{text}));
}

void remove_address(const std::string& state_dir, int pid) {
  const auto address = read_address(state_dir);
  if (address && address->pid == pid) ::unlink(address_path(state_dir).c_str());
}

bool is_file(const std::string& path) {
  std::error_code code;
  return std::filesystem::exists(path, code) && !std::filesystem::is_directory(path, code);
}

std::string find_program(std::string_view name, const Environment& environment) {
  if (name.find('/') != std::string_view::npos) {
    const std::string path{name};
    return ::access(path.c_str(), X_OK) == 0 && is_file(path) ? path : std::string{};
  }
  std::istringstream folders{value_or_empty(environment, "PATH")};
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string path = (folder.empty() ? "." : folder) + "/" + std::string{name};
    if (::access(path.c_str(), X_OK) == 0 && is_file(path)) return path;
  }
  return {};
}

}  // namespace hearth
