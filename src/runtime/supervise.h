// `hearth supervise`: the process between the daemon and one component.
//
// Contract   a child subreaper: every descendant of the component, double-forked and setsid ones
//            included, stays below it, and none is left when it ends. It owns the component's
//            log, and its control group (component_group.h), which the component and the command
//            before it enter before they are programs; the commands that stop and come after run
//            beside it, because they have to work when it is full. Who stays over his limit of
//            memory is ended (limit_watch.h), and the report says why. Commands before and after
//            run in the same surroundings; the one after however
//            it ended, the daemon's death included. It is told what to do over a socket (its
//            standard input, of a SOCK_SEQPACKET pair). When the socket is closed the daemon is
//            dead: everything below is killed at once and it ends, unless the job says keep and the
//            component was ready; then a new daemon that connects to RUN_DIR/NAME.sock is greeted
//            with a hello report.
// Errors     told in reports; its own exit status is 0 after an orderly end.
// Threads    one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/units.h"

namespace hearth {

inline constexpr int supervise_socket = 0;
// Instead of a name: fork a supervisor for each request on the socket. Its length leaves room for
// the name of a component in what ps shows.
inline constexpr std::string_view keeper_argument =
    "--keeper----------------------------------------------------------------";

struct SuperviseJob {
  std::string name;
  WorkId work;
  std::vector<std::string> argv;  // macros expanded
  bool is_shell = false;          // argv[0] goes to /bin/sh -c
  std::vector<std::pair<std::string, std::string>> env;
  std::string directory;
  std::string log_path;
  std::string run_dir;
  std::string endpoint;
  std::string ready_line;        // not empty: report the first line that holds it
  bool is_notified = false;      // sd_notify: report READY=1
  bool is_kept = false;          // on_exit: keep
  std::uint64_t memory_max = 0;  // 0: none; by a control group where one can be made
  std::uint64_t pids_max = 0;
  std::uint64_t cpu_us = 0;  // of each 100 ms; 0: none
  int oom_score_adj = 0;     // of the component; the supervisor keeps the daemon's
  int stop_signal = 15;
  Duration grace{10s};
  std::string stop_path;               // told back to the daemon that adopts
  std::string probe_path;              // as stop_path: of a readiness probe by HTTP
  std::vector<std::string> before;     // run to its end first
  std::vector<std::string> after;      // run once nothing of it is left
  std::vector<std::string> stop_argv;  // run before the signal; ${PID} is the main process
  unsigned of = 1;                     // so many side by side make the component
  template <class A>
  void fields(A& a) {
    a(name, work, argv, is_shell, env, directory, log_path, run_dir, endpoint, ready_line,
      is_notified, is_kept, memory_max, pids_max, cpu_us, oom_score_adj, stop_signal, grace,
      stop_path, before, after, stop_argv, of, probe_path);
  }
};

struct SuperviseOrder {
  enum class Kind : unsigned char { start, ready, stop, kill };
  friend constexpr unsigned limit_of(Kind) { return 4; }
  Kind kind = Kind::start;
  SuperviseJob job;  // of start
  template <class A>
  void fields(A& a) {
    a(kind, job);
  }
};

struct SuperviseReport {
  enum class Kind : unsigned char { started, spawn_failed, ready, exited, hello };
  friend constexpr unsigned limit_of(Kind) { return 5; }
  Kind kind = Kind::started;
  int process = 0;        // started, hello: the component's main process
  std::string text;       // exited: how; spawn_failed: why
  std::string last_line;  // of its output
  std::string group;      // started, hello: a control group that holds it and nothing else, or ""
  SuperviseJob job;       // hello
  template <class A>
  void fields(A& a) {
    a(kind, process, text, last_line, group, job);
  }
};

[[nodiscard]] bool send_order(int socket, const SuperviseOrder& order);
[[nodiscard]] bool send_report(int socket, const SuperviseReport& report);
// None at the end of the socket, or on a packet that is none of ours. Blocks unless told not to;
// `would_block` then says that nothing was there.
[[nodiscard]] std::optional<SuperviseOrder> receive_order(int socket);
[[nodiscard]] std::optional<SuperviseReport> receive_report(int socket,
                                                            bool* would_block = nullptr);

// Asks a keeper for a supervisor of `name` whose socket is `socket`. It answers with a packet: the
// process id (32 bits), or a negative errno.
[[nodiscard]] bool send_spawn(int keeper, const std::string& name, int socket);
int keep_supervisors(char** argv, int (*supervise)());

// The path of a socket in a directory of any length, as bind and connect take it; `directory_fd`
// must stay open meanwhile.
[[nodiscard]] std::string short_socket_path(int directory_fd, const std::string& name);

// The hidden command: argv[1] is the component's name, for ps, or keeper_argument.
int supervise_main(int argc, char** argv);

}  // namespace hearth
