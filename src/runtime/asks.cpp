// What clients ask for: each becomes one event, or is answered here through open gates.
#include <algorithm>
#include <chrono>

#include "base/hash.h"
#include "base/limits.h"
#include "runtime/daemon_state.h"

namespace hearth {
namespace {

SessionId session_of(const std::string& session) {
  return session.empty() ? SessionId{} : SessionId{std::max<std::uint64_t>(fnv1a(session), 1)};
}

// A log's entry is one line.
std::string in_one_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  for (std::size_t at = 0; (at = text.find('\n', at)) != text.npos;) text.replace(at, 1, "; ");
  return text;
}

Reason reason_of(Errc code) { return code == Errc::exhausted ? Reason::queue_full : Reason::none; }

}  // namespace

void Daemon::Impl::answer(Pending& waiting, action::Reply reply, std::string detail) {
  if (!waiting.callback) return;
  Answer answer{.detail = std::move(detail), .intents = std::move(waiting.intents)};
  for (const action::ReplyComponent& component : reply.components) {
    answer.endpoints.push_back(components ? components->endpoint(component.component) : "");
  }
  answer.reply = std::move(reply);
  waiting.callback(std::move(answer));
}

RequestId Daemon::Impl::ask(RequestId request, Event::What what, Intake::Kind kind,
                            Pending waiting) {
  bool is_taken = false;
  {
    const MutexLock guard{pending_mutex};
    if (!is_closed) {
      is_taken = true;
      pending.emplace(request, std::move(waiting));
    }
  }
  if (!is_taken) {
    measures.refused(Reason::shutting_down);
    answer(waiting,
           {.request = request, .code = Errc::unavailable, .reason = Reason::shutting_down},
           "the daemon has ended");
    return request;
  }
  const auto appended = intake->append(std::move(what), kind);
  if (appended) return request;
  {
    const MutexLock guard{pending_mutex};
    const auto found = pending.find(request);
    if (found == pending.end()) return request;
    waiting = std::move(found->second);
    pending.erase(found);
  }
  const Error& error = appended.error();
  measures.refused(reason_of(error.code));
  answer(waiting, {.request = request, .code = error.code, .reason = reason_of(error.code)},
         error.detail);
  return request;
}

// Nothing was waited for but the way through here, the classifier's included.
void Daemon::Impl::waited_warm(const View& seen, const std::vector<ComponentId>& asked,
                               std::chrono::steady_clock::time_point arrived) {
  Priority highest = Priority::low;
  for (const ComponentId id : asked) highest = std::max(highest, seen.priorities[id.value]);
  measures.waited({.took = std::chrono::steady_clock::now() - arrived, .priority = highest});
}

// The gates of all that is asked for and of what it needs, or none of them.
std::optional<action::Reply> Daemon::Impl::take_fast(const View& seen,
                                                     const std::vector<ComponentId>& asked,
                                                     event::LeaseTaken taken) {
  if (seen.is_journal_synced || is_shutting_down || intake->is_failing()) return std::nullopt;
  taken.asked = asked;
  std::vector<ComponentId>& all = taken.components;
  for (const ComponentId id : asked) {
    if (id.value >= seen.closures.size()) return std::nullopt;
    all.insert(all.end(), seen.closures[id.value].begin(), seen.closures[id.value].end());
  }
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  std::size_t held = 0;
  while (held < all.size() && seen.gates[all[held].value]->try_take()) ++held;
  const auto give_back = [&] {
    for (std::size_t i = 0; i < held; ++i) seen.gates[all[i].value]->release();
  };
  if (held < all.size()) {
    give_back();
    return std::nullopt;
  }
  taken.lease = LeaseId{fast_bit | next_lease.fetch_add(1)};
  action::Reply reply{
      .request = RequestId{taken.lease.value}, .is_granted = true, .command = taken.command};
  if (taken.length > Duration{0}) {
    reply.lease = taken.lease;
    reply.lease_until = intake->now() + taken.length;
  }
  for (const ComponentId id : all) {
    const bool is_asked = std::ranges::find(asked, id) != asked.end();
    reply.components.push_back({id, false, true, is_asked});
  }
  // The gates are held already. Whatever makes the core act is queued behind this, so it never acts
  // without having seen it, and need not be woken for it.
  // A lease that ends with an answer ends with the daemon too; a command is kept.
  const bool ends_with_daemon = taken.ends_with_answer && !taken.command;
  const auto wake = ends_with_daemon ? Intake::Wake::with_next : Intake::Wake::later;
  if (!intake->append(std::move(taken), Intake::Kind::may_load, wake)) {
    give_back();
    return std::nullopt;
  }
  return reply;
}

std::shared_ptr<const Names> Daemon::names() const { return impl_->view()->names; }

RequestId Daemon::command(CommandAsk ask, AnswerCallback callback) {
  const auto arrived = std::chrono::steady_clock::now();
  const auto seen = impl_->view();
  Impl::Pending waiting{.callback = std::move(callback)};
  if (seen->classifier) waiting.intents = seen->classifier->classify(ask.text);
  const std::string session = ask.session.empty() ? ask.peer : ask.session;
  const CommandId command{impl_->next_command.fetch_add(1)};
  std::string note = encode_note(make_note(ask.text, session, seen->history_text));
  std::vector<ComponentId> demanded;
  bool has_likely = false;
  for (const Intent& intent : waiting.intents) {
    if (intent.probability >= seen->threshold) {
      demanded.push_back(intent.component);
    } else {
      has_likely = has_likely || intent.probability >= seen->preload_threshold;
    }
  }
  if (ask.waits && !demanded.empty() && !has_likely) {
    auto reply = impl_->take_fast(*seen, demanded,
                                  {.session = session_of(session),
                                   .command = command,
                                   .intents = waiting.intents,
                                   .owner = "command " + std::to_string(command.value),
                                   .length = ask.lease,
                                   .note = note,
                                   .ends_with_answer = ask.ends_with_answer});
    if (reply) {
      impl_->waited_warm(*seen, demanded, arrived);
      const RequestId request = reply->request;
      impl_->answer(waiting, std::move(*reply), {});
      return request;
    }
  }
  const RequestId request{impl_->next_request.fetch_add(1)};
  event::CommandReceived event{.request = request,
                               .command = command,
                               .session = session_of(session),
                               .intents = waiting.intents,
                               .waits = ask.waits,
                               .patience = ask.patience,
                               .lease = ask.lease,
                               .note = std::move(note),
                               .ends_with_answer = ask.ends_with_answer};
  const auto kind = demanded.empty() && !has_likely ? Intake::Kind::ask : Intake::Kind::may_load;
  return impl_->ask(request, std::move(event), kind, std::move(waiting));
}

RequestId Daemon::lease(LeaseAsk ask, AnswerCallback callback) {
  const auto arrived = std::chrono::steady_clock::now();
  const auto seen = impl_->view();
  Impl::Pending waiting{.callback = std::move(callback)};
  // A lease that may prove a command's use is the core's to judge.
  const bool is_plain = !ask.command && (ask.session.empty() || ask.is_use);
  if (is_plain && !ask.components.empty()) {
    auto reply = impl_->take_fast(*seen, ask.components,
                                  {.session = session_of(ask.session),
                                   .owner = ask.owner,
                                   .length = ask.length,
                                   .is_preemptible = ask.is_preemptible,
                                   .is_use = ask.is_use,
                                   .ends_with_answer = ask.ends_with_answer});
    if (reply) {
      impl_->waited_warm(*seen, ask.components, arrived);
      const RequestId request = reply->request;
      impl_->answer(waiting, std::move(*reply), {});
      return request;
    }
  }
  const RequestId request{impl_->next_request.fetch_add(1)};
  event::LeaseRequested event{.request = request,
                              .components = std::move(ask.components),
                              .session = session_of(ask.session),
                              .command = ask.command,
                              .owner = std::move(ask.owner),
                              .patience = ask.patience,
                              .length = ask.length,
                              .is_preemptible = ask.is_preemptible,
                              .is_use = ask.is_use,
                              .ends_with_answer = ask.ends_with_answer};
  return impl_->ask(request, std::move(event), Intake::Kind::may_load, std::move(waiting));
}

RequestId Daemon::renew(LeaseId lease, Duration length, AnswerCallback callback) {
  const RequestId request{impl_->next_request.fetch_add(1)};
  return impl_->ask(request,
                    event::LeaseRenewed{.request = request, .lease = lease, .length = length},
                    Intake::Kind::ask, {.callback = std::move(callback)});
}

RequestId Daemon::release(LeaseId lease, AnswerCallback callback) {
  const RequestId request{impl_->next_request.fetch_add(1)};
  // Never refused: who gives something back must not keep it because the queue is full.
  return impl_->ask(request, event::LeaseReleased{.request = request, .lease = lease},
                    Intake::Kind::internal, {.callback = std::move(callback)});
}

void Daemon::let_go(LeaseId lease) {
  // Whoever begins to wait wakes the core itself, and this is before it in the queue.
  const auto wake = impl_->is_anybody_waiting ? Intake::Wake::now : Intake::Wake::later;
  (void)impl_->intake->append(event::LeaseReleased{.request = {}, .lease = lease},
                              Intake::Kind::internal, wake);
}

void Daemon::look_around() {
  impl_->intake->post([] {});
}

RequestId Daemon::load(ComponentId id, bool waits, Duration patience, AnswerCallback callback) {
  const RequestId request{impl_->next_request.fetch_add(1)};
  event::LoadRequested event{
      .request = request, .component = id, .waits = waits, .patience = patience};
  return impl_->ask(request, event, Intake::Kind::may_load, {.callback = std::move(callback)});
}

RequestId Daemon::unload(std::vector<ComponentId> ids, AnswerCallback callback) {
  const RequestId request{impl_->next_request.fetch_add(1)};
  impl_->intake->post([impl = impl_.get(), request, ids = std::move(ids),
                       callback = std::move(callback)]() mutable {
    impl->end_kept(ids);
    event::UnloadRequested event{.request = request, .components = std::move(ids)};
    impl->ask(request, std::move(event), Intake::Kind::ask, {.callback = std::move(callback)});
  });
  return request;
}

RequestId Daemon::pin(ComponentId id, bool is_pinned, AnswerCallback callback) {
  const RequestId request{impl_->next_request.fetch_add(1)};
  return impl_->ask(
      request, event::PinRequested{.request = request, .component = id, .is_pinned = is_pinned},
      is_pinned ? Intake::Kind::may_load : Intake::Kind::ask, {.callback = std::move(callback)});
}

RequestId Daemon::used(CommandId command, std::vector<ComponentId> ids, AnswerCallback callback) {
  const RequestId request{impl_->next_request.fetch_add(1)};
  event::UseReported event{.request = request, .command = command, .used = std::move(ids)};
  return impl_->ask(request, std::move(event), Intake::Kind::ask,
                    {.callback = std::move(callback)});
}

void Daemon::signal(std::string name, std::string session) {
  (void)impl_->intake->append(
      event::SignalReceived{.name = std::move(name), .session = session_of(session)},
      Intake::Kind::ask);
}

void Daemon::abandon(RequestId request) {
  // The callback may hold what waits for this very call to return: it is destroyed outside.
  Impl::Pending dropped;
  {
    const MutexLock guard{impl_->pending_mutex};
    const auto found = impl_->pending.find(request);
    if (found != impl_->pending.end()) {
      dropped = std::move(found->second);
      impl_->pending.erase(found);
    }
  }
  if ((request.value & fast_bit) != 0) {
    impl_->tell(event::LeaseReleased{.lease = LeaseId{request.value}});
  } else {
    impl_->tell(event::RequestAbandoned{request});
  }
}

void Daemon::subscribe(std::uint64_t after,
                       std::move_only_function<bool(const StreamItem&, bool lost)> callback) {
  impl_->intake->post([impl = impl_.get(), after, callback = std::move(callback)]() mutable {
    impl->chronicle.subscribe(after, std::move(callback));
  });
}

void Daemon::status(std::move_only_function<void(DaemonStatus)> callback) {
  impl_->intake->post(
      [impl = impl_.get(), callback = std::move(callback)]() mutable { callback(impl->status()); });
}

void Daemon::reload(std::move_only_function<void(Result<>)> callback) {
  if (!impl_->options.load_config) {
    callback(fail(Errc::unavailable, "this daemon was started without a configuration file"));
    return;
  }
  impl_->clerk->post([impl = impl_.get(), callback = std::move(callback)]() mutable {
    auto loaded = impl->options.load_config();
    Configuration resolved = loaded ? impl->resolve(*loaded) : Configuration{};
    impl->intake->post([impl, loaded = std::move(loaded), resolved = std::move(resolved),
                        callback = std::move(callback)]() mutable {
      if (!loaded) {
        impl->log->error("nothing has changed, the configuration has errors: " +
                         in_one_line(loaded.error().detail));
        callback(std::unexpected{loaded.error()});
        return;
      }
      loaded->state_dir = impl->state_dir;
      event::Configured configured{std::move(resolved)};
      const auto appended = impl->intake->append(std::move(configured), Intake::Kind::may_load);
      if (!appended) {
        callback(std::unexpected{appended.error()});
        return;
      }
      impl->configs_coming.emplace(*appended, std::move(*loaded));
      impl->reloads_waiting.emplace(*appended, std::move(callback));
    });
  });
}

void Daemon::shutdown() {
  impl_->is_shutting_down = true;
  impl_->is_core_ready = false;
  impl_->intake->post([impl = impl_.get()] {
    impl->end_kept({});
    impl->tell(event::ShutdownRequested{});
  });
}

bool Daemon::is_ready() const { return impl_->is_core_ready.load(); }

}  // namespace hearth
