// A Service made of fixed answers, for the tests of the API, its fuzz target and its benchmark.
//
// Contract   knows ocr, asr (a conflict of ocr), tess (a need of ocr) and translate, and answers at
//            once on the calling thread. While `holds` is set, callbacks are kept until
//            answer_held() gives them on the thread that calls it.
// Threads    thread-safe; what is public and no atomic is set before it is used.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/config.h"
#include "runtime/mutex.h"
#include "runtime/service.h"

namespace hearth {

class FakeNames final : public Names {
 public:
  [[nodiscard]] std::optional<ComponentId> find(std::string_view name) const override {
    if (name == "reader") name = "ocr";
    for (std::uint32_t i = 0; i < names_.size(); ++i) {
      if (names_.at(i) == name) return ComponentId{i};
    }
    return std::nullopt;
  }
  [[nodiscard]] std::string_view name(ComponentId id) const override {
    return id.value < names_.size() ? names_.at(id.value) : std::string_view{};
  }
  [[nodiscard]] std::vector<std::string> all() const override {
    return {names_.begin(), names_.end()};
  }
  [[nodiscard]] std::vector<std::string> near(std::string_view name) const override {
    return near_names(name, all());
  }
  [[nodiscard]] std::vector<std::string> callable(ComponentId id) const override {
    std::vector<std::string> names{std::string(name(id))};
    if (id == ComponentId{1}) names.emplace_back("reader");
    return names;
  }
  [[nodiscard]] std::string_view server(ComponentId id) const override {
    return id == ComponentId{1} ? std::string_view{its_server} : std::string_view{};
  }
  [[nodiscard]] unsigned concurrency(ComponentId id) const override {
    return id.value < concurrency_.size() ? concurrency_.at(id.value).load() : 0;
  }
  void limit(ComponentId id, unsigned concurrency) { concurrency_.at(id.value) = concurrency; }
  std::string its_server;  // of ocr, where it is a model of one

 private:
  std::array<std::string_view, 4> names_{"asr", "ocr", "tess", "translate"};
  std::array<std::atomic<unsigned>, 4> concurrency_{};
};

class FakeService final : public Service {
 public:
  static constexpr ComponentId asr{0}, ocr{1}, tess{2};

  std::optional<action::Reply> refusal;  // answers everything that can be refused
  std::string refusal_detail;
  std::string endpoint = "http://127.0.0.1:40123";  // of a ready ocr
  std::atomic<bool> holds = false;
  std::atomic<bool> ready = true;
  std::optional<Error> reload_error;
  std::function<void(DaemonStatus&)> change_status;  // of what status() tells

  [[nodiscard]] std::shared_ptr<const Names> names() const override { return names_; }

  RequestId command(CommandAsk ask, AnswerCallback callback) override {
    Answer answer;
    answer.reply.command = CommandId{++commands_};
    if (ask.text.find("screen") != std::string::npos) {
      answer = screen_answer(answer.reply.command, ask.waits);
      if (ask.lease == Duration{0}) answer.reply.lease = {};  // as the daemon
    } else {
      answer.reply.is_granted = true;
    }
    const MutexLock lock(mutex_);
    last_command_ = std::move(ask);
    return give(std::move(answer), std::move(callback));
  }
  RequestId lease(LeaseAsk ask, AnswerCallback callback) override {
    Answer answer = screen_answer({}, true);
    const MutexLock lock(mutex_);
    ++lease_count_;
    last_lease_ = std::move(ask);
    return give(std::move(answer), std::move(callback));
  }
  RequestId renew(LeaseId lease, Duration length, AnswerCallback callback) override {
    Answer answer = granted();
    answer.reply.lease = lease;
    answer.reply.lease_until = Instant{0} + length;
    return give_locked(std::move(answer), std::move(callback));
  }
  RequestId release(LeaseId, AnswerCallback callback) override {
    ++released;
    return give_locked(granted(), std::move(callback));
  }
  void let_go(LeaseId) override { ++released; }
  void look_around() override {}
  RequestId load(ComponentId id, bool waits, Duration, AnswerCallback callback) override {
    Answer answer = granted();
    answer.reply.is_accepted = !waits;
    answer.reply.wait = 120100us;
    answer.reply.components = {{id, true, waits, true}};
    answer.endpoints = {waits ? "http://127.0.0.1:40123" : ""};
    return give_locked(std::move(answer), std::move(callback));
  }
  RequestId unload(std::vector<ComponentId> ids, AnswerCallback callback) override {
    Answer answer = granted();
    if (ids.empty()) ids = {ocr};
    for (const ComponentId id : ids) answer.reply.components.push_back({id, false, false, true});
    return give_locked(std::move(answer), std::move(callback));
  }
  RequestId pin(ComponentId, bool, AnswerCallback callback) override {
    return give_locked(granted(), std::move(callback));
  }
  RequestId used(CommandId, std::vector<ComponentId>, AnswerCallback callback) override {
    return give_locked(granted(), std::move(callback));
  }
  void keep(ComponentId id, Duration span) override { kept.emplace_back(id, span); }
  std::vector<std::pair<ComponentId, Duration>> kept;
  void signal(std::string name, std::string) override {
    const MutexLock lock(mutex_);
    signals_.push_back(std::move(name));
  }
  void abandon(RequestId request) override {
    const MutexLock lock(mutex_);
    abandoned_.push_back(request);
    held_.erase(request);
  }

  void status(std::move_only_function<void(DaemonStatus)> callback) override {
    DaemonStatus status = fixed_status();
    if (change_status) change_status(status);
    callback(std::move(status));
  }
  void subscribe(std::uint64_t after,
                 std::move_only_function<bool(const StreamItem&, bool)> callback) override {
    const MutexLock lock(mutex_);
    after_ = after;
    stream_ = std::move(callback);
  }
  void reload(std::move_only_function<void(Result<>)> callback) override {
    if (reload_error)
      callback(std::unexpected(*reload_error));
    else
      callback({});
  }
  void shutdown() override { is_shut_down = true; }
  [[nodiscard]] bool is_ready() const override { return ready; }

  // What was asked.
  std::atomic<bool> is_shut_down = false;
  std::atomic<int> released = 0;
  [[nodiscard]] CommandAsk last_command() const { return locked(last_command_); }
  [[nodiscard]] LeaseAsk last_lease() const { return locked(last_lease_); }
  [[nodiscard]] int lease_count() const { return locked(lease_count_); }
  [[nodiscard]] std::vector<RequestId> abandoned() const { return locked(abandoned_); }
  [[nodiscard]] std::vector<std::string> signals() const { return locked(signals_); }
  [[nodiscard]] std::optional<std::uint64_t> subscribed_after() const { return locked(after_); }
  [[nodiscard]] std::size_t held_count() const {
    const MutexLock lock(mutex_);
    return held_.size();
  }

  void answer_held() {
    std::map<RequestId, std::pair<Answer, AnswerCallback>> held;
    {
      const MutexLock lock(mutex_);
      held.swap(held_);
    }
    for (auto& [id, pair] : held) pair.second(std::move(pair.first));
  }
  // False when nobody listens any more.
  bool publish(std::uint64_t sequence, bool is_lost = false, bool is_last = true) {
    StreamItem item;
    item.sequence = sequence;
    item.is_last = is_last;
    item.unix_ms = 1'000 * static_cast<std::int64_t>(sequence);
    item.decision = decision(sequence);
    const MutexLock lock(mutex_);
    return stream_ && stream_(item, is_lost);
  }

  static Decision decision(std::uint64_t sequence) {
    Decision decision;
    decision.sequence = sequence;
    decision.at = Instant{5'000'000'000};
    decision.kind = DecisionKind::unload_done;
    decision.reason = Reason::idle;
    decision.component = sequence % 2 == 0 ? asr : ocr;
    decision.has_component = true;
    decision.bytes = 80_MiB;
    return decision;
  }

 private:
  static Answer granted() {
    Answer answer;
    answer.reply.is_granted = true;
    return answer;
  }
  Answer screen_answer(CommandId command, bool waits) const {
    Answer answer = granted();
    answer.reply.command = command;
    answer.reply.is_accepted = !waits;
    answer.reply.wait = 130500us;
    answer.reply.lease = LeaseId{7};
    answer.reply.lease_until = Instant{60'000'000'000};
    answer.reply.components = {{ocr, true, waits, true}, {tess, false, true, false}};
    answer.endpoints = {waits ? endpoint : "", ""};
    answer.intents = {{ocr, 1.0}, {asr, 0.25}};
    return answer;
  }
  RequestId give_locked(Answer answer, AnswerCallback callback) {
    const MutexLock lock(mutex_);
    return give(std::move(answer), std::move(callback));
  }
  RequestId give(Answer answer, AnswerCallback callback) HEARTH_REQUIRES(mutex_) {
    const RequestId id{++requests_};
    if (refusal) {
      answer.reply = *refusal;
      answer.detail = refusal_detail;
    }
    answer.reply.request = id;
    if (holds)
      held_.emplace(id, std::pair{std::move(answer), std::move(callback)});
    else
      callback(std::move(answer));
    return id;
  }
  template <class T>
  T locked(const T& value) const {
    const MutexLock lock(mutex_);
    return value;
  }

  static DaemonStatus fixed_status();

  mutable Mutex mutex_;
  std::shared_ptr<const FakeNames> names_ = std::make_shared<FakeNames>();
  std::atomic<std::uint64_t> commands_ = 0;
  std::uint64_t requests_ = 0;
  std::map<RequestId, std::pair<Answer, AnswerCallback>> held_;
  CommandAsk last_command_;
  LeaseAsk last_lease_;
  int lease_count_ = 0;
  std::vector<RequestId> abandoned_;
  std::vector<std::string> signals_;
  std::optional<std::uint64_t> after_;
  std::move_only_function<bool(const StreamItem&, bool)> stream_;
};

inline DaemonStatus FakeService::fixed_status() {
  DaemonStatus status;
  status.version = "0.1.0";
  status.started_unix_ms = 1'000'000;
  status.now_unix_ms = 1'010'000;
  status.now = Instant{10'000'000'000};
  status.config_path = "/etc/hearth/hearth.yaml";
  status.state_dir = "/var/lib/hearth";
  status.policy = "gdsf";
  status.available = 4_GiB;
  status.daemon_rss = 8_MiB;
  status.journal_sequence = 42;
  status.totals.uses = 4;
  status.totals.warm_uses = 2;
  status.totals.loads = 3;
  status.budgets = {{.name = "ram", .budget = 8_GiB, .used = 80_MiB, .held_by = {}},
                    {.name = "vision",
                     .budget = 1_GiB,
                     .used = 80_MiB,
                     .is_pool = true,
                     .is_hard = true,
                     .held_by = {}}};
  ComponentRow row;
  row.name = "ocr";
  row.view.id = ocr;
  row.view.state = State::ready;
  row.view.priority = Priority::high;
  row.view.reserved = 80_MiB;
  row.view.load_time = 412500us;
  row.view.loads = 2;
  row.view.last_used = Instant{9'000'000'000};
  row.memory.anonymous = 60_MiB;
  row.memory.file_exclusive = 4_MiB;
  row.memory.pss = 75_MiB;
  row.peaks.see({.anonymous = 70_MiB, .pss = 80_MiB});
  row.peaks.see(row.memory);
  row.endpoint = "http://127.0.0.1:40123";
  row.process = 4711;
  row.supervisor = 4710;
  row.needs = {"tess"};
  row.conflicts = {"asr"};
  row.aliases = {"reader"};
  row.description = "reads \"text\"";
  status.components.push_back(row);
  ComponentRow other;
  other.name = "asr";
  other.view.id = asr;
  other.view.loads = 1;
  other.memory.pss = 25_MiB;
  other.last_error = "ended with status 1";
  status.components.push_back(other);
  LeaseRow lease;
  lease.id = LeaseId{7};
  lease.owner = "editor";
  lease.command = CommandId{1};
  lease.components = {"ocr"};
  lease.remaining = 5s;
  status.leases = {lease};
  for (std::uint64_t i = 1; i <= 4; ++i) status.decisions.push_back(decision(i));
  return status;
}

}  // namespace hearth
