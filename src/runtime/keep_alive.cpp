// Staying after an answer for as long as a client has asked: a lease that gives way to whoever
// needs the room, one for each component.
#include <algorithm>
#include <utility>

#include "runtime/daemon_state.h"

namespace hearth {
namespace {

constexpr Duration for_ever = 24h * 365 * 10;

}  // namespace

void Daemon::keep(ComponentId id, Duration span) {
  impl_->intake->post([impl = impl_.get(), id, span] { impl->keep(id, std::min(span, for_ever)); });
}

LeaseId Daemon::Impl::kept(ComponentId id) const {
  for (const LeaseView& lease : engine.leases()) {
    const bool is_it = lease.components.size() == 1 && lease.components.front() == id;
    if (is_it && lease.owner == keep_alive_owner) return lease.id;
  }
  return {};
}

void Daemon::Impl::keep(ComponentId id, Duration span) {
  if (span == Duration{0}) {
    end_kept({id});
    unwanted.insert(id);
    return unload_unwanted();
  }
  unwanted.erase(id);
  const LeaseId before = kept(id);
  const RequestId request{next_request.fetch_add(1)};
  Event::What what;
  if (before) {
    what = event::LeaseRenewed{.request = request, .lease = before, .length = span};
  } else if (engine.component(id).state == State::ready) {
    what = event::LeaseRequested{.request = request,
                                 .components = {id},
                                 .session = {},
                                 .command = {},
                                 .owner = std::string{keep_alive_owner},
                                 .patience = 1ms,
                                 .length = span,
                                 .is_preemptible = true};
  } else {
    return;
  }
  // Nobody waits for it; one that a full queue refuses is asked for again by the next answer.
  ask(request, std::move(what), Intake::Kind::ask, {.callback = [](const Answer&) {}});
}

// Those of which the last that was heard is that they need not stay: as soon as nobody speaks to
// them any more.
void Daemon::Impl::unload_unwanted() {
  std::erase_if(unwanted, [this](ComponentId id) {
    const ComponentView view = engine.component(id);
    if (view.priority == Priority::core) return true;  // not a client's to send away
    if (view.state != State::ready && view.state != State::draining) return true;
    if (!view.is_idle) return false;
    const RequestId request{next_request.fetch_add(1)};
    event::UnloadRequested unload{.request = request, .components = {id}};
    // Somebody may have taken it in the same moment.
    auto again = [this, id](const Answer& answer) {
      if (answer.reply.reason == Reason::leased) unwanted.insert(id);
    };
    ask(request, std::move(unload), Intake::Kind::ask, {.callback = std::move(again)});
    return true;
  });
}

// What is only kept alive is in nobody's use: an unload by hand, and a shutdown, end that first.
// None named: all.
void Daemon::Impl::end_kept(const std::vector<ComponentId>& ids) {
  for (const LeaseView& lease : engine.leases()) {
    if (lease.owner != keep_alive_owner || lease.components.empty()) continue;
    const bool is_meant = ids.empty() || std::ranges::find(ids, lease.components[0]) != ids.end();
    if (!is_meant) continue;
    const RequestId request{next_request.fetch_add(1)};
    const event::LeaseReleased released{.request = request, .lease = lease.id};
    ask(request, released, Intake::Kind::internal, {.callback = [](const Answer&) {}});
  }
}

}  // namespace hearth
