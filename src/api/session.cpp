#include "api/session.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <charconv>
#include <ctime>

#include "api/render.h"
#include "api/route.h"

namespace hearth {
namespace {

constexpr std::size_t read_bytes = 64 * 1024;
// Pipelined requests wait up to here; then the connection is not read any further.
constexpr std::size_t input_bytes_max = body_bytes_max + 2 * header_bytes_max;
constexpr std::size_t output_bytes_high = 256 * 1024;
constexpr std::size_t drained_bytes_max = 256 * 1024 * 1024;
constexpr std::size_t bytes_per_event = 256;

// What a client may say to Hearth itself.
void read_relay_header(std::string_view lower_name, std::string_view value, RelayStart& start) {
  const auto milliseconds = [value]() -> std::optional<Duration> {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), count);
    const bool is_whole = error == std::errc{} && end == value.data() + value.size();
    if (!is_whole || count < 0 || count > 86'400'000) return std::nullopt;
    return std::chrono::milliseconds{count};
  };
  if (lower_name == "x-hearth-session") start.session = value.substr(0, 256);
  if (lower_name == "x-hearth-preload") start.is_preload_only = lower_case(value) == "only";
  if (lower_name == "x-hearth-timeout-ms") start.patience = milliseconds().value_or(start.patience);
  if (lower_name == "x-hearth-keep-alive-ms") {
    start.comment_interval = milliseconds().value_or(start.comment_interval);
  }
}

}  // namespace

ServerState::ServerState(Service& service_in, ServerOptions options_in)
    : service(service_in), options(std::move(options_in)), scratch(read_bytes, '\0') {}

void ServerState::post(std::move_only_function<void()> work) {
  const MutexLock lock(mutex);
  if (is_closed) return;
  boost::asio::post(io, std::move(work));
}

std::string_view ServerState::date() {
  const std::int64_t seconds = std::time(nullptr);
  if (seconds != date_of) {
    date_of = seconds;
    date_text = http_date(seconds);
  }
  return date_text;
}

// One look for all that is given back meanwhile: under load most answers wake nobody.
void ServerState::let_go(LeaseId lease) {
  constexpr auto let_go_time_max = std::chrono::milliseconds{20};
  service.let_go(lease);
  if (is_looking) return;
  is_looking = true;
  looking.expires_after(let_go_time_max);
  looking.async_wait([this](boost::system::error_code error) {
    is_looking = false;
    if (!error) service.look_around();
  });
}

void ServerState::close() {
  const MutexLock lock(mutex);
  is_closed = true;
}

Session::Session(std::shared_ptr<ServerState> state, int fd, SessionOrigin origin)
    : Exchange(state->service, state->options),
      state_(std::move(state)),
      socket_(state_->io, fd),
      origin_(std::move(origin)),
      since_(ServerState::Clock::now()) {}

std::shared_ptr<Session> Session::self() {
  return std::static_pointer_cast<Session>(shared_from_this());
}

bool Session::is_here() const { return std::this_thread::get_id() == state_->thread; }
void Session::post(std::move_only_function<void()> work) { state_->post(std::move(work)); }

void Session::start() { await_input(); }

void Session::set_phase(Phase phase) {
  phase_ = phase;
  since_ = ServerState::Clock::now();
}

void Session::close() {
  if (phase_ == Phase::closed) return;
  set_phase(Phase::closed);
  if (feed_) feed_->close();
  if (waiting_) service().abandon(std::exchange(waiting_, RequestId{}));
  if (relay_) std::exchange(relay_, nullptr)->abandon();
  next_turn();
  boost::system::error_code ignored;
  socket_.close(ignored);
  state_->sessions.erase(self());
}

void Session::await_input() {
  if (is_reading_ || phase_ == Phase::closed) return;
  if (phase_ != Phase::draining && input_.size() >= input_bytes_max) return;
  // A body that has no place yet waits in the socket; after it, only a hang-up is listened for.
  if (phase_ == Phase::relaying && !relay_->wants_input() && !relay_->is_request_whole()) return;
  is_reading_ = true;
  socket_.async_wait(socket_.wait_read, [session = self()](boost::system::error_code error) {
    session->is_reading_ = false;
    if (error)
      session->close();
    else
      session->read_some();
  });
}

void Session::read_some() {
  if (phase_ == Phase::closed) return;
  std::string& scratch = state_->scratch;
  const ssize_t got = ::recv(socket_.native_handle(), scratch.data(), scratch.size(), MSG_DONTWAIT);
  if (got == 0) return close();
  if (got < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return await_input();
    return close();
  }
  const auto size = static_cast<std::size_t>(got);
  switch (phase_) {
    case Phase::closed:
      return;
    case Phase::streaming:
      break;  // nothing more is asked on this connection
    case Phase::draining:
      drained_ += size;
      if (drained_ > drained_bytes_max) return close();
      break;
    case Phase::answering:
      input_.append(scratch, 0, size);
      break;
    case Phase::reading:
    case Phase::relaying:
      if (input_.empty() && (output_.empty() || phase_ == Phase::relaying)) {
        const std::size_t consumed = consume(std::string_view{scratch}.substr(0, size));
        input_.assign(scratch, consumed, size - consumed);
      } else {
        input_.append(scratch, 0, size);
      }
      go_on();
      break;
  }
  await_input();
}

// Takes as many whole requests as there are, until one has to wait. Returns how much it took.
std::size_t Session::consume(std::string_view input) {
  std::size_t taken = 0;
  is_consuming_ = true;
  while (taken < input.size()) {
    if (phase_ == Phase::relaying) {
      // It may end with these very bytes, and this session with it.
      const std::shared_ptr<Relay> relay = relay_;
      const std::size_t took = relay->take(input.substr(taken));
      taken += took;
      if (took == 0) break;
    } else if (phase_ == Phase::reading && !ends_after_ && output_.size() < output_bytes_high) {
      const std::size_t took = consume_request(input.substr(taken));
      taken += took;
      if (phase_ == Phase::reading && reader_.has_begun()) break;
      if (took == 0 && phase_ == Phase::reading) break;
    } else {
      break;
    }
  }
  is_consuming_ = false;
  return taken;
}

// Of one request, as far as it has come.
std::size_t Session::consume_request(std::string_view input) {
  if (!reader_.has_begun()) since_ = ServerState::Clock::now();
  RequestReader::Fed fed = reader_.feed(input);
  std::size_t taken = fed.consumed;
  if (fed.state == RequestReader::State::head) {
    const Route* const route = origin_.is_excess ? nullptr : find_relay(*this);
    if (route != nullptr) {
      begin_relay(*route);
      return taken;
    }
    fed = reader_.feed(input.substr(taken));
    taken += fed.consumed;
  }
  switch (fed.state) {
    case RequestReader::State::head:
    case RequestReader::State::more:
      if (reader_.wants_continue()) output_ += "HTTP/1.1 100 Continue\r\n\r\n";
      return taken;
    case RequestReader::State::refused:
      refuse(reader_.status(), reader_.detail());
      return input.size();
    case RequestReader::State::complete:
      break;
  }
  phase_ = Phase::answering;
  waiting_ = {};
  if (origin_.is_excess) {
    refuse(429, "too many connections");
  } else {
    dispatch(*this);
  }
  return taken;
}

// The path that the component is asked for: what follows its name in one that names it.
std::string Session::relay_target(const Route& route) const {
  std::string_view target = reader_.target();
  if (route.relay->source != RelayRule::Source::path) return std::string(target);
  const auto parts = static_cast<std::size_t>(
      std::ranges::count(route.pattern.substr(0, route.pattern.find("/{rest*}")), '/'));
  for (std::size_t i = 0; i < parts; ++i) {
    const std::size_t slash = target.find('/', 1);
    const std::size_t end = std::min({slash, target.find('?'), target.size()});
    target.remove_prefix(end);
  }
  return target.starts_with('/') ? std::string(target) : "/" + std::string(target);
}

void Session::begin_relay(const Route& route) {
  phase_ = Phase::answering;
  waiting_ = {};
  const bool has_body = reader_.framing().kind != BodyFraming::Kind::none;
  // Of a request that is turned away, what is left of the body cannot be told from another request.
  const bool ended_after = std::exchange(ends_after_, ends_after_ || has_body);
  if (!let_in(*this)) return;
  ends_after_ = ended_after;
  const HeaderList headers = reader_.headers();
  RelayStart start;
  start.rule = *route.relay;
  start.request.is_upgrade = asks_for_upgrade(headers);
  start.request.method = reader_.method();
  start.request.target = relay_target(route);
  start.request.fields = passing_fields(headers, options().api_key, start.request.is_upgrade);
  start.request.framing = reader_.framing();
  start.content_type = reader_.request().content_type;
  start.session = origin_.peer;
  start.patience = options().gateway.patience;
  start.comment_interval = options().gateway.comment_interval;
  start.is_http_1_1 = reader_.request().is_http_1_1;
  start.is_kept = reader_.request().is_kept;
  if (route.relay->source == RelayRule::Source::path) {
    if (!parameters.empty()) start.component = parameters[0];
  } else if (route.relay->source == RelayRule::Source::query) {
    start.component = query_value(reader_.request().query, "model").value_or("");
  }
  for (const auto& [name, value] : headers) read_relay_header(lower_case(name), value, start);
  if (has_body && reader_.wants_continue()) output_ += "HTTP/1.1 100 Continue\r\n\r\n";
  phase_ = Phase::relaying;
  relay_ = std::make_shared<Relay>(state_, static_cast<Relay::Client&>(*this), std::move(start));
  const std::shared_ptr<Relay> relay = relay_;
  relay->begin();
}

// Parses what has arrived and sends what there is to send.
void Session::go_on() {
  while (true) {
    const bool may_take = phase_ == Phase::relaying ||
                          (phase_ == Phase::reading && output_.size() < output_bytes_high);
    if (may_take && !input_.empty()) input_.erase(0, consume(input_));
    const bool was_full = output_.size() >= output_bytes_high;
    flush();
    const bool has_more = was_full && output_.empty() && !input_.empty();
    if (phase_ != Phase::reading || !has_more) break;
  }
}

void Session::refuse(int status, std::string detail) {
  ends_after_ = true;
  phase_ = Phase::answering;
  Problem told;
  told.status = status;
  told.code = Errc::invalid;
  for (const Errc code : {Errc::too_large, Errc::exhausted, Errc::timed_out}) {
    if (http_status(code) == status) told.code = code;
  }
  if (http_status(told.code) != status) told.title = reason_phrase(status);
  told.detail = std::move(detail);
  problem(std::move(told));
}

void Session::reply(ApiResponse response) {
  if (phase_ != Phase::answering) return;
  const ApiRequest& asked = reader_.request();
  ends_after_ = ends_after_ || !asked.is_kept;
  append_response(
      output_, response,
      {.is_kept = !ends_after_, .is_head = asked.method == Method::head, .date = state_->date()});
  next_turn();
  reader_.reset();
  phase_ = Phase::reading;
  if (is_consuming_) return;
  since_ = ServerState::Clock::now();
  go_on();
  await_input();
}

void Session::send(std::string_view bytes) {
  if (phase_ != Phase::relaying || bytes.empty()) return;
  if (output_.empty()) {
    const ssize_t sent =
        ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    const bool is_broken = sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
    if (is_broken) return close();
    since_ = ServerState::Clock::now();
    if (bytes.empty()) return;
  }
  output_ += bytes;
  await_room();
}

void Session::answer(hearth::Problem told) {
  if (phase_ != Phase::relaying) return;
  phase_ = Phase::answering;
  ends_after_ = ends_after_ || !relay_->is_request_whole();
  relay_.reset();
  problem(std::move(told));
}

void Session::answer(int status, std::string json) {
  if (phase_ != Phase::relaying) return;
  phase_ = Phase::answering;
  ends_after_ = ends_after_ || !relay_->is_request_whole();
  relay_.reset();
  reply_json(status, std::move(json));
}

void Session::end(bool is_kept) {
  if (phase_ != Phase::relaying) return;
  relay_.reset();
  ends_after_ = ends_after_ || !is_kept;
  next_turn();
  reader_.reset();
  set_phase(Phase::reading);
  if (is_consuming_) return;
  go_on();
  await_input();
}

void Session::break_off() {
  if (phase_ != Phase::relaying) return;
  relay_.reset();
  ends_after_ = true;
  set_phase(Phase::reading);
  if (!is_consuming_) flush();
}

void Session::take_input() {
  if (!is_consuming_) go_on();
  await_input();
}

void Session::wait_for(RequestId request) {
  if (phase_ == Phase::closed)
    service().abandon(request);
  else
    waiting_ = request;  // also of a request just answered: until its answer is sent
}

void Session::flush() {
  while (sent_ < output_.size()) {
    const ssize_t sent = ::send(socket_.native_handle(), output_.data() + sent_,
                                output_.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      sent_ += static_cast<std::size_t>(sent);
      if (phase_ == Phase::streaming) since_ = ServerState::Clock::now();
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return await_room();
    } else if (errno != EINTR) {
      return close();
    }
  }
  output_.clear();
  sent_ = 0;
  // A request that still waits is abandoned by close(); one that is answered and sent is over.
  if (phase_ == Phase::reading) waiting_ = {};
  if (phase_ == Phase::reading && ends_after_) drain();
}

void Session::await_room() {
  if (is_writing_ || phase_ == Phase::closed) return;
  is_writing_ = true;
  socket_.async_wait(socket_.wait_write, [session = self()](boost::system::error_code error) {
    session->is_writing_ = false;
    if (session->phase_ == Phase::closed) return;
    if (error) return session->close();
    session->since_ = ServerState::Clock::now();
    if (session->phase_ == Phase::streaming) {
      session->write_events();
    } else if (session->phase_ == Phase::relaying) {
      session->flush();
      if (session->relay_ && session->output_.empty()) session->relay_->on_room();
    } else {
      session->go_on();
    }
    session->await_input();
  });
}

// The other side reads the last answer before the connection goes, even when it still sends.
void Session::drain() {
  (void)::shutdown(socket_.native_handle(), SHUT_WR);
  set_phase(Phase::draining);
  input_.clear();
}

void Session::stream(std::uint64_t after) {
  if (phase_ != Phase::answering) return;
  output_ +=
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
      "Connection: close\r\nDate: ";
  output_ += state_->date();
  output_ += "\r\n\r\n";
  if (reader_.request().method == Method::head) {
    ends_after_ = true;
    phase_ = Phase::reading;
    return;
  }
  set_phase(Phase::streaming);
  input_.clear();
  output_ += ": hello\n\n";
  feed_ = std::make_shared<EventFeed>(
      std::max<std::size_t>(options().stream_bytes_limit / bytes_per_event, 1));
  const std::weak_ptr<Session> weak = self();
  service().subscribe(after,
                      [feed = feed_, weak, state = state_](const StreamItem& item, bool is_lost) {
                        switch (feed->push(item, is_lost)) {
                          case EventFeed::Pushed::closed:
                            return false;
                          case EventFeed::Pushed::quiet:
                            return true;
                          case EventFeed::Pushed::wake:
                            break;
                        }
                        state->post([weak] {
                          if (const auto session = weak.lock()) session->write_events();
                        });
                        return true;
                      });
}

void Session::write_events() {
  while (phase_ == Phase::streaming) {
    flush();
    if (!output_.empty() || phase_ != Phase::streaming) return;
    while (output_.size() < read_bytes) {
      const auto entry = feed_->take();
      if (!entry) break;
      append_entry(*entry);
    }
    if (output_.empty()) return;
  }
}

void Session::append_entry(const EventFeed::Entry& entry) {
  if (entry.is_lost) {
    output_ += "event: lost\ndata: {\"after\":" + std::to_string(entry.item.sequence) + "}\n\n";
    return;
  }
  next_turn();  // the configuration may be another since the last item
  JsonWriter json;
  append_decision(json, entry.item.decision, entry.item.unix_ms, names());
  // An id says that all of it was received: one in the middle would lose the rest on a resume.
  if (entry.item.is_last) output_ += "id: " + std::to_string(entry.item.sequence) + "\n";
  output_ += "event: decision\ndata: ";
  output_ += json.view();
  output_ += "\n\n";
}

// A client that is not read does not show that it has gone; one that does not read keeps its
// component to itself.
void Session::look_at_relay(ServerState::Clock::time_point now) {
  pollfd entry{socket_.native_handle(), POLLRDHUP, 0};
  const bool is_gone = ::poll(&entry, 1, 0) > 0 && entry.revents != 0;
  constexpr auto stalled_max = std::chrono::minutes{10};
  const bool is_stalled = !output_.empty() && now - since_ > stalled_max;
  if ((is_gone && !is_reading_) || is_stalled) return close();
  const std::shared_ptr<Relay> relay = relay_;
  relay->look_at_the_clock(now);
}

void Session::look_at_the_clock(ServerState::Clock::time_point now) {
  const Duration spent = now - since_;
  const ServerOptions& limits = options();
  switch (phase_) {
    case Phase::closed:
      return;
    case Phase::answering:
      return;  // its own patience ends it
    case Phase::relaying:
      return look_at_relay(now);
    case Phase::draining:
      if (spent > 5s) close();
      return;
    case Phase::streaming:
      if (!output_.empty()) {
        if (spent > limits.request_time_limit) close();
      } else if (spent >= limits.keep_alive_interval) {
        since_ = now;
        output_ += ": still here\n\n";
        write_events();
      }
      return;
    case Phase::reading:
      break;
  }
  if (!output_.empty()) {
    if (spent > limits.request_time_limit) close();
  } else if (reader_.has_begun()) {
    if (spent <= limits.request_time_limit) return;
    refuse(408, "the request did not arrive whole in time");
  } else if (spent > limits.idle_time_limit) {
    close();
  }
}

}  // namespace hearth
