// Requests that need no answer of the component: Ollama's that want it to come or to go, and
// questions about one that may not be there.
#include <thread>

#include "api/relay.h"
#include "api/render.h"
#include "api/session.h"
#include "codec/json.h"
#include "runtime/clock.h"

namespace hearth {
namespace {

// Whoever asks for an answer says more, or says it in other members.
constexpr std::size_t wish_bytes_max = 4096;

bool is_missing(const OrderedJson& body, const char* member) {
  const auto found = body.find(member);
  return found == body.end() || found->is_null() || found->empty() || *found == "";
}

}  // namespace

bool Relay::is_here() const { return std::this_thread::get_id() == state_->thread; }

void Relay::post(std::move_only_function<void()> work) { state_->post(std::move(work)); }

// Of the body as far as it is kept, without its framing.
std::string Relay::payload() const {
  BodyScanner scanner(start_.request.framing);
  std::string payload;
  std::string_view raw = up_;
  while (!raw.empty()) {
    const BodyScanner::Piece piece = scanner.take(raw);
    if (piece.consumed == 0) break;
    payload += piece.payload;
    raw.remove_prefix(piece.consumed);
  }
  return payload;
}

std::optional<bool> Relay::is_wish() const {
  if (start_.rule.done == nullptr || up_.size() > wish_bytes_max) return false;
  if (!request_body_.is_done()) return std::nullopt;
  const auto body = read_json(payload());
  if (!body || !body->is_object()) return false;
  for (const char* member : {"prompt", "messages", "images", "suffix"}) {
    if (!is_missing(*body, member)) return false;
  }
  return true;
}

void Relay::grant_wish() {
  if (keep_alive() != Duration{0}) return ask();
  state_->service.keep(id_, Duration{0});
  wish_granted();
}

void Relay::wish_granted() {
  const bool is_going = !lease_;
  const auto* json = std::get_if<JsonMembers>(&finder_);
  const std::string model = json->text(0).value_or(std::string(component_name()));
  if (!is_going) keep_as_asked();
  Client* const client = client_;
  std::string body = start_.rule.done(model, is_going, unix_ms_now());
  let_go(GatewayOutcome::answered);
  client->answer(200, std::move(body));
}

// Where it can be asked, if anywhere: nothing is loaded for it, and its idle time goes on.
void Relay::look() {
  stage_ = Stage::asking;
  since_ = Clock::now();
  state_->service.status(later<DaemonStatus>(
      [](Relay& relay, DaemonStatus status) { relay.looked(std::move(status)); }));
}

void Relay::looked(DaemonStatus status) {
  if (stage_ != Stage::asking) return;
  known_ = start_.rule.known(status, id_);
  endpoint_ = names_->server(id_);
  for (const ComponentRow& row : status.components) {
    if (row.view.id == id_ && row.view.state == State::ready) endpoint_ = row.endpoint;
  }
  if (endpoint_.empty()) return answer_known();
  speak();
}

void Relay::answer_known() {
  Client* const client = client_;
  std::string body = std::move(known_);
  let_go(GatewayOutcome::answered);
  if (client != nullptr) client->answer(200, std::move(body));
}

}  // namespace hearth
