#include "drivers/server.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "drivers/model_server.h"
#include "drivers/run_record.h"
#include "runtime/clock.h"
#include "runtime/files.h"
#include "runtime/mutex.h"

namespace hearth {
namespace {

constexpr Duration question_time_max = 2s;
constexpr Duration unload_time_max = 10s;
constexpr unsigned misses_max = 2;      // a server that answers late once has not lost its model
constexpr std::size_t askers_max = 16;  // servers that are asked at the same time
constexpr std::string_view record_suffix = ".server";

// What a daemon that comes later must know of a model that this one has loaded.
struct Record {
  std::string name;
  WorkId work;
  std::string url;
  std::string preset;
  std::string model;
  std::vector<std::string> unload;  // method, path, body; empty: the preset's
  std::vector<std::string> status;  // path, list, name, state, size, device_size
  std::vector<std::string> loaded;
  template <class A>
  void fields(A& a) {
    a(name, work, url, preset, model, unload, status, loaded);
  }
};

Record record_of(const LoadJob& job) {
  const ServerSpec& server = job.launch.server;
  const ServerStatus& status = server.status;
  return {.name = job.launch.name,
          .work = job.work,
          .url = server.url,
          .preset = server.preset,
          .model = server.model,
          .unload = {server.unload.method, server.unload.path, server.unload.body},
          .status = {status.path, status.list, status.name, status.state, status.size,
                     status.device_size},
          .loaded = status.loaded};
}

Launch launch_of(const Record& record) {
  Launch launch;
  launch.name = record.name;
  launch.kind = "http";
  launch.server.url = record.url;
  launch.server.preset = record.preset;
  launch.server.model = record.model;
  if (record.unload.size() == 3) {
    launch.server.unload = {record.unload[0], record.unload[1], record.unload[2]};
  }
  if (record.status.size() == 6) {
    launch.server.status = {record.status[0], record.status[1], record.status[2], record.status[3],
                            record.loaded,    record.status[4], record.status[5]};
  }
  return launch;
}

// One model that is loaded, as its Instance and the looking thread share it.
struct Loaded {
  Loaded(std::string component, ServerRules its_rules, std::string its_endpoint,
         std::string record_file)
      : name(std::move(component)),
        rules(std::move(its_rules)),
        endpoint(std::move(its_endpoint)),
        record(std::move(record_file)),
        gone(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  const std::string name;
  const ServerRules rules;
  const std::string endpoint;  // its url, with a numeric host
  const std::string record;
  const Descriptor gone;  // readable once it has ended by itself
  Mutex telling;          // what the server is told of it, and is_over with it; before `mutex`
  Mutex mutex;
  MemoryFigures memory HEARTH_GUARDED_BY(mutex);
  std::string how_it_ended HEARTH_GUARDED_BY(mutex);
  std::atomic<bool> is_over{false};  // unloaded, or seen to be gone
  unsigned misses = 0;               // of the looking thread alone
};

// What is loaded and what is configured; looks at both now and then.
class Lookout {
 public:
  explicit Lookout(ServerDriverOptions options)
      : options_(options), thread_([this](std::stop_token stop) { run(stop); }) {}
  ~Lookout() {
    thread_.request_stop();
    wake();
  }

  void add(std::shared_ptr<Loaded> one) {
    const MutexLock lock{mutex_};
    told_.erase(one->name);
    loaded_.push_back(std::move(one));
    woken_.notify_all();
  }
  void drop(const std::shared_ptr<Loaded>& one) {
    const MutexLock lock{mutex_};
    std::erase(loaded_, one);
  }
  // Between begin and end what the server says of that component is our own doing.
  void begin(const std::string& name) {
    const MutexLock lock{mutex_};
    busy_.insert(name);
    ++changes_;
  }
  void end(const std::string& name) {
    const MutexLock lock{mutex_};
    busy_.erase(busy_.find(name));
    ++changes_;
  }
  // Once it has returned, what was given before is not called any more.
  void observe(const std::vector<Launch>& launches, Driver::Appeared appeared) {
    const MutexLock calling{calling_};
    const MutexLock lock{mutex_};
    watched_.clear();
    for (const Launch& launch : launches) {
      if (launch.kind == "http") watched_[launch.name] = resolve(launch);
    }
    appeared_ = std::move(appeared);
    told_.clear();
    woken_.notify_all();
  }

 private:
  void wake() {
    const MutexLock lock{mutex_};
    woken_.notify_all();
  }
  [[nodiscard]] bool is_watching() const HEARTH_REQUIRES(mutex_) {
    return std::ranges::any_of(watched_,
                               [](const auto& one) { return !one.second.status.list.empty(); });
  }
  void run(std::stop_token stop);
  void look_after(Loaded& one, StatusRound& round, const std::stop_token& stop);
  void look_for_strangers(StatusRound& round, const std::stop_token& stop);
  void forget_told(const std::string& name);
  void tell_if_strange(const std::string& name, std::uint64_t changes_before);

  const ServerDriverOptions options_;
  Mutex calling_;  // held while `appeared_` is called; before mutex_
  Mutex mutex_;
  Condition woken_;
  std::vector<std::shared_ptr<Loaded>> loaded_ HEARTH_GUARDED_BY(mutex_);
  std::map<std::string, ServerRules> watched_ HEARTH_GUARDED_BY(mutex_);
  std::multiset<std::string> busy_ HEARTH_GUARDED_BY(mutex_);
  std::uint64_t changes_ HEARTH_GUARDED_BY(mutex_) = 0;
  Driver::Appeared appeared_ HEARTH_GUARDED_BY(mutex_);
  std::map<std::string, Instant> told_ HEARTH_GUARDED_BY(mutex_);  // strangers, and when they were
  std::jthread thread_;  // the last: it uses all of the above
};

// A look is due a period after the one before, however often somebody calls meanwhile.
void Lookout::run(std::stop_token stop) {
  Instant looked = boot_now();
  Instant looked_far = looked;
  while (true) {
    std::vector<std::shared_ptr<Loaded>> loaded;
    bool is_far = false;
    {
      const MutexLock lock{mutex_};
      if (stop.stop_requested()) return;
      if (loaded_.empty() && !is_watching()) {
        woken_.wait(mutex_);
        looked = looked_far = boot_now();
        continue;
      }
      if (!is_watching()) looked_far = boot_now();
      const Instant far_due = looked_far + options_.far_look_period;
      const Instant due =
          loaded_.empty() ? far_due : std::min(looked + options_.look_period, far_due);
      if (boot_now() < due) {
        woken_.wait_for(mutex_, due - boot_now());
        continue;
      }
      is_far = boot_now() >= far_due;
      loaded = loaded_;
    }
    StatusRound round;
    for (const auto& one : loaded) look_after(*one, round, stop);
    // What was said of ours may be older than what is asked of strangers now.
    StatusRound far_round;
    if (is_far) look_for_strangers(far_round, stop);
    looked = boot_now();
    if (is_far) looked_far = looked;
  }
}

void Lookout::look_after(Loaded& one, StatusRound& round, const std::stop_token& stop) {
  if (one.is_over || stop.stop_requested() || one.rules.status.path.empty()) return;
  const auto sight = round.look(one.name, one.rules, question_time_max, stop);
  if (stop.stop_requested() || one.is_over) return;
  if (sight && sight->is_loaded) {
    one.misses = 0;
    {
      const MutexLock lock{one.mutex};
      one.memory = sight->memory;
    }
    // Told again by the next look when this fails; never once it is being unloaded.
    const MutexLock telling{one.telling};
    if (!sight->will_expire || one.is_over) return;
    (void)ModelServer{one.name, one.rules}.tell_to_load(question_time_max, stop);
    return;
  }
  if (++one.misses < misses_max) return;
  {
    const MutexLock lock{one.mutex};
    one.how_it_ended = sight ? one.name + ": " + one.rules.url + " has unloaded it, and not for us"
                             : sight.error().detail;
  }
  one.is_over = true;
  const std::uint64_t told = 1;
  (void)::write(one.gone.get(), &told, sizeof told);
}

// Models that somebody had loaded past us.
void Lookout::look_for_strangers(StatusRound& round, const std::stop_token& stop) {
  std::map<std::string, ServerRules> watched;
  {
    const MutexLock lock{mutex_};
    watched = watched_;
    for (const auto& one : loaded_) watched.erase(one->name);
  }
  std::map<std::string, std::uint64_t> changes;  // by url: before it was asked
  for (const auto& [name, rules] : watched) {
    if (stop.stop_requested()) return;
    // A server that does not list its models would have to be asked for each.
    if (rules.status.list.empty()) continue;
    {
      const MutexLock lock{mutex_};
      changes.try_emplace(rules.url, changes_);
    }
    const auto sight = round.look(name, rules, question_time_max, stop);
    if (sight && sight->is_loaded) tell_if_strange(name, changes.at(rules.url));
    if (sight && !sight->is_loaded) forget_told(name);
  }
}

// What comes again later is news.
void Lookout::forget_told(const std::string& name) {
  const MutexLock lock{mutex_};
  told_.erase(name);
}

// If nothing of ours began or ended while the server was asked.
void Lookout::tell_if_strange(const std::string& name, std::uint64_t changes_before) {
  const MutexLock calling{calling_};
  Driver::Appeared appeared;
  Stranger stranger{.name = name};
  {
    const MutexLock lock{mutex_};
    const bool is_ours = std::ranges::any_of(
        loaded_, [&](const std::shared_ptr<Loaded>& one) { return one->name == name; });
    if (is_ours || busy_.contains(name) || changes_ != changes_before) return;
    if (!watched_.contains(name)) return;
    const auto [told, is_new] = told_.try_emplace(name, boot_now());
    stranger.is_new = is_new;
    if (!is_new && boot_now() < told->second + options_.stranger_period) return;
    told->second = boot_now();
    appeared = appeared_;
  }
  if (appeared) appeared(stranger);
}

class Busy {
 public:
  Busy(Lookout& lookout, std::string name) : lookout_(lookout), name_(std::move(name)) {
    lookout_.begin(name_);
  }
  ~Busy() { lookout_.end(name_); }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  Lookout& lookout_;
  const std::string name_;
};

class ServerInstance : public Instance {
 public:
  ServerInstance(std::shared_ptr<Loaded> loaded, std::shared_ptr<Lookout> lookout)
      : loaded_(std::move(loaded)), lookout_(std::move(lookout)) {
    lookout_->add(loaded_);
  }
  ~ServerInstance() override { lookout_->drop(loaded_); }

  [[nodiscard]] std::string endpoint() const override { return loaded_->endpoint; }
  [[nodiscard]] int process() const override { return 0; }
  [[nodiscard]] int supervisor() const override { return 0; }
  [[nodiscard]] int exit_fd() const override { return loaded_->gone.get(); }
  [[nodiscard]] std::string exit_detail() override {
    const MutexLock lock{loaded_->mutex};
    return loaded_->how_it_ended;
  }
  [[nodiscard]] MemoryFigures measure() const override {
    const MutexLock lock{loaded_->mutex};
    return loaded_->memory;
  }
  void unload() override {
    const Busy busy{*lookout_, loaded_->name};
    lookout_->drop(loaded_);
    // One that cannot be told keeps what it has: the record stays, for the next load or the next
    // daemon, and a look finds it as a stranger's.
    const MutexLock telling{loaded_->telling};
    const bool is_ours = !loaded_->is_over.exchange(true);
    if (is_ours && !ModelServer{loaded_->name, loaded_->rules}.unload(unload_time_max)) return;
    remove_record(loaded_->record);
  }

 private:
  std::shared_ptr<Loaded> loaded_;
  std::shared_ptr<Lookout> lookout_;
};

class ServerDriver : public Driver {
 public:
  explicit ServerDriver(ServerDriverOptions options)
      : lookout_(std::make_shared<Lookout>(options)) {}

  [[nodiscard]] std::string_view kind() const override { return "http"; }
  [[nodiscard]] Result<std::unique_ptr<Instance>> load(const LoadJob& job,
                                                       std::stop_token stop) override;
  [[nodiscard]] std::vector<Adopted> adopt(const std::string& run_dir) override;
  void observe(const std::vector<Launch>& launches, Appeared appeared) override {
    lookout_->observe(launches, std::move(appeared));
  }
  [[nodiscard]] OwnServer server_of(const Launch& launch) const override {
    const ServerRules rules = resolve(launch);
    return {.endpoint = rules.url, .model = rules.model};
  }

 private:
  std::vector<Adopted> adopt_of_one_server(const std::vector<Record>& records,
                                           const std::string& run_dir);

  std::shared_ptr<Lookout> lookout_;
};

Result<std::string> endpoint_of(const std::string& url) {
  const HttpAddress address = HEARTH_TRY(parse_http_address(url));
  return to_text(HEARTH_TRY(resolved(address)));
}

Result<> warm_up(const LoadJob& job, const ServerRules& rules, Instant deadline,
                 const std::stop_token& stop) {
  const auto& warmup = job.launch.warmup;
  if (!warmup) return {};
  HttpClient client{HEARTH_TRY(parse_http_address(rules.url))};
  const auto reply = client.send({.method = warmup->method,
                                  .path = warmup->path,
                                  .headers = {{"Content-Type", "application/json"}},
                                  .body = warmup->body,
                                  .timeout = std::max<Duration>(deadline - boot_now(), 1ms),
                                  .stop = stop});
  if (reply && reply->status / 100 == 2) return {};
  return fail(
      reply ? Errc::failed : reply.error().code,
      job.launch.name + ": its warm-up request " + warmup->method + " " + warmup->path +
          " failed: " + (reply ? "status " + std::to_string(reply->status) : reply.error().detail));
}

Result<std::unique_ptr<Instance>> ServerDriver::load(const LoadJob& job, std::stop_token stop) {
  const Instant deadline = boot_now() + job.timeout;
  const Busy busy{*lookout_, job.launch.name};
  const std::string record = record_path(job.run_dir, job.launch.name, record_suffix);
  // Before the server is told: a crash in between must not leave a model that nobody knows.
  HEARTH_TRY(write_record(job.run_dir, record_suffix, record_of(job)));
  ModelServer server{job.launch.name, resolve(job.launch)};
  auto sight = server.load(deadline, stop);
  Result<std::string> endpoint = std::string{};
  if (sight) endpoint = endpoint_of(server.rules().url);
  Result<> warmed;
  if (sight && endpoint) warmed = warm_up(job, server.rules(), deadline, stop);
  if (!sight || !endpoint || !warmed) {
    const Error why = !sight ? sight.error() : !endpoint ? endpoint.error() : warmed.error();
    // It may be on its way; what cannot be reached has nothing to give back.
    const bool was_reached = why.code != Errc::unavailable || stop.stop_requested();
    if (!was_reached || server.unload(unload_time_max)) remove_record(record);
    return std::unexpected{why};
  }
  auto loaded = std::make_shared<Loaded>(job.launch.name, server.rules(), *endpoint, record);
  {
    const MutexLock lock{loaded->mutex};
    loaded->memory = sight->memory;
  }
  return std::make_unique<ServerInstance>(std::move(loaded), lookout_);
}

// Servers that hang cost one question's time together, and not one for each model.
std::vector<Adopted> ServerDriver::adopt(const std::string& run_dir) {
  std::map<std::string, std::vector<Record>> of_server;
  for (Record& record : read_records<Record>(run_dir, record_suffix)) {
    of_server[resolve(launch_of(record)).url].push_back(std::move(record));
  }
  std::vector<std::vector<Record>> groups;
  for (auto& [url, records] : of_server) groups.push_back(std::move(records));
  std::vector<std::vector<Adopted>> found(groups.size());
  std::atomic<std::size_t> next = 0;
  {
    std::vector<std::jthread> askers;
    while (askers.size() < std::min(groups.size(), askers_max)) {
      askers.emplace_back([&] {
        for (std::size_t i = next++; i < groups.size(); i = next++) {
          found[i] = adopt_of_one_server(groups[i], run_dir);
        }
      });
    }
  }
  std::vector<Adopted> adopted;
  for (std::vector<Adopted>& some : found) {
    adopted.insert(adopted.end(), std::make_move_iterator(some.begin()),
                   std::make_move_iterator(some.end()));
  }
  return adopted;
}

std::vector<Adopted> ServerDriver::adopt_of_one_server(const std::vector<Record>& records,
                                                       const std::string& run_dir) {
  std::vector<Adopted> adopted;
  StatusRound round;
  std::optional<Result<std::string>> endpoint;
  bool is_listening = true;
  for (const Record& record : records) {
    const std::string path = record_path(run_dir, record.name, record_suffix);
    const ServerRules rules = resolve(launch_of(record));
    const auto sight = round.look(record.name, rules, question_time_max);
    if (sight && !endpoint) endpoint = endpoint_of(rules.url);
    if (!sight || !*endpoint) continue;  // it may have it still: known to the next daemon
    if (!sight->is_loaded) {
      // A load that was under way may end yet.
      if (!is_listening) continue;
      const auto unloaded = ModelServer{record.name, rules}.unload(question_time_max);
      if (unloaded) remove_record(path);
      is_listening = unloaded || unloaded.error().code == Errc::failed;
      continue;
    }
    auto loaded = std::make_shared<Loaded>(record.name, rules, **endpoint, path);
    {
      const MutexLock lock{loaded->mutex};
      loaded->memory = sight->memory;
    }
    adopted.push_back(
        {record.name, record.work, std::make_unique<ServerInstance>(std::move(loaded), lookout_)});
  }
  return adopted;
}

}  // namespace

std::unique_ptr<Driver> make_server_driver(ServerDriverOptions options) {
  return std::make_unique<ServerDriver>(options);
}

}  // namespace hearth
