// What Ollama's published interface says of /api/generate, /api/embed and /api/ps, for one test.
// Only for tests; a stand-in, not Ollama.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "codec/json.h"
#include "drivers/stand_in_server.h"
#include "runtime/mutex.h"

namespace hearth::testing {

class StandInOllama {
 public:
  static constexpr std::uint64_t model_bytes = 64 << 20;

  StandInOllama() : server_([this](const StandInServer::Ask& ask) { return answer(ask); }) {}
  ~StandInOllama() { hang(false); }
  StandInOllama(const StandInOllama&) = delete;
  StandInOllama& operator=(const StandInOllama&) = delete;

  [[nodiscard]] std::string url() const { return server_.url(); }
  [[nodiscard]] std::size_t loaded() {
    const MutexLock lock{mutex_};
    return expiries_.size();
  }
  [[nodiscard]] std::string expiry(const std::string& model) {
    const MutexLock lock{mutex_};
    const auto found = expiries_.find(model);
    return found == expiries_.end() ? "" : found->second;
  }
  [[nodiscard]] std::size_t loads() {
    const MutexLock lock{mutex_};
    return loads_;
  }
  // As a client that goes around would.
  void load(const std::string& model, const std::string& until = "2026-11-28T07:00:00Z") {
    const MutexLock lock{mutex_};
    expiries_[model] = until;
  }
  void unload(const std::string& model) {
    const MutexLock lock{mutex_};
    expiries_.erase(model);
  }
  void set_stuck(bool is_stuck) {
    const MutexLock lock{mutex_};
    is_stuck_ = is_stuck;
  }
  // Until it is let go, every question is left without an answer.
  void hang(bool is_hanging) {
    const MutexLock lock{mutex_};
    is_hanging_ = is_hanging;
    let_go_.notify_all();
  }
  // So often it was asked what it has.
  [[nodiscard]] std::size_t looks() {
    const MutexLock lock{mutex_};
    return looks_;
  }
  void set_failing(bool is_failing) {
    const MutexLock lock{mutex_};
    is_failing_ = is_failing;
  }

 private:
  static std::string with_tag(const std::string& model) {
    return model.find(':') == std::string::npos ? model + ":latest" : model;
  }

  std::pair<int, std::string> answer(const StandInServer::Ask& ask) {
    const MutexLock lock{mutex_};
    while (is_hanging_) let_go_.wait(mutex_);
    if (ask.path == "/api/ps") ++looks_;
    if (is_failing_) return {500, R"({"error":"out of order"})"};
    if (ask.method == "GET" && ask.path == "/api/ps") return {200, listed()};
    if (ask.method != "POST") return {405, ""};
    const auto body = read_json(ask.body);
    if (!body || !body->contains("model")) return {400, R"({"error":"missing request body"})"};
    const std::string model = with_tag((*body)["model"].get<std::string>());
    if (model.starts_with("missing")) {
      return {404, R"({"error":"model 'missing' not found"})"};
    }
    if (ask.path == "/api/generate" && model.starts_with("embedder")) {
      return {400, R"({"error":"\"embedder\" does not support generate"})"};
    }
    const auto keep = body->value("keep_alive", 300);
    if (keep == 0) {
      expiries_.erase(model);
      return {200, R"({"done":true,"done_reason":"unload"})"};
    }
    ++loads_;
    if (!is_stuck_) {
      expiries_[model] = keep < 0 ? "2318-03-11T06:42:17.8Z" : "2026-11-28T07:00:00Z";
    }
    return {200, R"({"done":true,"done_reason":"load"})"};
  }

  std::string listed() HEARTH_REQUIRES(mutex_) {
    OrderedJson list = OrderedJson::array();
    for (const auto& [name, until] : expiries_) {
      list.push_back({{"name", name},
                      {"model", name},
                      {"size", model_bytes},
                      {"size_vram", model_bytes / 4},
                      {"expires_at", until}});
    }
    return dump_json(OrderedJson{{"models", list}});
  }

  Mutex mutex_;
  Condition let_go_;
  bool is_hanging_ HEARTH_GUARDED_BY(mutex_) = false;
  std::size_t looks_ HEARTH_GUARDED_BY(mutex_) = 0;
  std::map<std::string, std::string> expiries_ HEARTH_GUARDED_BY(mutex_);
  std::size_t loads_ HEARTH_GUARDED_BY(mutex_) = 0;
  bool is_stuck_ HEARTH_GUARDED_BY(mutex_) = false;
  bool is_failing_ HEARTH_GUARDED_BY(mutex_) = false;
  StandInServer server_;  // the last: its thread uses the rest
};

}  // namespace hearth::testing
