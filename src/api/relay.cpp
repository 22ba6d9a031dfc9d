#include "api/relay.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "api/session.h"

namespace hearth {
namespace {

// What arrives for a component that is not there yet, or does not read, is kept up to here.
constexpr std::size_t up_bytes_high = 256 * 1024;
constexpr BodyFraming until_end{.kind = BodyFraming::Kind::until_end};

}  // namespace

Relay::Relay(std::shared_ptr<ServerState> state, Client& client, RelayStart start)
    : state_(std::move(state)),
      client_(&client),
      start_(std::move(start)),
      request_body_(start_.request.framing) {
  ++state_->gateway_counts.in_flight;
}

Relay::~Relay() = default;

std::string_view Relay::component_name() const { return names_->name(id_); }

std::size_t Relay::take(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && stage_ != Stage::over) {
    if (is_tunnel_) {
      if (!is_up_broken_) up_.append(bytes.substr(taken));
      taken = bytes.size();
      break;
    }
    const BodyScanner::Piece piece = request_body_.take(bytes.substr(taken));
    if (request_body_.is_bad()) {
      refuse(400, Errc::invalid, "the chunks of the body are not as RFC 9112 has them");
      return bytes.size();
    }
    if (piece.consumed == 0) break;
    if (!is_up_broken_) up_.append(bytes.substr(taken, piece.consumed));
    taken += piece.consumed;
    if (stage_ != Stage::exchanging || has_keep_alive()) look_for_component(piece.payload);
  }
  if (taken == 0) return 0;
  if (stage_ == Stage::choosing) {
    since_ = Clock::now();
    choose();
  }
  if (stage_ == Stage::exchanging && !is_writing_) write_up();
  return taken;
}

bool Relay::wants_input() const {
  if (stage_ == Stage::over || (request_body_.is_done() && !is_tunnel_)) return false;
  return stage_ == Stage::choosing || up_.size() - up_sent_ < up_bytes_high;
}

void Relay::connect(bool may_be_used) {
  stage_ = Stage::connecting;
  since_ = Clock::now();
  if (endpoint_.empty()) {
    return refuse(502, Errc::unavailable,
                  std::string(component_name()) +
                      ": it has no address to speak to: give it a `port`, or use ${PORT} in `cmd`");
  }
  auto address = parse_http_address(endpoint_);
  if (!address) return refuse(502, address.error().code, address.error().detail);
  address_ = *std::move(address);
  auto upstream = state_->gateway.connect(id_, address_, may_be_used);
  if (!upstream) {
    return refuse(502, upstream.error().code,
                  std::string(component_name()) + ": " + upstream.error().detail);
  }
  upstream_ = *std::move(upstream);
  if (!upstream_->is_connecting) return connected();
  upstream_->socket.async_wait(upstream_->socket.wait_write, [self = shared_from_this()](
                                                                 boost::system::error_code error) {
    if (self->stage_ != Stage::connecting || error) return;
    int code = 0;
    socklen_t size = sizeof code;
    (void)::getsockopt(self->upstream_->socket.native_handle(), SOL_SOCKET, SO_ERROR, &code, &size);
    if (code == 0) return self->connected();
    self->refuse(502, Errc::unavailable,
                 std::string(self->component_name()) + ": " + to_text(self->address_) + ": " +
                     std::strerror(code));
  });
}

void Relay::connected() {
  stage_ = Stage::exchanging;
  since_ = Clock::now();
  upstream_->is_connecting = false;
  if (!has_head_) up_.insert(0, request_head(start_.request, address_));
  has_head_ = true;
  up_sent_ = 0;
  write_up();
  if (stage_ == Stage::exchanging) await_read();
}

void Relay::write_up() {
  while (up_sent_ < up_.size()) {
    const ssize_t sent = ::send(upstream_->socket.native_handle(), up_.data() + up_sent_,
                                up_.size() - up_sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      up_sent_ += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      break;
    } else if (errno != EINTR) {
      // It may have answered and stopped reading: what it said is read first.
      up_sent_ = up_.size();
      if (is_replayable_ && upstream_->was_used && request_body_.is_done()) return;
      is_replayable_ = false;
      is_up_broken_ = true;
      up_.clear();
      up_sent_ = 0;
      return client_->take_input();
    }
  }
  // Whoever got a used connection may have to send all of it once more.
  const bool is_kept = is_replayable_ && upstream_->was_used && up_.size() <= up_bytes_high &&
                       !has_answer_ && request_body_.is_done();
  if (!is_kept && up_sent_ > 0) is_replayable_ = false;
  // A long rest is not moved for each piece that was sent of it.
  if (!is_kept && up_sent_ > up_.size() / 2) {
    up_.erase(0, up_sent_);
    up_sent_ = 0;
    if (up_.empty() && up_.capacity() > 4096) up_.shrink_to_fit();
  }
  if (up_sent_ < up_.size()) await_write();
  if (wants_input()) client_->take_input();
}

void Relay::await_write() {
  if (is_writing_) return;
  is_writing_ = true;
  upstream_->socket.async_wait(upstream_->socket.wait_write,
                               [self = shared_from_this()](boost::system::error_code error) {
                                 self->is_writing_ = false;
                                 if (error || self->stage_ != Stage::exchanging) return;
                                 self->write_up();
                               });
}

void Relay::await_read() {
  if (is_reading_) return;
  is_reading_ = true;
  upstream_->socket.async_wait(upstream_->socket.wait_read,
                               [self = shared_from_this()](boost::system::error_code error) {
                                 self->is_reading_ = false;
                                 if (error || self->stage_ != Stage::exchanging) return;
                                 self->read_up();
                               });
}

void Relay::read_up() {
  std::string& scratch = state_->scratch;
  const ssize_t got =
      ::recv(upstream_->socket.native_handle(), scratch.data(), scratch.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return await_read();
  if (got <= 0) return upstream_ended();
  take_answer(std::string_view{scratch}.substr(0, static_cast<std::size_t>(got)));
  // A client that is slow to read slows down its component, and nobody else.
  if (stage_ == Stage::exchanging && client_->has_room()) await_read();
}

void Relay::on_room() {
  if (stage_ == Stage::exchanging && upstream_) await_read();
}

void Relay::take_answer(std::string_view bytes) {
  std::string out;
  while (!has_answer_ && !is_error_event_) {
    const auto consumed = take_head(bytes);
    if (!consumed) return;
    bytes.remove_prefix(*consumed);
    auto head = parse_response_head(head_);
    head_.clear();
    if (!head) return broken("its answer is not HTTP");
    const bool is_interim = head->status < 200 && head->status != 101;
    if (!is_interim && !begin_answer(*std::move(head), out)) return;
  }
  pass_body(bytes, std::move(out));
}

// How much of the bytes belonged to the head, once head_ is whole.
std::optional<std::size_t> Relay::take_head(std::string_view bytes) {
  const std::size_t before = head_.size();
  head_ += bytes;
  const auto size = head_size(head_);
  if (!size) {
    if (head_.size() > response_head_bytes_max) broken("its answer has an endless header");
    return std::nullopt;
  }
  head_.resize(*size);
  return *size - before;
}

std::string Relay::own_fields() const {
  std::string out = "X-Hearth-Component: " + std::string(component_name()) + "\r\n";
  out += is_cold_ ? "X-Hearth-State: cold\r\n" : "X-Hearth-State: warm\r\n";
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(wait_).count();
  return out + "X-Hearth-Wait-Ms: " + std::to_string(ms) + "\r\n";
}

// False when it has ended here. `out` begins with what is to be sent before the body.
bool Relay::begin_answer(ResponseHead head, std::string& out) {
  // A program of ours need not know what another one is asked.
  const bool is_unknown_there = head.status == 404 || head.status == 405 || head.status == 501;
  if (!known_.empty() && is_unknown_there && names_->server(id_).empty()) {
    answer_known();
    return false;
  }
  const auto framing = framing_of(head, start_.request.method == "HEAD");
  if (!framing) {
    broken("the length of its answer makes no sense");
    return false;
  }
  if (head.status == 101 && !start_.request.is_upgrade) {
    broken("it changes the protocol, and nobody had asked");
    return false;
  }
  is_tunnel_ = head.status == 101;
  is_event_stream_ = head.header("content-type").starts_with("text/event-stream");
  answer_framing_ = is_tunnel_ ? until_end : *framing;
  answer_body_ = BodyScanner(answer_framing_);
  is_upstream_kept_ = head.is_kept() && answer_framing_.kind != BodyFraming::Kind::until_end;
  if (is_comment_sent_) {
    // The client reads a stream already: an error becomes an event of it.
    pass_ = BodyPass::chunks;
    is_error_event_ = head.status != 200 || !is_event_stream_;
    has_answer_ = true;
    return true;
  }
  if (answer_framing_.kind == BodyFraming::Kind::chunked && !start_.is_http_1_1) {
    pass_ = BodyPass::payload;
  }
  const bool has_end = answer_framing_.kind != BodyFraming::Kind::until_end;
  start_.is_kept = start_.is_kept && has_end && pass_ != BodyPass::payload && !is_tunnel_;
  out = response_head(head, {.own_fields = own_fields(),
                             .framing = is_tunnel_ ? BodyFraming{} : answer_framing_,
                             .pass = pass_,
                             .is_kept = start_.is_kept});
  has_answer_ = true;
  if (is_tunnel_) {
    request_body_ = BodyScanner(until_end);
    // The client may turn out to be gone.
    client_->take_input();
  }
  return stage_ == Stage::exchanging;
}

// Sends `out` and what of the bytes belongs to the body, in one piece.
void Relay::pass_body(std::string_view bytes, std::string out) {
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    const BodyScanner::Piece piece = answer_body_.take(bytes.substr(taken));
    if (answer_body_.is_bad()) break;
    if (piece.consumed == 0) break;
    taken += piece.consumed;
    if (is_error_event_) {
      if (head_.size() < response_head_bytes_max) head_ += piece.payload;
    } else if (pass_ == BodyPass::chunks) {
      append_chunk(out, piece.payload);
    } else if (pass_ == BodyPass::payload) {
      out += piece.payload;
    }
  }
  const bool is_raw = pass_ == BodyPass::raw;
  if (is_raw && out.empty()) {
    client_->send(bytes.substr(0, taken));
  } else {
    if (is_raw) out += bytes.substr(0, taken);
    if (!out.empty()) client_->send(out);
  }
  if (stage_ != Stage::exchanging) return;  // the client had gone
  if (answer_body_.is_bad()) return broken("the chunks of its answer are not as they should be");
  if (!answer_body_.is_done()) return;
  const bool is_clean = taken == bytes.size();
  finish(is_upstream_kept_ && is_clean);
}

void Relay::upstream_ended() {
  if (!has_answer_) {
    const bool is_stale = upstream_->was_used && head_.empty() && is_replayable_;
    if (!is_stale) return broken("it closed the connection before it had answered");
    upstream_.reset();
    is_writing_ = false;
    is_reading_ = false;
    return connect(false);
  }
  if (answer_body_.may_end()) return finish(false);
  broken("it ended in the middle of its answer");
}

// The component is to blame.
void Relay::broken(std::string detail) {
  Problem problem{.status = 502, .code = Errc::unavailable};
  const std::string name(component_name());
  problem.component = name;
  problem.detail = name + ": " + detail + "; `hearth logs " + name + "` may say why";
  refuse(std::move(problem));
}

void Relay::refuse(int status, Errc code, std::string detail) {
  Problem problem{.status = status, .code = code};
  problem.detail = std::move(detail);
  refuse(std::move(problem));
}

void Relay::refuse(Problem problem) {
  const bool has_begun = has_answer_ || is_comment_sent_;
  if (!has_begun && !known_.empty() && client_ != nullptr) return answer_known();
  // Between two chunks of a stream of events there is room for one of ours.
  const bool has_place = is_comment_sent_ || (is_event_stream_ && answer_body_.is_between_chunks());
  const bool is_chunked = pass_ != BodyPass::payload && start_.is_http_1_1;
  Client* const client = client_;
  const Dialect dialect = start_.rule.dialect;
  let_go(has_begun ? GatewayOutcome::broken_off : gateway_outcome_of(problem.status));
  if (client == nullptr) return;
  if (!has_begun) return client->answer(std::move(problem));
  if (has_place && is_chunked) {
    std::string out;
    append_chunk(out, error_event(dialect, problem));
    client->send(out + "0\r\n\r\n");
  }
  client->break_off();
}

// An answer that is no stream, for a client that has been told that one comes.
void Relay::pass_error_as_event() {
  std::string line = head_;
  for (char& c : line) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  std::string out;
  append_chunk(out, "data: " + line + "\n\n");
  client_->send(out);
}

void Relay::finish(bool is_upstream_kept) {
  if (is_error_event_) pass_error_as_event();
  if (pass_ == BodyPass::chunks && client_ != nullptr) client_->send("0\r\n\r\n");
  const bool is_whole = request_body_.is_done() && up_sent_ == up_.size();
  if (is_upstream_kept && is_whole && upstream_) {
    state_->gateway.give_back(id_, address_, std::move(upstream_));
  }
  Client* const client = client_;
  const bool is_kept = start_.is_kept && request_body_.is_done();
  if (has_keep_alive()) keep_as_asked();
  let_go(GatewayOutcome::answered);
  if (client != nullptr) client->end(is_kept);
}

void Relay::abandon() {
  client_ = nullptr;
  // Either side of a tunnel may end it.
  let_go(is_tunnel_ ? GatewayOutcome::answered : GatewayOutcome::abandoned);
}

// Everything that is held for this request, whatever it is.
void Relay::let_go(GatewayOutcome outcome) {
  if (stage_ == Stage::over) return;
  stage_ = Stage::over;
  state_->gateway_counts.end(outcome);
  client_ = nullptr;
  upstream_.reset();
  if (waiting_) state_->service.abandon(std::exchange(waiting_, RequestId{}));
  if (lease_) state_->let_go(std::exchange(lease_, LeaseId{}));
  if (ticket_ != 0) state_->gateway.withdraw(id_, std::exchange(ticket_, 0));
  if (is_inside_) {
    is_inside_ = false;
    state_->gateway.leave(id_);
  }
}

}  // namespace hearth
