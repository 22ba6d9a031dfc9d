// The daemon as its API sees it. Implemented by runtime/daemon.h; a test may implement its own.
//
// Contract   every asking function appends one event and returns at once; its callback is called
//            exactly once, on the core thread, and must not block (post to your own executor). A
//            RequestId handed back can be abandoned when the client is gone: then no callback
//            comes.
// Errors     a queue that is full calls back at once with Errc::exhausted.
// Threads    thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/config.h"
#include "core/engine/action.h"
#include "core/engine/engine.h"
#include "ports/driver.h"
#include "runtime/measures.h"

namespace hearth {

// Names of one configuration; immutable. Ids are the engine's.
class Names {
 public:
  virtual ~Names() = default;
  [[nodiscard]] virtual std::optional<ComponentId> find(std::string_view name_or_alias) const = 0;
  [[nodiscard]] virtual std::string_view name(ComponentId id) const = 0;  // "" when unknown
  [[nodiscard]] virtual std::vector<std::string> all() const = 0;
  [[nodiscard]] virtual std::vector<std::string> near(std::string_view name) const = 0;
  // By what clients may call it, the best first: not by its own name where its server has another.
  [[nodiscard]] virtual std::vector<std::string> callable(ComponentId id) const = 0;
  // Of the server that it is a model of, which runs by itself; "" when it is a program of ours.
  [[nodiscard]] virtual std::string_view server(ComponentId id) const = 0;
  // Requests that it takes at a time; 0: as many as come.
  [[nodiscard]] virtual unsigned concurrency(ComponentId id) const = 0;
};

struct Answer {
  action::Reply reply;
  std::string detail;                  // a refusal in words, with the mend
  std::vector<Intent> intents;         // of a command
  std::vector<std::string> endpoints;  // one for each of reply.components, may be ""
};
using AnswerCallback = std::move_only_function<void(Answer)>;

struct CommandAsk {
  std::string text;
  std::string session;  // empty: `peer`
  std::string peer;
  bool waits = true;
  Duration patience{30s};
  Duration lease{60s};
  bool ends_with_answer = false;  // the lease: components may take turns
};
struct LeaseAsk {
  std::vector<ComponentId> components;
  std::string session;
  std::string owner;
  CommandId command;
  Duration patience{30s};
  Duration length{60s};
  bool is_preemptible = false;
  bool is_use = false;            // somebody outside has named them: a use by itself
  bool ends_with_answer = false;  // components may take turns
};

struct ComponentRow {
  ComponentView view;  // view.name points into `name`'s copy: use `name`
  std::string name;
  std::string endpoint;
  std::string description;
  std::vector<std::string> needs;
  std::vector<std::string> conflicts;
  std::vector<std::string> aliases;
  MemoryFigures memory;  // of the last sample
  MemoryPeaks peaks;     // of all samples since it was loaded
  int process = 0;       // the component's main process
  int supervisor = 0;    // above it
  std::string last_error;
};
struct LeaseRow {
  LeaseId id;
  std::string owner;
  std::string session;
  CommandId command;
  std::vector<std::string> components;
  Duration remaining{0};
  bool is_preemptible = false;
};
struct BudgetRow {
  std::string name;  // ram, page_cache, a device, or pool NAME
  Bytes budget;
  Bytes used;
  bool is_pool = false;
  bool is_hard = false;              // of a pool: its size is a limit
  Bytes borrowed{};                  // of a pool: above its size
  Bytes lent{};                      // of a pool: of its size, and in use by others
  std::vector<std::string> held_by;  // of a device: the resident components that take of it
  std::optional<Bytes> measured{};   // what its components hold by the last sample, where known
};
struct PressureFigures {
  PressureSign sign = PressureSign::memory;  // which of them says so
  double stall_share = 0;                    // of the time, programs wait for memory
  Bytes swap_rate;                           // a second
  Bytes withheld;                            // of the ram budget: in use by other programs
  std::optional<Forecast> forecast{};
};
struct DaemonStatus {
  std::string version;
  std::int64_t started_unix_ms = 0;
  std::int64_t now_unix_ms = 0;
  Instant now;  // the engine's; Decision::at is on this clock
  std::string config_path;
  std::string state_dir;
  std::string policy;
  Pressure pressure = Pressure::low;
  bool saves_power = false;
  Bytes available;
  PressureFigures figures;
  Totals totals;
  MeasureFigures measures;
  std::size_t waiting = 0;
  std::size_t event_queue = 0;
  std::uint64_t journal_sequence = 0;
  Bytes daemon_rss;
  std::vector<std::string> troubles;  // what a person should know: "journal: disk full since ..."
  std::vector<BudgetRow> budgets;
  std::vector<ComponentRow> components;
  std::vector<LeaseRow> leases;
  std::vector<Decision> decisions;  // oldest first
  bool is_shutting_down = false;
};

// One line of the event stream: a decision, with the journal sequence that it came of. Who has
// seen the last of a sequence has seen all of it, and can go on behind it.
struct StreamItem {
  std::uint64_t sequence = 0;
  std::int64_t unix_ms = 0;
  Decision decision;
  bool is_last = true;
};

// Whose leases keep() takes; nobody else may call himself so.
inline constexpr std::string_view keep_alive_owner = "keep_alive";

class Service {
 public:
  virtual ~Service() = default;

  [[nodiscard]] virtual std::shared_ptr<const Names> names() const = 0;
  virtual RequestId command(CommandAsk ask, AnswerCallback callback) = 0;
  virtual RequestId lease(LeaseAsk ask, AnswerCallback callback) = 0;
  virtual RequestId renew(LeaseId lease, Duration length, AnswerCallback callback) = 0;
  virtual RequestId release(LeaseId lease, AnswerCallback callback) = 0;
  // The same without an answer, for who gives back many. While nobody waits for anything it is seen
  // with what comes next, so call look_around() before long.
  virtual void let_go(LeaseId lease) = 0;
  virtual void look_around() = 0;
  virtual RequestId load(ComponentId id, bool waits, Duration patience,
                         AnswerCallback callback) = 0;
  virtual RequestId unload(std::vector<ComponentId> ids, AnswerCallback callback) = 0;
  virtual RequestId pin(ComponentId id, bool is_pinned, AnswerCallback callback) = 0;
  virtual RequestId used(CommandId command, std::vector<ComponentId> ids,
                         AnswerCallback callback) = 0;
  // It stays for so long, from now on and without use, unless its room is needed; in place of what
  // was asked before. Duration::max(): until it is asked otherwise; 0: it is unloaded, as soon as
  // nobody holds it.
  virtual void keep(ComponentId id, Duration span) = 0;
  virtual void signal(std::string name, std::string session) = 0;
  virtual void abandon(RequestId request) = 0;

  virtual void status(std::move_only_function<void(DaemonStatus)> callback) = 0;
  // Called on the core thread for each decision from now on, until it returns false. The items
  // after `after` that are still kept are delivered first; when some of them are gone, `lost` is
  // true once.
  virtual void subscribe(std::uint64_t after,
                         std::move_only_function<bool(const StreamItem&, bool lost)> callback) = 0;
  // Reads the configuration file again; the error text holds every problem, a line each.
  virtual void reload(std::move_only_function<void(Result<>)> callback) = 0;
  virtual void shutdown() = 0;
  [[nodiscard]] virtual bool is_ready() const = 0;  // core components are up
};

}  // namespace hearth
