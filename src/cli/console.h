// What a command sees of the world around it: streams, environment, common options.
//
// Contract   `out` takes what was asked for and nothing else; `err` takes everything said about
//            it. fail() and the texts it takes name the thing and the mend.
// Threads    one thread.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/json.h"
#include "cli/link.h"
#include "cli/table.h"
#include "codec/config.h"

namespace hearth {

class Arguments;

struct Streams {
  std::ostream& out;
  std::ostream& err;
  Environment environment;
  bool is_terminal = false;  // `out` is one
  bool has_colour = false;   // it is, NO_COLOR is unset and TERM is not dumb
  std::size_t width = 0;     // of the terminal; 0: no limit
};

struct CommonOptions {
  std::string config;    // --config
  std::string url;       // --url
  bool is_json = false;  // --json
};

class Console {
 public:
  Console(Streams streams, CommonOptions& options, const Arguments& root,
          std::vector<std::string> arguments);

  [[nodiscard]] std::ostream& out() { return streams_.out; }
  [[nodiscard]] std::ostream& err() { return streams_.err; }
  [[nodiscard]] const Streams& streams() const { return streams_; }
  [[nodiscard]] const CommonOptions& options() const { return options_; }
  [[nodiscard]] bool is_json() const { return options_.is_json; }
  [[nodiscard]] const Arguments& root() const { return root_; }
  // The words after the program's name, as they were given.
  [[nodiscard]] const std::vector<std::string>& arguments() const { return arguments_; }
  [[nodiscard]] std::optional<std::string> environment(const std::string& name) const {
    return streams_.environment(name);
  }

  // The daemon that --url, HEARTH_URL or the configuration name; owned by the console.
  [[nodiscard]] Result<Link*> link();
  // Where the configuration is: --config, HEARTH_CONFIG, XDG_CONFIG_HOME, /etc. Empty: nowhere.
  [[nodiscard]] std::string config_path() const;
  // Reads and checks it; every problem is one line of the error.
  [[nodiscard]] Result<Config> config();
  // For a command that only looks for the daemon or its folder: what can be read of the file,
  // however bad the rest is. When `state`, `listen` or `api_key` cannot be, the defaults stand for
  // them and a line on err says so. Unchecked: never to run a daemon by.
  [[nodiscard]] Config readable_config();
  [[nodiscard]] std::string state_dir(const Config& config) const;

  void print(const Table& table);
  void print(const OrderedJson& json);

  // The exit code of `error`: its own, or 4 when no daemon answered, 3 for a configuration.
  [[nodiscard]] int exit_code_of(const Error& error) const;
  void mark_bad_config() { exit_code_ = 3; }

 private:
  Streams streams_;
  CommonOptions& options_;
  const Arguments& root_;
  std::vector<std::string> arguments_;
  std::optional<int> exit_code_;
  std::optional<Link> link_;
};

}  // namespace hearth
