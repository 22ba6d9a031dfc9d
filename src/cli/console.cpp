#include "cli/console.h"

#include <ostream>

#include "cli/config_file.h"
#include "cli/places.h"
#include "runtime/files.h"

namespace hearth {

Console::Console(Streams streams, CommonOptions& options, const Arguments& root,
                 std::vector<std::string> arguments)
    : streams_{std::move(streams)},
      options_{options},
      root_{root},
      arguments_{std::move(arguments)} {}

std::string Console::config_path() const {
  return find_config(options_.config, streams_.environment);
}

Result<Config> Console::config() {
  const std::string path = config_path();
  if (path.empty()) {
    exit_code_ = 3;
    std::string looked;
    for (const std::string& candidate : config_candidates("", streams_.environment)) {
      looked += (looked.empty() ? "" : ", ") + candidate;
    }
    return fail(Errc::not_found, "there is no configuration (looked for " + looked +
                                     "): `hearth init` writes a first one");
  }
  auto config = load_config(path, streams_.environment);
  if (!config) {
    exit_code_ = 3;
    if (config.error().code != Errc::invalid) return config;
    return fail(Errc::invalid, "the configuration has errors:\n" + config.error().detail);
  }
  return config;
}

Config Console::readable_config() {
  const std::string path = config_path();
  if (path.empty()) return {};
  const auto text = read_file(path);
  LenientConfig lenient;
  if (text) lenient = read_leniently(*text, path, streams_.environment);
  if (!text || !lenient.is_certain) {
    const std::string trouble =
        text ? path + " cannot be read whole (`hearth config check` says why)"
             : text.error().detail;
    err() << "hearth: warning: " << printable(trouble) << ": looking in "
          << printable(state_dir(lenient.config)) << " for the daemon\n";
  }
  return std::move(lenient.config);
}

std::string Console::state_dir(const Config& config) const {
  return config.state_dir.empty() ? default_state_dir() : config.state_dir;
}

Result<Link*> Console::link() {
  ClientOptions options{.url = options_.url, .state_dir = {}, .api_key = {}};
  const bool is_named = !options_.url.empty() || environment("HEARTH_URL").has_value();
  // A key goes to a named address only from a configuration that was named too.
  const bool is_read = is_named ? !options_.config.empty() : !config_path().empty();
  if (is_read) {
    const Config config = readable_config();
    if (!environment("HEARTH_API_KEY")) options.api_key = config.api_key;
    options.state_dir = state_dir(config);
    if (!is_named && !read_address(options.state_dir) && !config.listen_http.empty()) {
      options.url = "http://" + config.listen_http;
    }
  }
  auto client = Client::find(options);
  if (!client) {
    if (client.error().code == Errc::unavailable) exit_code_ = 4;
    return std::unexpected(std::move(client).error());
  }
  return &link_.emplace(std::move(*client));
}

void Console::print(const Table& table) {
  out() << table.render({.has_colour = streams_.has_colour, .width = streams_.width});
}

void Console::print(const OrderedJson& json) { out() << dump_json(json, 2) << "\n"; }

int Console::exit_code_of(const Error& error) const {
  if (link_ && link_->is_unreachable()) return 4;
  return exit_code_.value_or(exit_code(error.code));
}

}  // namespace hearth
