#include "drivers/model_server.h"

#include <poll.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "codec/json.h"
#include "runtime/clock.h"

namespace hearth {
namespace {

constexpr Duration first_look_step = 10ms;
constexpr Duration look_step_max = 250ms;
constexpr Duration answer_time_max = 10s;  // of a question, not of a load
constexpr int years_for_ever = 100;        // who expires later than that does not expire
constexpr double size_max = 0x1p60;        // above it a number is no size of anything

// `a.b`: b in a. Null when there is none.
const OrderedJson* member(const OrderedJson& of, std::string_view path) {
  const OrderedJson* at = &of;
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    const std::string key{path.substr(0, dot)};
    const auto found = at->is_object() ? at->find(key) : at->end();
    if (!at->is_object() || found == at->end()) return nullptr;
    at = &*found;
    path = dot == std::string_view::npos ? "" : path.substr(dot + 1);
  }
  return at;
}

std::string text_at(const OrderedJson& of, std::string_view path) {
  const OrderedJson* found = member(of, path);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string{};
}

Bytes bytes_at(const OrderedJson& of, std::string_view path) {
  const OrderedJson* found = path.empty() ? nullptr : member(of, path);
  if (found == nullptr || !found->is_number()) return {};
  // Compared before it is cast: a number that does not fit has no integer.
  const double size = found->get<double>();
  return size > 0 && size <= size_max ? Bytes{static_cast<std::uint64_t>(size)} : Bytes{};
}

ModelSight sight_of(const ServerRules& rules, const OrderedJson& entry, int year_now) {
  ModelSight sight;
  const std::string state = rules.status.state.empty() ? "" : text_at(entry, rules.status.state);
  sight.is_loaded = rules.status.state.empty() ||
                    std::ranges::find(rules.status.loaded, state) != rules.status.loaded.end();
  const Bytes size = bytes_at(entry, rules.status.size);
  sight.memory.device = std::min(size, bytes_at(entry, rules.status.device_size));
  sight.memory.anonymous = size - sight.memory.device;
  if (!rules.expiry.empty()) {
    const std::string expires = text_at(entry, rules.expiry);  // "2026-11-28T07:00:00Z"
    int year = 0;
    const auto [end, error] =
        std::from_chars(expires.data(), expires.data() + expires.size(), year);
    sight.will_expire = error == std::errc{} && year < year_now + years_for_ever;
  }
  return sight;
}

int this_year() {
  const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  return static_cast<int>(std::chrono::year_month_day{today}.year());
}

// What a server said, short enough for a message.
std::string words_of(const HttpReply& reply) {
  std::string words;
  if (const auto json = read_json(reply.body)) {
    const OrderedJson* error = member(*json, "error");
    if (error != nullptr && error->is_string()) words = error->get<std::string>();
    if (error != nullptr && error->is_object()) words = text_at(*error, "message");
  }
  if (words.empty()) words = reply.body;
  std::ranges::replace_if(words, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  constexpr std::size_t words_max = 200;
  if (words.size() > words_max) words = words.substr(0, words_max) + "...";
  return words.empty() ? "nothing" : words;
}

ServerRequest status_question(const ServerRules& rules) { return {"GET", rules.status.path, ""}; }

Result<HttpReply> put(const ServerRules& rules, const ServerRequest& request, Duration timeout,
                      std::stop_token stop) {
  HttpClient client{HEARTH_TRY(parse_http_address(rules.url))};
  HttpCall call{.method = request.method,
                .path = path_for(request, rules.model),
                .headers = {},
                .body = body_for(request, rules.model),
                .timeout = timeout,
                .stop = std::move(stop)};
  if (!call.body.empty()) call.headers.emplace_back("Content-Type", "application/json");
  auto reply = client.send(call);
  if (reply) return reply;
  const std::string what = request.method + " " + rules.url + call.path + ": ";
  const std::string mend =
      reply.error().code == Errc::unavailable ? "; start the server, or correct its `url`" : "";
  return fail(reply.error().code, what + reply.error().detail + mend);
}

Error refusal(const ServerRules& rules, const ServerRequest& request, const HttpReply& reply) {
  std::string text = request.method + " " + rules.url + path_for(request, rules.model) +
                     ": status " + std::to_string(reply.status) + ": " + words_of(reply);
  if (reply.status == 404 && !rules.mend.empty()) text += "; " + rules.mend;
  return {reply.status == 404 ? Errc::not_found : Errc::failed, std::move(text)};
}

Result<ModelSight> sight_in(const ServerRules& rules, const HttpReply& reply) {
  const bool is_yes_or_no = rules.status.list.empty();
  if (is_yes_or_no && reply.status / 100 == 4) return ModelSight{};
  if (reply.status / 100 != 2) {
    return std::unexpected{refusal(rules, status_question(rules), reply)};
  }
  auto sight = read_status(rules, reply.body, this_year());
  if (!sight) return fail(sight.error().code, rules.url + ": " + sight.error().detail);
  return sight;
}

}  // namespace

Result<ModelSight> read_status(const ServerRules& rules, std::string_view body, int year_now) {
  if (rules.status.list.empty()) return ModelSight{.is_loaded = true};
  const auto json = read_json(body);
  const OrderedJson* list = json ? member(*json, rules.status.list) : nullptr;
  if (list == nullptr || !list->is_array()) {
    return fail(Errc::corrupt,
                "GET " + rules.status.path + ": no list `" + rules.status.list + "` in the answer");
  }
  for (const OrderedJson& entry : *list) {
    const bool is_name = entry.is_string() && entry.get<std::string>() == rules.model;
    if (is_name || text_at(entry, rules.status.name) == rules.model) {
      return is_name ? ModelSight{.is_loaded = true} : sight_of(rules, entry, year_now);
    }
  }
  return ModelSight{};
}

Result<ModelSight> StatusRound::look(const std::string& name, const ServerRules& rules,
                                     Duration timeout, std::stop_token stop) {
  if (rules.status.path.empty()) return ModelSight{};
  const auto explain = [&](const Error& error) {
    return fail(error.code, name + ": " + error.detail);
  };
  if (const auto silent = silent_.find(rules.url); silent != silent_.end()) {
    return explain(silent->second);
  }
  const ServerRequest question = status_question(rules);
  const std::pair key{rules.url, path_for(question, rules.model)};
  auto known = replies_.find(key);
  if (known == replies_.end()) {
    auto reply = put(rules, question, timeout, std::move(stop));
    if (!reply) {
      silent_.emplace(rules.url, reply.error());
      return explain(reply.error());
    }
    known = replies_.emplace(key, *std::move(reply)).first;
  }
  auto sight = sight_in(rules, known->second);
  if (!sight) return explain(sight.error());
  return sight;
}

ModelServer::ModelServer(std::string name, ServerRules rules)
    : name_(std::move(name)), rules_(std::move(rules)) {}

std::unexpected<Error> ModelServer::explain(const Error& error) const {
  return fail(error.code, name_ + ": " + error.detail);
}

Result<HttpReply> ModelServer::ask(const ServerRequest& request, Duration timeout,
                                   std::stop_token stop) {
  auto reply = put(rules_, request, timeout, std::move(stop));
  if (!reply) return explain(reply.error());
  return reply;
}

std::unexpected<Error> ModelServer::refused(const ServerRequest& request,
                                            const HttpReply& reply) const {
  return explain(refusal(rules_, request, reply));
}

Result<ModelSight> ModelServer::look(Duration timeout, std::stop_token stop) {
  return StatusRound{}.look(name_, rules_, timeout, std::move(stop));
}

Result<> ModelServer::tell_to_load(Duration timeout, std::stop_token stop) {
  if (rules_.load.path.empty()) return {};
  const ServerRequest* asked = &rules_.load;
  auto reply = HEARTH_TRY(ask(*asked, timeout, stop));
  if (reply.status == 400 && !rules_.load_otherwise.path.empty()) {
    asked = &rules_.load_otherwise;
    reply = HEARTH_TRY(ask(*asked, timeout, std::move(stop)));
  }
  if (reply.status / 100 != 2) return refused(*asked, reply);
  return {};
}

Result<ModelSight> ModelServer::load(Instant deadline, std::stop_token stop) {
  const auto left = [&] { return std::max<Duration>(deadline - boot_now(), 1ms); };
  // Told even when it is there: it may be about to expire.
  HEARTH_TRY(tell_to_load(left(), stop));
  if (rules_.status.path.empty()) {
    if (rules_.load.path.empty()) {
      HttpClient client{HEARTH_TRY(parse_http_address(rules_.url))};
      const auto there = client.probe({.headers = {}, .body = {}, .timeout = left(), .stop = stop});
      if (!there)
        return fail(there.error().code, name_ + ": " + rules_.url + ": " + there.error().detail);
    }
    return ModelSight{.is_loaded = true};
  }
  for (Duration step = first_look_step;; step = std::min(step * 2, look_step_max)) {
    const auto sight = HEARTH_TRY(look(std::min(left(), answer_time_max), stop));
    if (sight.is_loaded) return sight;
    if (stop.stop_requested()) return fail(Errc::unavailable, name_ + ": its load was cancelled");
    if (boot_now() >= deadline) {
      return fail(Errc::timed_out, name_ + ": " + rules_.url +
                                       " has not loaded it in time; raise " +
                                       "its `timeout` (or `loading.timeout`)");
    }
    (void)::poll(nullptr, 0, static_cast<int>(milliseconds(step)));
  }
}

Result<> ModelServer::unload(Duration timeout) {
  if (rules_.unload.path.empty()) return {};
  const Instant deadline = boot_now() + timeout;
  // A server that hangs must not hold up a shutdown for as long as one that unloads slowly may.
  const auto reply = HEARTH_TRY(ask(rules_.unload, std::min<Duration>(timeout, 3s), {}));
  // What the server does not know any more is not loaded either.
  if (reply.status / 100 != 2 && reply.status != 404) return refused(rules_.unload, reply);
  if (rules_.status.path.empty()) return {};
  for (Duration step = first_look_step;; step = std::min(step * 2, look_step_max)) {
    const auto sight = HEARTH_TRY(look(std::clamp<Duration>(deadline - boot_now(), 1ms, 3s)));
    if (!sight.is_loaded) return {};
    if (boot_now() >= deadline) {
      return fail(Errc::timed_out, name_ + ": " + rules_.url + " still has it loaded");
    }
    (void)::poll(nullptr, 0, static_cast<int>(milliseconds(step)));
  }
}

}  // namespace hearth
