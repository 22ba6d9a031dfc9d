#include "cli/reloading.h"

#include <filesystem>

#include "cli/config_file.h"
#include "client/client.h"

namespace hearth {

std::string socket_path(const Config& config) {
  return config.listen_socket.empty() ? config.state_dir + "/hearth.sock" : config.listen_socket;
}

std::vector<std::string> needs_restart(const Config& running, const Config& fresh) {
  std::vector<std::string> keys;
  if (fresh.listen_http != running.listen_http) keys.emplace_back("listen.http");
  // The socket that follows the state folder is the folder's change, not its own.
  Config beside = fresh;
  beside.state_dir = running.state_dir;
  if (socket_path(beside) != socket_path(running)) keys.emplace_back("listen.socket");
  if (fresh.connections_max != running.connections_max) keys.emplace_back("listen.connections");
  if (fresh.state_dir != running.state_dir) keys.emplace_back("state");
  return keys;
}

Reloading::Reloading(Config running, Environment environment, std::shared_ptr<Log> log)
    : running_{std::move(running)},
      environment_{std::move(environment)},
      log_{std::move(log)},
      fresh_{running_} {}

Result<Config> Reloading::read() {
  Config fresh = HEARTH_TRY(load_config(running_.path, environment_));
  std::error_code code;
  const std::string state = fresh.state_dir.empty() ? default_state_dir() : fresh.state_dir;
  fresh.state_dir = std::filesystem::absolute(state, code);
  const MutexLock lock{mutex_};
  fresh_ = fresh;
  fresh.state_dir = running_.state_dir;  // the folder of a running daemon does not move
  return fresh;
}

std::vector<std::string> Reloading::apply() {
  const MutexLock lock{mutex_};
  std::vector<std::string> waiting = needs_restart(running_, fresh_);
  log_->change(log_level_of(fresh_.log_level), fresh_.log_format == "json");
  const bool is_let_in = server_ == nullptr || server_->change_access(fresh_.hosts, fresh_.api_key);
  if (server_ != nullptr) server_->change_gateway(fresh_.gateway);
  // Dropped together with the foreign address that still listens.
  if (!is_let_in) waiting.insert(waiting.begin(), "api_key");
  for (const std::string& key : waiting) {
    log_->warn("`" + key + "` has changed and stays as it was until a restart");
  }
  return waiting;
}

void Reloading::attach(Server* server) {
  const MutexLock lock{mutex_};
  server_ = server;
}

}  // namespace hearth
