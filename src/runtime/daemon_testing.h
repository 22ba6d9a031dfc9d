// A daemon over components without processes, for the tests beside it.
//
// Contract   begin() starts one on the state directory of the test, and ends the one before as a
//            crash would; stop() drains it. What the history is told is in rows_.
// Threads    one.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ports/history.h"
#include "runtime/daemon.h"
#include "runtime/fake_driver.h"

namespace hearth::testing {

// The words of a command are names: each is demanded. "likely-NAME" is a preload.
class WordClassifier : public Classifier {
 public:
  explicit WordClassifier(const std::vector<Launch>& launches, const Names& names) {
    for (const Launch& launch : launches) ids_[launch.name] = *names.find(launch.name);
  }
  [[nodiscard]] std::vector<Intent> classify(std::string_view text) const override {
    std::vector<Intent> intents;
    for (const auto& [name, id] : ids_) {
      const std::size_t at = text.find(name);
      if (at == text.npos) continue;
      const bool is_likely = at >= 7 && text.substr(at - 7, 7) == "likely-";
      intents.push_back({id, is_likely ? 0.3 : 0.9});
    }
    std::ranges::sort(intents, {}, &Intent::component);
    return intents;
  }

 private:
  std::map<std::string, ComponentId> ids_;
};

// What it is told is in Rows, which outlives the daemon. `failures`: so many apply() fail. While
// `is_held` prune() blocks, and with it all that the daemon writes beside the journal.
class RecordingHistory : public History {
 public:
  struct Rows {
    Mutex mutex;
    Condition changed;
    int failures HEARTH_GUARDED_BY(mutex) = 0;
    bool is_held HEARTH_GUARDED_BY(mutex) = false;
    std::vector<unsigned> prunes HEARTH_GUARDED_BY(mutex);  // the days of each
    void hold(bool is_holding) {
      const MutexLock lock{mutex};
      is_held = is_holding;
      changed.notify_all();
    }
    void fail(int times) {
      const MutexLock lock{mutex};
      failures = times;
    }
    void add(std::uint64_t sequence) {
      const MutexLock lock{mutex};
      entries.push_back({.sequence = sequence});
    }
    std::vector<HistoryEntry> all() {
      const MutexLock lock{mutex};
      return entries;
    }
    std::vector<unsigned> pruned() {
      const MutexLock lock{mutex};
      return prunes;
    }
    std::vector<HistoryEntry> entries HEARTH_GUARDED_BY(mutex);
    std::vector<event::Learnt> learnt HEARTH_GUARDED_BY(mutex);
  };
  explicit RecordingHistory(std::shared_ptr<Rows> rows) : rows_(std::move(rows)) {}
  [[nodiscard]] Result<> apply(const std::vector<HistoryEntry>& entries) override {
    const std::uint64_t last = last_sequence();
    const MutexLock lock{rows_->mutex};
    if (rows_->failures > 0) {
      --rows_->failures;
      return fail(Errc::io, "the test's disk is full");
    }
    for (const HistoryEntry& entry : entries) {
      if (entry.sequence > last) rows_->entries.push_back(entry);
    }
    return {};
  }
  [[nodiscard]] std::uint64_t last_sequence() const override {
    const MutexLock lock{rows_->mutex};
    return rows_->entries.empty() ? 0 : rows_->entries.back().sequence;
  }
  [[nodiscard]] Result<std::vector<HistoryEntry>> last(std::size_t, std::string_view) override {
    const MutexLock lock{rows_->mutex};
    return rows_->entries;
  }
  [[nodiscard]] Result<> save_learnt(const std::vector<event::Learnt>& learnt) override {
    const MutexLock lock{rows_->mutex};
    rows_->learnt = learnt;
    return {};
  }
  [[nodiscard]] Result<std::vector<event::Learnt>> load_learnt() override {
    const MutexLock lock{rows_->mutex};
    return rows_->learnt;
  }
  [[nodiscard]] Result<> prune(std::int64_t, unsigned days, Bytes) override {
    const MutexLock lock{rows_->mutex};
    rows_->prunes.push_back(days);
    while (rows_->is_held) rows_->changed.wait(rows_->mutex);
    return {};
  }

 private:
  std::shared_ptr<Rows> rows_;
};

class DaemonTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "hearth-daemon-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    config_.state_dir = directory_ + "/state";
    config_.budget = 1_GiB;
    config_.core.settings.budget = Bytes{};
    config_.core.settings.unknown_memory = 100_MiB;
    config_.core.settings.retry_delay = 1ms;
    config_.core.settings.load_attempts_max = 2;
    config_.core.settings.drain_time_max = 1ms;
    for (const char* name : {"ocr", "asr", "tts"}) declare(name);
  }
  void TearDown() override {
    rows_->hold(false);
    daemon_.reset();
    std::filesystem::remove_all(directory_);
  }

  Spec& declare(const std::string& name) {
    config_.launches.push_back({.name = name, .argv = {"/bin/true"}});
    config_.core.components.push_back({.name = name});
    return config_.core.components.back();
  }
  Spec& spec(const std::string& name) {
    return *std::ranges::find(config_.core.components, name, &Spec::name);
  }

  Result<std::unique_ptr<Daemon>> make(bool is_adopting = false) {
    DaemonOptions options;
    options.config = config_;
    options.load_config = [this]() -> Result<Config> {
      if (reload_error_.empty()) return config_;
      return fail(Errc::invalid, reload_error_);
    };
    options.drivers.push_back(std::make_unique<FakeDriver>(world_, is_adopting));
    options.history = std::make_unique<RecordingHistory>(rows_);
    options.machine = std::make_unique<FakeMachine>(world_);
    options.make_classifier = [](const std::vector<Launch>& launches, const Names& names) {
      return std::make_shared<WordClassifier>(launches, names);
    };
    options.log = std::make_shared<Log>(LogLevel::debug, false, [this](std::string_view line) {
      const MutexLock lock{log_mutex_};
      log_ += line;
    });
    options.snapshot_events = snapshot_events_;
    options.sample_period = 20ms;
    options.devices = std::move(devices_);
    options.device_period = 20ms;
    options.idle_sample_period = idle_sample_period_;
    options.prune_period = prune_period_;
    options.open_doors = open_doors_;
    return Daemon::start(std::move(options));
  }
  void begin(bool is_adopting = false) {
    daemon_.reset();
    auto made = make(is_adopting);
    ASSERT_TRUE(made) << made.error().detail;
    daemon_ = std::move(*made);
  }
  std::string log() {
    const MutexLock lock{log_mutex_};
    return log_;
  }

  template <class Ask>
  Answer answer_to(const Ask& ask) {
    auto answered = std::make_shared<std::promise<Answer>>();
    auto future = answered->get_future();
    ask([answered](Answer answer) { answered->set_value(std::move(answer)); });
    return future.get();
  }
  Answer command(const std::string& text, bool waits = true) {
    return answer_to([&](AnswerCallback callback) {
      daemon_->command({.text = text, .waits = waits}, std::move(callback));
    });
  }
  Answer lease(const std::string& name) {
    return answer_to([&](AnswerCallback callback) {
      daemon_->lease({.components = {id(name)}, .owner = "me"}, std::move(callback));
    });
  }
  Answer release(LeaseId lease) {
    return answer_to(
        [&](AnswerCallback callback) { daemon_->release(lease, std::move(callback)); });
  }
  Answer pin(const std::string& name, bool is_pinned = true) {
    return answer_to(
        [&](AnswerCallback callback) { daemon_->pin(id(name), is_pinned, std::move(callback)); });
  }
  Result<> reload() {
    auto reloaded = std::make_shared<std::promise<Result<>>>();
    auto future = reloaded->get_future();
    daemon_->reload([reloaded](Result<> result) { reloaded->set_value(result); });
    return future.get();
  }
  // Ends the daemon and leaves the state directory as it is now: as a kill would at this moment.
  void kill_now() {
    const std::string image = directory_ + "/image";
    std::filesystem::copy(config_.state_dir, image, std::filesystem::copy_options::recursive);
    rows_->hold(false);
    daemon_.reset();
    std::filesystem::remove_all(config_.state_dir);
    std::filesystem::rename(image, config_.state_dir);
  }
  Answer unload(const std::string& name) {
    return answer_to(
        [&](AnswerCallback callback) { daemon_->unload({id(name)}, std::move(callback)); });
  }
  ComponentId id(const std::string& name) { return *daemon_->names()->find(name); }
  DaemonStatus status() {
    auto told = std::make_shared<std::promise<DaemonStatus>>();
    auto future = told->get_future();
    daemon_->status([told](DaemonStatus status) { told->set_value(std::move(status)); });
    return future.get();
  }
  ComponentRow row(const std::string& name) {
    const DaemonStatus now = status();
    return *std::ranges::find(now.components, name, &ComponentRow::name);
  }
  void stop() {
    daemon_->shutdown();
    daemon_->wait();
  }
  // Asks until a claim about the status holds; the test's own time limit ends it otherwise.
  template <class Claim>
  void until(const Claim& claim) {
    while (!claim(status())) std::this_thread::yield();
  }
  static bool is_in(const DaemonStatus& status, const std::string& name, State state) {
    return std::ranges::find(status.components, name, &ComponentRow::name)->view.state == state;
  }

  std::string directory_;
  Config config_;
  std::string reload_error_;
  std::uint64_t snapshot_events_ = 4096;
  Duration idle_sample_period_{5s};
  Duration prune_period_{1h};
  std::function<Result<>(Daemon&)> open_doors_;
  std::shared_ptr<World> world_ = std::make_shared<World>();
  std::shared_ptr<RecordingHistory::Rows> rows_ = std::make_shared<RecordingHistory::Rows>();
  Mutex log_mutex_;
  std::string log_ HEARTH_GUARDED_BY(log_mutex_);
  std::unique_ptr<Devices> devices_;  // of the next daemon
  std::unique_ptr<Daemon> daemon_;
};

}  // namespace hearth::testing
