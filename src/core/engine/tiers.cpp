// Tiers: between ready and unloaded an idle component may hibernate. It is frozen and paged out, so
// that it takes little memory, and is back sooner than by a load.
//
// What is chosen, hibernating or unloading, is what costs less for each byte that it frees. Whether
// it will be wanted again is as likely as not (what was idle for so long is as likely idle for as
// long again as it is not), so that
//
//   unloading    costs  load time / 2               and frees all that it holds
//   hibernating  costs  resume time / 2             and frees a share of that, as learnt
//                       + the time until it is out of the way, when somebody waits for the memory
//
// Shares and times are those of the last time, or guesses before the first. What frees less than a
// quarter is unloaded at once, and does not hibernate for an hour, then two, then four. What could
// not hibernate, or did not come back, is not tried again before the daemon starts anew. What was
// loaded in vain, and whatever begins to go in an emergency, is unloaded; so is what would take
// longer to be out of the way, behind all that are on their way there, than to load.
//
// A hibernated component holds what it still takes, its needs stay as they are below it, and a
// request for it asks for room for what is missing, as for a load. Until there is room its rest is
// kept for nobody. What rivals it, or needs it gone, unloads it. It idles on, ten times as long as
// it would ready, and is then unloaded.
#include <algorithm>

#include "core/engine/state.h"

namespace hearth {
namespace {

constexpr double freed_share_least = 0.25;
// Before the first time: half of it, paged out at 500 MB and back at 1 GB a second.
constexpr double freed_share_guess = 0.5;
constexpr double out_rate = 500e6;
constexpr double back_rate = 1e9;
constexpr Duration overhead = 20ms;

Duration time_for(Bytes bytes, double rate) {
  return overhead +
         Duration{static_cast<std::int64_t>(static_cast<double>(bytes.count) / rate * 1e9)};
}

// The swap may have been full, or its memory another: after a while it is tried again.
Duration poor_rest(unsigned times) { return std::chrono::hours{1U << std::min(times - 1, 7U)}; }

}  // namespace

Bytes Engine::Impl::freed_by_hibernating(ComponentId id) const {
  const Component& c = at(id);
  const double share = c.freed_share > 0 ? c.freed_share : freed_share_guess;
  return Bytes{static_cast<std::uint64_t>(static_cast<double>(ledger.held(id).count) * share)};
}

// Beside what it holds while it hibernates.
Ledger::Demand Engine::Impl::missing_for(ComponentId id) const {
  const Component& c = at(id);
  Ledger::Demand demand = demand_for(id);
  if (c.state == State::hibernated && !c.is_waking) {
    demand.ram = less(demand.ram, c.asleep);
    demand.others.clear();
  }
  return demand;
}

Duration Engine::Impl::hibernating_takes(ComponentId id) const {
  const Component& c = at(id);
  return c.hibernate_time > Duration{0} ? c.hibernate_time : time_for(ledger.held(id), out_rate);
}

Duration Engine::Impl::resuming_takes(ComponentId id) const {
  const Component& c = at(id);
  return c.resume_time > Duration{0} ? c.resume_time : time_for(bound(id), back_rate);
}

Duration Engine::Impl::paging_ahead() const {
  Duration sum{0};
  for (const ComponentId id : leaving) {
    const bool is_on_its_way = at(id).goes_to_sleep || at(id).state == State::hibernating;
    if (is_on_its_way) sum += hibernating_takes(id);
  }
  return sum;
}

bool Engine::Impl::is_worth_hibernating(ComponentId id, bool is_waited_for) const {
  const Component& c = at(id);
  const bool can = c.spec.can_hibernate && c.no_sleep_before <= now && !c.is_preload &&
                   !c.is_removed && !c.next_spec && c.state == State::ready &&
                   ledger.held(id) > Bytes{} && c.load_time > Duration{0} &&
                   pressure < Pressure::emergency;
  if (!can) return false;
  const Duration until_asleep = paging_ahead() + hibernating_takes(id);
  if (until_asleep > c.load_time) return false;
  const double share = c.freed_share > 0 ? c.freed_share : freed_share_guess;
  const double waits = is_waited_for ? seconds(until_asleep) : 0;
  return waits + seconds(resuming_takes(id)) / 2 < share * seconds(c.load_time) / 2;
}

// What of the ledger it gives back when it goes there.
Ledger::Demand Engine::Impl::freed_by(ComponentId id, Tier tier) const {
  const Ledger::Demand& held = ledger.demand_of(id);
  if (tier == Tier::unloaded) return held;
  return {.ram = freed_by_hibernating(id), .pool = held.pool, .others = {}};
}

// All of `victims` go, so that what is claimed will fit: to hibernate, the most worthy first, as
// far as that frees enough, and is worth it. What another victim is needed by goes with it.
void Engine::Impl::make_leave(const Claim& claim, const std::vector<ComponentId>& victims,
                              Reason reason, std::optional<ComponentId> because) {
  std::vector<Leaver> leavers;
  for (const ComponentId victim : victims) leavers.push_back({.id = victim});
  const std::vector<Ledger::Demand> going = leaving_demands();
  for (std::size_t i = victims.size(); i-- > 0;) {
    const std::vector<ComponentId>& below = at(victims[i]).closure;
    const bool stands_on_another = std::ranges::any_of(victims, [&](ComponentId other) {
      return other != victims[i] && std::ranges::find(below, other) != below.end();
    });
    const bool may_sleep = at(victims[i]).is_in_idle && !stands_on_another &&
                           is_worth_hibernating(victims[i], because.has_value());
    if (!may_sleep) continue;
    std::vector<Leaver> changed = leavers;
    changed[i].to = Tier::hibernated;
    std::vector<Ledger::Demand> freed = going;
    for (const Leaver& leaver : changed) freed.push_back(freed_by(leaver.id, leaver.to));
    const bool is_enough =
        !ledger.shortfall(claim.wanted, freed) && !protects_more(changed, leavers, claim);
    if (is_enough) leavers = std::move(changed);
  }
  for (const Leaver& leaver : leavers) {
    ++totals.evictions;
    if (leaver.to == Tier::hibernated) {
      begin_close(leaver.id, reason, because, Tier::hibernated);
    } else {
      drain(leaver.id, reason, because);
    }
  }
}

void Engine::Impl::start_hibernate(ComponentId id) {
  Component& c = at(id);
  set_state(id, Trigger::hibernate);
  c.work = WorkId{next_work++};
  work.emplace(c.work, id);
  c.is_cancelled = false;
  has_paged = true;
  pages_until = std::max(pages_until, now) + 2 * hibernating_takes(id) + 1s;
  emit(action::StartHibernate{c.work, id});
}

// What takes too long for a shutdown or an emergency: it is unloaded as it is.
void Engine::Impl::cancel_hibernations() {
  for (const ComponentId id : leaving) {
    if (at(id).state != State::hibernating || std::exchange(at(id).is_cancelled, true)) continue;
    emit(action::CancelLoad{at(id).work});
  }
}

void Engine::Impl::on(const event::HibernateFinished& event) {
  const auto found = work.find(event.work);
  if (found == work.end() || at(found->second).state != State::hibernating) return;
  const ComponentId id = found->second;
  Component& c = at(id);
  work.erase(found);
  c.work = WorkId{};
  is_dirty = true;
  if (event.outcome == HibernateOutcome::ended || c.has_exited) {
    ++totals.exits;
    return lose(id, Reason::lost);
  }
  if (event.outcome == HibernateOutcome::asleep) return hibernated(id, event.held, event.took);
  if (!std::exchange(c.is_cancelled, false)) {
    c.no_sleep_before = Instant::never();
    record_component(DecisionKind::hibernate_refused, Reason::unable, id);
  }
  set_state(id, Trigger::hibernate_refused);
  start_unload(id);
}

void Engine::Impl::hibernated(ComponentId id, Bytes held, Duration took) {
  Component& c = at(id);
  c.is_cancelled = false;
  set_state(id, Trigger::hibernate_done);
  leaving.erase(id);
  const Bytes before = ledger.held(id);
  c.asleep = std::max(std::min(held, before), Bytes{1});
  const Bytes freed = less(before, c.asleep);
  c.freed_share = static_cast<double>(freed.count) / static_cast<double>(before.count);
  c.hibernate_time = averaged(c.hibernate_time, took);
  ledger.replace(id, c.asleep);
  is_told_stuck = false;
  const bool is_poor = c.freed_share < freed_share_least;
  if (!is_poor) ++totals.hibernations;
  c.poor_sleeps = is_poor ? c.poor_sleeps + 1 : 0;
  if (is_poor) {
    c.no_sleep_before = now + poor_rest(c.poor_sleeps);
    c.freed_share = 0;  // the next time is as good as the first
  }
  record_component(is_poor ? DecisionKind::hibernate_refused : DecisionKind::hibernate_done,
                   is_poor ? Reason::frees_little : c.unload_reason, id);
  decisions.back().bytes = freed;
  decisions.back().other_bytes = c.asleep;
  decisions.back().figure = milliseconds(took);
  const bool has_to_go = is_poor || c.is_removed || c.next_spec || !is_soft(c.unload_reason);
  if (has_to_go && is_free(id)) return begin_close(id, c.unload_reason, c.unload_for);
  refresh_idle(id);
  note_keep(id);
}

void Engine::Impl::start_resume(ComponentId id) {
  Component& c = at(id);
  begin_load(id, Trigger::resume);
  has_paged = true;
  pages_until = std::max(pages_until, now + 2 * resuming_takes(id) + 1s);
  record_component(DecisionKind::resume_started, c.load_reason, id);
  decisions.back().bytes = ledger.held(id);
  decisions.back().other_bytes = c.asleep;
  emit(action::StartResume{c.work, id, ledger.held(id)});
}

void Engine::Impl::resume_done(ComponentId id, Bytes measured) {
  Component& c = at(id);
  set_state(id, Trigger::resume_done);
  const Duration took = now - c.load_started;
  c.resume_time = averaged(c.resume_time, took);
  c.asleep = Bytes{};
  came_up(id, measured);
  ++totals.resumes;
  record_component(DecisionKind::resume_done, c.load_reason, id);
  decisions.back().bytes = measured;
  decisions.back().figure = milliseconds(took);
  open_gate(id);
}

// It has ended. That is no failure of its loads: whoever waits has it loaded anew, at once.
void Engine::Impl::resume_failed(ComponentId id) {
  Component& c = at(id);
  ++c.failures;
  ++totals.resume_failures;
  c.no_sleep_before = Instant::never();
  record_component(DecisionKind::resume_failed,
                   c.unload_reason == Reason::timed_out ? Reason::timed_out : Reason::lost, id);
  set_state(id, Trigger::load_failed);
  disengage(id);
  c.is_cancelled = false;
  c.load = WorkId{};
  set_state(id, Trigger::forget);
  if (has_next_specs) apply_next_specs();
  note_keep(id);
}

}  // namespace hearth
