// Which component a request is for, and the wait until it may be spoken to.
#include <algorithm>

#include "api/relay.h"
#include "api/render.h"
#include "api/session.h"
#include "codec/json.h"

namespace hearth {
namespace {

constexpr std::size_t model_member = 0;
constexpr std::size_t stream_member = 1;
constexpr std::size_t keep_alive_member = 2;
constexpr std::size_t name_member = 3;    // as older clients of Ollama say for `model`
constexpr Duration lease_length = 10min;  // renewed while the answer goes on

// The last thing that a user says in a request of any of the APIs; "" when there is none.
std::string last_user_text(const OrderedJson& body) {
  const auto text_of = [](const OrderedJson& content) -> std::string {
    if (content.is_string()) return content.get<std::string>();
    std::string joined;
    if (!content.is_array()) return joined;
    for (const OrderedJson& part : content) {
      const auto text = part.is_object() ? part.find("text") : part.end();
      if (!part.is_object() || text == part.end() || !text->is_string()) continue;
      if (!joined.empty()) joined += '\n';
      joined += text->get<std::string>();
    }
    return joined;
  };
  for (const char* list : {"messages", "input"}) {
    const auto messages = body.find(list);
    if (messages == body.end() || !messages->is_array()) continue;
    for (auto at = messages->rbegin(); at != messages->rend(); ++at) {
      if (!at->is_object() || at->value("role", OrderedJson{}) != "user") continue;
      const auto content = at->find("content");
      if (content != at->end()) return text_of(*content);
    }
  }
  for (const char* member : {"prompt", "input"}) {
    const auto found = body.find(member);
    if (found != body.end() && found->is_string()) return found->get<std::string>();
  }
  return {};
}

// Ollama's `keep_alive`: seconds, or a text such as "10m"; below 0 is for ever. None when it is
// neither.
std::optional<Duration> keep_alive_of(const OrderedJson& value) {
  if (value.is_number()) {
    const double seconds = value.get<double>();
    constexpr double seconds_max = 1e9;
    if (seconds < 0 || seconds > seconds_max) return Duration::max();
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  }
  if (!value.is_string()) return std::nullopt;
  const std::string text = value.get<std::string>();
  if (text.starts_with('-')) return Duration::max();
  const bool is_count = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  if (is_count && text.size() > 9) return Duration::max();
  return parse_duration(is_count ? text + "s" : text);
}

}  // namespace

void Relay::begin() {
  names_ = state_->service.names();
  if (!start_.rule.signal.empty()) {
    state_->service.signal(std::string(start_.rule.signal), start_.session);
  }
  if (!start_.component.empty()) return go_for(start_.component);
  if (start_.rule.source == RelayRule::Source::body) {
    const auto boundary = MultipartFields::boundary_of(start_.content_type);
    if (boundary) {
      finder_.emplace<MultipartFields>(*boundary, std::vector<std::string>{"model"});
    } else {
      finder_.emplace<JsonMembers>(
          std::vector<std::string>{"model", "stream", "keep_alive", "name"});
    }
    if (request_body_.is_done()) choose();
    return;
  }
  refuse(400, Errc::invalid, "the path names no component");
}

void Relay::look_for_component(std::string_view payload) {
  if (auto* json = std::get_if<JsonMembers>(&finder_)) json->feed(payload);
  if (auto* form = std::get_if<MultipartFields>(&finder_)) form->feed(payload);
}

// The model that the body names, as far as it has come; a refusal when it cannot be.
std::optional<std::string> Relay::named() {
  if (const auto* json = std::get_if<JsonMembers>(&finder_)) {
    if (json->is_bad()) {
      refuse(400, Errc::invalid, "not what this path takes: " + std::string(json->what()));
      return std::nullopt;
    }
    auto text = json->text(model_member);
    if (!text && start_.rule.known != nullptr) text = json->text(name_member);
    if (json->raw(model_member) && !text) {
      const std::string raw = json->raw(model_member)->substr(0, 40);
      refuse(400, Errc::invalid, "`model`: expected a text, got " + raw);
    }
    return text;
  }
  if (const auto* form = std::get_if<MultipartFields>(&finder_)) {
    if (form->is_bad()) {
      refuse(400, Errc::invalid, "not what this path takes: " + std::string(form->what()));
      return std::nullopt;
    }
    return form->text(model_member);
  }
  return std::nullopt;
}

void Relay::choose() {
  auto name = named();
  if (stage_ != Stage::choosing) return;
  const bool is_whole = request_body_.is_done();
  if (name && *name == "auto" && !names_->find(*name)) {
    if (is_whole) return choose_by_intent();
  } else if (name) {
    const auto is_only_wish = is_wish();
    if (is_only_wish) {
      is_wish_ = *is_only_wish;
      return go_for(*name);
    }
  } else if (is_whole) {
    return refuse(400, Errc::invalid,
                  "`model` is missing: it names the component, or is `auto`; GET /v1/models lists "
                  "them");
  }
  if (up_.size() > state_->options.gateway.kept_max.count) {
    refuse(413, Errc::too_large,
           "`model` did not come within the first " +
               format_bytes(state_->options.gateway.kept_max) +
               " of the body: send it before what is large, or as /upstream/NAME/...");
  }
}

void Relay::choose_by_intent() {
  const auto body = read_json(payload());
  const std::string text = body && body->is_object() ? last_user_text(*body) : std::string{};
  if (text.empty()) {
    return refuse(400, Errc::invalid, "`model: auto` needs the text of a user, and there is none");
  }
  stage_ = Stage::asking;
  since_ = Clock::now();
  const RequestId request = state_->service.command({.text = text,
                                                     .session = start_.session,
                                                     .peer = {},
                                                     .waits = !start_.is_preload_only,
                                                     .patience = start_.patience,
                                                     .lease = lease_length,
                                                     .ends_with_answer = true},
                                                    later<Answer>([](Relay& relay, Answer answer) {
                                                      relay.chosen_by_intent(std::move(answer));
                                                    }));
  if (stage_ == Stage::asking && !lease_) waiting_ = request;
}

// Of what the command was given, the likeliest answers it.
void Relay::chosen_by_intent(Answer answer) {
  const bool is_granted = answer.reply.is_granted;
  double best = -1;
  std::optional<ComponentId> chosen;
  for (const action::ReplyComponent& component : answer.reply.components) {
    const auto intent = std::ranges::find(answer.intents, component.component, &Intent::component);
    const double probability = intent == answer.intents.end() ? 0 : intent->probability;
    if (!component.is_asked || probability <= best) continue;
    best = probability;
    chosen = component.component;
  }
  if (chosen) id_ = *chosen;
  if (is_granted && !chosen && stage_ == Stage::asking) {
    return refuse(404, Errc::not_found,
                  "`model: auto`: nothing that the user says asks for a component; name one of GET "
                  "/v1/models");
  }
  if (is_granted && start_.is_preload_only && stage_ == Stage::asking) return answer_preload();
  answered(std::move(answer));
}

void Relay::go_for(std::string_view name) {
  const auto id = names_->find(name);
  if (!id) {
    Problem problem;
    problem.status = 404;
    problem.code = Errc::not_found;
    const std::string shown(name.substr(0, 128));
    problem.component = shown;
    problem.reason = name_of(Reason::unknown_component);
    if (name.size() <= 128) problem.near = names_->near(name);
    problem.detail = "no component `" + shown + "`";
    if (!problem.near.empty()) problem.detail += "; did you mean `" + problem.near[0] + "`?";
    return refuse(std::move(problem));
  }
  id_ = *id;
  if (start_.is_preload_only) return preload(*id);
  if (start_.rule.known != nullptr) return look();
  if (is_wish_) return grant_wish();
  enter(&Relay::ask);
}

void Relay::enter(void (Relay::*go_on)()) {
  const std::uint64_t ticket = state_->gateway.next_ticket();
  auto entered = state_->gateway.enter(id_, names_->concurrency(id_), ticket,
                                       [relay = shared_from_this(), go_on] {
                                         relay->is_inside_ = true;
                                         relay->ticket_ = 0;
                                         (relay.get()->*go_on)();
                                       });
  if (!entered) {
    Problem problem{.status = http_status(entered.error().code), .code = entered.error().code};
    problem.component = component_name();
    problem.detail = std::string(component_name()) + ": " + entered.error().detail;
    return refuse(std::move(problem));
  }
  is_inside_ = *entered;
  if (is_inside_) return (this->*go_on)();
  ticket_ = ticket;
  stage_ = Stage::queued;
  since_ = Clock::now();
}

// Warms and answers at once.
void Relay::preload(ComponentId id) {
  stage_ = Stage::asking;
  // Nothing is waited for: a client that hangs up now does not take the load along.
  (void)state_->service.load(id, false, start_.patience,
                             later<Answer>([](Relay& relay, Answer answer) {
                               if (relay.stage_ != Stage::asking) return;
                               if (!answer.reply.is_granted) {
                                 return relay.answered(std::move(answer));
                               }
                               relay.answer_preload();
                             }));
}

void Relay::answer_preload() {
  std::string body = "{\"component\":";
  append_json_text(body, component_name());
  body += ",\"preload\":true}";
  Client* const client = client_;
  waiting_ = {};  // the load goes on
  let_go(GatewayOutcome::preloaded);
  client->answer(202, std::move(body));
}

void Relay::ask() {
  stage_ = Stage::asking;
  since_ = Clock::now();
  const Duration spent = since_ - began_;
  LeaseAsk ask{.components = {id_},
               .session = start_.session,
               .owner = "gateway",
               .command = {},
               .patience = std::max<Duration>(start_.patience - spent, 1ms),
               .length = lease_length,
               .is_preemptible = false,
               .is_use = true,
               .ends_with_answer = true};
  const RequestId request = state_->service.lease(
      std::move(ask),
      later<Answer>([](Relay& relay, Answer answer) { relay.answered(std::move(answer)); }));
  if (stage_ == Stage::asking && !lease_) waiting_ = request;
}

void Relay::answered(Answer answer) {
  waiting_ = {};
  if (stage_ != Stage::asking) {
    // The client had gone when the grant was already on its way.
    if (answer.reply.lease) state_->service.release(answer.reply.lease, [](const Answer&) {});
    return;
  }
  if (!answer.reply.is_granted) return refuse(refusal_of(*names_, answer));
  lease_ = answer.reply.lease;
  wait_ = Clock::now() - began_;
  for (std::size_t i = 0; i < answer.reply.components.size(); ++i) {
    const action::ReplyComponent& component = answer.reply.components[i];
    is_cold_ = is_cold_ || component.is_cold;
    if (component.component == id_ && i < answer.endpoints.size()) endpoint_ = answer.endpoints[i];
  }
  renewed_ = Clock::now();
  if (is_wish_) return wish_granted();
  // What `auto` has chosen is entered only now.
  if (is_inside_) return speak();
  enter(&Relay::speak);
}

std::optional<Duration> Relay::keep_alive() const {
  const auto* json = std::get_if<JsonMembers>(&finder_);
  const auto& raw = json != nullptr ? json->raw(keep_alive_member) : std::nullopt;
  const auto value = raw ? read_json(*raw) : std::nullopt;
  return value ? keep_alive_of(*value) : std::nullopt;
}

// After an answer: how long the client wants it to stay. 0: not at all, as soon as nobody else
// speaks to it.
void Relay::keep_as_asked() {
  const auto span = keep_alive();
  if (!span || !lease_) return;
  if (*span == Duration{0}) {
    state_->service.release(std::exchange(lease_, LeaseId{}), [](const Answer&) {});
  }
  state_->service.keep(id_, *span);
}

void Relay::look_at_the_clock(Clock::time_point now) {
  const GatewaySettings& options = state_->options.gateway;
  switch (stage_) {
    case Stage::queued:
      if (now - began_ >= start_.patience) {
        Problem problem{.status = 504, .code = Errc::timed_out};
        problem.component = component_name();
        problem.detail = std::string(component_name()) +
                         ": others speak to it, as many as its `concurrency` allows, and did not "
                         "end in time";
        return refuse(std::move(problem));
      }
      return comment();
    case Stage::asking:
      return comment();
    case Stage::connecting:
    case Stage::exchanging:
      if (!has_answer_ && now - since_ >= options.answer_time_max) {
        return refuse(504, Errc::timed_out,
                      std::string(component_name()) + ": no answer within " +
                          format_duration(options.answer_time_max));
      }
      if (lease_ && now - renewed_ >= lease_length / 2) {
        renewed_ = now;
        state_->service.renew(lease_, lease_length, [](const Answer&) {});
      }
      return comment();
    case Stage::choosing:
      if (now - since_ >= state_->options.request_time_limit) {
        refuse(408, Errc::timed_out, "the request did not arrive whole in time");
      }
      return;
    case Stage::over:
      return;
  }
}

// So that a client does not give up on a stream whose component is being loaded.
void Relay::comment() {
  const auto* json = std::get_if<JsonMembers>(&finder_);
  const bool is_stream = json != nullptr && json->raw(stream_member) == "true";
  if (!is_stream || has_answer_ || !start_.is_http_1_1 || start_.comment_interval == Duration{0} ||
      start_.rule.dialect == Dialect::ollama) {
    return;
  }
  const Clock::time_point now = Clock::now();
  if (now - commented_ < start_.comment_interval) return;
  commented_ = now;
  std::string out;
  if (!is_comment_sent_) {
    out = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n";
    out += "X-Hearth-Component: " + std::string(component_name()) + "\r\n";
    out += "X-Hearth-State: cold\r\nTransfer-Encoding: chunked\r\n\r\n";
    is_comment_sent_ = true;
  }
  const std::string_view doing = stage_ == Stage::queued ? "waiting for " : "loading ";
  append_chunk(out, ": " + std::string(doing) + std::string(component_name()) + "\n\n");
  client_->send(out);
}

}  // namespace hearth
