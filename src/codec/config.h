// hearth.yaml: its text to a checked configuration, or to every error in it at once.
//
// Contract   parse_config() is total: any bytes give a Config or a list of problems, each with its
//            place, what is wrong and what was meant. Warnings never stop anything. Macros ${env.X}
//            are expanded here (an unset variable is an error); ${PORT} and ${STATE_DIR} are left
//            for the driver. `memory.budget: 60%` stays a share: the shell resolves it
//            (resolve_budget).
// Threads    pure (the environment is handed in).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "core/model/spec.h"

namespace hearth {

// A place in the file, counted from 1; line 0 means "the whole file".
struct ConfigProblem {
  bool is_error = true;
  int line = 0;
  int column = 0;
  std::string message;  // what is wrong, and the mend: "unknown key `need`: did you mean `needs`?"
};

struct ConfigPlace {
  int line = 0;
  int column = 0;
  bool operator==(const ConfigPlace&) const = default;
};

struct ReadyProbe {
  enum class Kind : unsigned char { started, http, tcp, unix_socket, stdout_line, notify };
  Kind kind = Kind::started;
  std::string value;  // http: path; unix_socket: path; stdout_line: text; tcp: "" or port
  bool operator==(const ReadyProbe&) const = default;
};

struct Warmup {
  std::string method = "POST";
  std::string path;
  std::string body;
  bool operator==(const Warmup&) const = default;
};

struct StopRule {
  int signal = 15;
  Duration grace{10s};
  std::string path;               // not empty: POST there first
  std::vector<std::string> argv;  // not empty: run first, as `docker stop NAME` is
  bool operator==(const StopRule&) const = default;
};

enum class OnExit : unsigned char { end, keep };  // what becomes of it when the daemon dies

struct ComponentLimits {
  std::optional<Bytes> memory_max;
  std::optional<double> cpus;
  std::optional<unsigned> pids_max;
  bool operator==(const ComponentLimits&) const = default;
};

// A request of a server that is not ours. ${MODEL} in it stands for the model's name there.
struct ServerRequest {
  std::string method = "POST";
  std::string path;  // empty: there is no such request
  std::string body;
  bool operator==(const ServerRequest&) const = default;
};

// How a server tells what it has loaded: a GET of `path`. A member within a member: `status.value`.
struct ServerStatus {
  std::string path;          // empty: it is not asked
  std::string list;          // the member that lists models; empty: any answer of 2xx is a yes
  std::string name{"name"};  // the member of an entry that names its model
  std::string state;         // the member that says how it is; empty: what is listed is loaded
  std::vector<std::string> loaded;  // what `state` says of a loaded one
  std::string size;                 // the member with its bytes
  std::string device_size;          // the member with the part of them that devices hold
  bool operator==(const ServerStatus&) const = default;
};

// Of kind http: a model of a server that runs by itself.
struct ServerSpec {
  std::string url;
  std::string preset;
  std::string model;  // its name there; empty: the component's
  ServerRequest load;
  ServerRequest unload;
  ServerStatus status;
  bool operator==(const ServerSpec&) const = default;
};

// Of kind unit: what a service manager or a container engine starts and stops.
struct UnitSpec {
  std::string unit;
  bool is_of_user = false;
  std::string container;
  std::string engine;  // docker or podman; empty: the one that is there
  bool operator==(const UnitSpec&) const = default;
};

// What the shell needs to bring a component up, beside the core's Spec of the same name.
struct Launch {
  std::string name;
  std::string kind = "process";
  std::vector<std::string> argv;  // already split; macros of the driver not yet expanded
  bool is_shell = false;          // argv[0] is a line for /bin/sh -c
  std::optional<int> port;        // fixed; none: a free one is chosen for each start
  ReadyProbe ready;
  std::optional<Warmup> warmup;
  StopRule stop;
  std::map<std::string, std::string> env;
  std::string directory;  // working directory; empty: the component's state folder
  std::vector<std::string> files;
  bool is_locked = false;           // of kind files: the kernel may not take them back
  std::vector<std::string> before;  // run to its end before each start; empty: nothing
  std::vector<std::string> after;   // run after each end
  unsigned instances = 1;           // of kind process: so many processes side by side
  ServerSpec server;
  UnitSpec unit;
  ComponentLimits limits;
  OnExit on_exit = OnExit::end;
  bool hibernates = true;  // it may be frozen and paged out while it is idle
  std::vector<std::string> aliases;
  unsigned concurrency = 0;  // requests passed on to it at a time; 0: no limit
  std::vector<std::string> keywords;
  std::vector<std::string> examples;
  std::string description;
  bool operator==(const Launch&) const = default;
};

// Sizes of devices that are none: of one that a single component has at a time; and of one whose
// size the machine is asked for.
inline constexpr Bytes exclusive_device{1};
inline constexpr Bytes auto_device{Bytes::unlimited().count - 1};

struct BudgetShare {
  double share = 0;  // of min(MemTotal, own cgroup limit)
  bool operator==(const BudgetShare&) const = default;
};

// How requests are passed on to components.
struct GatewaySettings {
  Duration patience{120s};          // for the component to be ready
  Duration answer_time_max{10min};  // until an answer begins
  Duration comment_interval{0};     // in a stream that waits for its load; 0: none
  Bytes kept_max = 64_MiB;          // of a body that has not named its component yet
  bool operator==(const GatewaySettings&) const = default;
};

struct Config {
  std::string path;                            // where it came from, for messages
  std::string listen_http = "127.0.0.1:7411";  // empty: no TCP
  std::string listen_socket;                   // empty: STATE/hearth.sock
  std::vector<std::string> hosts;              // further names accepted in Host
  std::size_t connections_max = hearth::connections_max;
  GatewaySettings gateway;
  std::string api_key;
  std::string state_dir;  // empty: XDG_STATE_HOME/hearth or /var/lib/hearth for root
  std::variant<Bytes, BudgetShare> budget = BudgetShare{0.6};
  Bytes reserve = 0_MiB;           // MemAvailable never to be used
  bool is_pressure_scaled = true;  // its levels are the defaults, made to fit the machine
  enum class HistoryText : unsigned char { keep, features, none };
  HistoryText history_text = HistoryText::features;
  unsigned history_days = 30;
  Bytes history_size_max = 256_MiB;
  bool is_journal_synced = false;   // journal: {sync: always}
  std::string log_level = "info";   // error warn info debug
  std::string log_format = "text";  // or json
  Configuration core;               // settings (budget unresolved: 0) and specs, in file order
  std::vector<Launch> launches;     // same order and names as core.components
  bool operator==(const Config&) const = default;
};

// Where a component's name and some of its values stand; the name, when a value is not there.
struct ComponentPlaces {
  ConfigPlace name;
  ConfigPlace command;
  ConfigPlace memory;
  ConfigPlace devices;
  ConfigPlace directory;
  ConfigPlace files;
  bool operator==(const ComponentPlaces&) const = default;
};

struct ParsedConfig {
  std::optional<Config> config;         // none when a problem is an error
  Config draft;                         // what could be read of it all the same, for the checks
  std::vector<ConfigProblem> problems;  // in order of place
  std::vector<ComponentPlaces> places;  // of draft.launches, in their order
  std::map<std::string, ConfigPlace> section_places;  // "memory.budget"
};

using Environment = std::function<std::optional<std::string>(const std::string& name)>;

[[nodiscard]] ParsedConfig parse_config(std::string_view text, std::string path,
                                        const Environment& environment);

// For who only looks for the daemon: what can be read, however bad the rest of the file is.
struct LenientConfig {
  Config config;           // not checked: to read from, never to run
  bool is_certain = true;  // false: `state`, `listen` or `api_key` may be other than in `config`
};
[[nodiscard]] LenientConfig read_leniently(std::string_view text, std::string path,
                                           const Environment& environment);
// The settings with the budget in bytes: a share of `memory_total`.
[[nodiscard]] Configuration resolve_budget(const Config& config, Bytes memory_total);

// What can never fit into this budget: core components together, or one with its needs.
// parse_config() has asked it already when the budget is not a share. Of the draft: a file that has
// other errors is told of this one too.
[[nodiscard]] std::vector<ConfigProblem> check_budget(const ParsedConfig& parsed, Bytes budget);
// The same of every pool and device; parse_config() has asked it already.
[[nodiscard]] std::vector<ConfigProblem> check_shares(const ParsedConfig& parsed);
// Warnings for commands whose program is not there. `exists` gets the program as it is written and
// the component's directory ("" when it has none); it looks into PATH when there is no slash.
using ProgramExists = std::function<bool(const std::string& program, const std::string& directory)>;
[[nodiscard]] std::vector<ConfigProblem> check_binaries(const ParsedConfig& parsed,
                                                        const ProgramExists& exists);
// Warnings for a `directory` and `files` that are not there; what a macro or an unknown folder
// decides is not asked for.
using PathExists = std::function<bool(const std::string& path)>;
[[nodiscard]] std::vector<ConfigProblem> check_paths(const ParsedConfig& parsed,
                                                     const PathExists& exists);
// Warnings for a budget or a reserve above what the machine has.
[[nodiscard]] std::vector<ConfigProblem> check_machine(const ParsedConfig& parsed,
                                                       Bytes memory_total);

// "hearth.yaml:12:5: error: ..." , one line.
[[nodiscard]] std::string to_text(const ConfigProblem& problem, std::string_view path);

// "1.5GiB", "300 MB", "512": none when it is not a size. And back, exact or to three digits.
[[nodiscard]] std::optional<Bytes> parse_bytes(std::string_view text);
[[nodiscard]] std::string format_bytes(Bytes bytes);
// "100ms", "5s", "2m", "1h".
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);
[[nodiscard]] std::string format_duration(Duration span);
// POSIX shell quoting, no expansion; an unclosed quote is an error.
[[nodiscard]] Result<std::vector<std::string>> split_command(std::string_view text);
// The nearest of `names` within a third of its length (Damerau-Levenshtein), for "did you mean".
[[nodiscard]] std::vector<std::string> near_names(std::string_view name,
                                                  const std::vector<std::string>& names);

}  // namespace hearth
