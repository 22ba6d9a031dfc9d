// Staying after an answer for as long as a client has asked: a lease that gives way to whoever
// needs the room, one for each component.
#include <algorithm>
#include <utility>

#include "runtime/daemon_state.h"

namespace hearth {
namespace {

constexpr std::string_view keep_owner = "keep_alive";
constexpr Duration for_ever = 24h * 365 * 10;

}  // namespace

void Daemon::keep(ComponentId id, Duration span) {
  impl_->intake->post([impl = impl_.get(), id, span] { impl->keep(id, std::min(span, for_ever)); });
}

LeaseId Daemon::Impl::kept(ComponentId id) const {
  for (const LeaseView& lease : engine.leases()) {
    const bool is_it = lease.components.size() == 1 && lease.components.front() == id;
    if (is_it && lease.owner == keep_owner) return lease.id;
  }
  return {};
}

void Daemon::Impl::keep(ComponentId id, Duration span) {
  const LeaseId before = kept(id);
  const RequestId request{next_request.fetch_add(1)};
  Event::What what;
  if (span == Duration{0} && before) {
    what = event::LeaseReleased{.request = request, .lease = before};
  } else if (span > Duration{0} && before) {
    what = event::LeaseRenewed{.request = request, .lease = before, .length = span};
  } else if (span > Duration{0} && engine.component(id).state == State::ready) {
    what = event::LeaseRequested{.request = request,
                                 .components = {id},
                                 .session = {},
                                 .command = {},
                                 .owner = std::string{keep_owner},
                                 .patience = 1ms,
                                 .length = span,
                                 .is_preemptible = true};
  } else {
    return;
  }
  // Nobody waits for it; one that a full queue refuses is asked for again by the next answer.
  ask(request, std::move(what), Intake::Kind::ask, {.callback = [](const Answer&) {}});
}

// A shutdown waits for answers, and for what applications hold, but not for these.
void Daemon::Impl::end_kept() {
  for (const LeaseView& lease : engine.leases()) {
    if (lease.owner != keep_owner) continue;
    const RequestId request{next_request.fetch_add(1)};
    const event::LeaseReleased released{.request = request, .lease = lease.id};
    ask(request, released, Intake::Kind::internal, {.callback = [](const Answer&) {}});
  }
}

}  // namespace hearth
