// Where things are on this machine: the configuration, the state folder, the running daemon.
//
// Contract   the configuration is the first of --config, HEARTH_CONFIG,
//            XDG_CONFIG_HOME/hearth/hearth.yaml (~/.config without XDG_CONFIG_HOME),
//            /etc/hearth/hearth.yaml; the first two are taken whether they exist or not, so that
//            a misspelt path is an error and not a surprise. STATE/address.json is
//            {"http","socket","pid"} of the daemon that runs on that folder.
// Threads    pure but for the files they read.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/config.h"

namespace hearth {

// Where a configuration is looked for, in order.
[[nodiscard]] std::vector<std::string> config_candidates(const std::string& option,
                                                         const Environment& environment);
// The one to use; empty when there is none.
[[nodiscard]] std::string find_config(const std::string& option, const Environment& environment);

struct Address {
  std::string http;    // "http://127.0.0.1:7411"; empty: none
  std::string socket;  // path; empty: none
  int pid = 0;
};

[[nodiscard]] std::optional<Address> read_address(const std::string& state_dir);
[[nodiscard]] Result<> write_address(const std::string& state_dir, const Address& address);
// Removes what write_address() wrote, if it is still this process's.
void remove_address(const std::string& state_dir, int pid);

[[nodiscard]] bool is_file(const std::string& path);
// The executable that a shell would find for `name`; empty when there is none.
[[nodiscard]] std::string find_program(std::string_view name, const Environment& environment);

}  // namespace hearth
