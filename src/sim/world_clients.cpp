// Who uses the daemon: commands, applications with leases, an operator, and requests without sense.
#include <algorithm>

#include "sim/world.h"

namespace hearth::sim {
namespace {

constexpr std::uint64_t fast_bit = 1ULL << 63;

}  // namespace

RequestId World::ask(Client client, std::vector<ComponentId> asked, CommandId command) {
  const RequestId id{next_request_++};
  pending_.emplace(id, Pending{client, command, std::move(asked)});
  return id;
}

// A component of the configuration, popular ones more often.
std::optional<ComponentId> World::pick() {
  const auto& components = configuration_.components;
  const std::size_t index = workload_.popular(prng_, components.size());
  return engine_.find(components[index].name);
}

std::vector<ComponentId> World::closure(ComponentId id) const {
  std::vector<ComponentId> found{id};
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const ComponentId need : engine_.needs_of(found[i])) {
      if (std::ranges::find(found, need) == found.end()) found.push_back(need);
    }
  }
  return found;
}

bool World::are_open(const std::vector<ComponentId>& gates) const {
  return std::ranges::all_of(gates, [this](ComponentId id) {
    return id.value < processes_.size() && processes_[id.value].is_open;
  });
}

void World::command() {
  if (is_quiet_) return;
  add(Kind::command, now_ + arrival(prng_, 9s));
  event::CommandReceived e;
  e.command = CommandId{next_command_++};
  e.session = SessionId{1 + prng_.below(4)};
  e.waits = !prng_.chance(0.12);
  e.patience = prng_.chance(0.01) ? Duration{0} : between(prng_, 2s, 40s);
  e.lease = between(prng_, 5s, 60s);
  e.ends_with_answer = e.command.value % 4 == 1;
  const double kind = prng_.unit();
  const int wanted = kind < 0.2 ? 0 : kind < 0.8 ? 1 : 2;
  for (int i = 0; i < wanted; ++i) {
    if (const auto id = pick()) e.intents.push_back({*id, 0.5 + prng_.unit() / 2});
  }
  if (prng_.chance(0.3)) {
    if (const auto id = pick()) e.intents.push_back({*id, prng_.unit() / 2});
  }
  std::vector<ComponentId> asked;
  for (const Intent& intent : e.intents) asked.push_back(intent.component);
  e.request = ask(Client::command, std::move(asked), e.command);
  ++report_.commands;
  recent_.push_back(e.command);
  if (recent_.size() > 64) recent_.erase(recent_.begin());
  if (e.waits && faults_.strikes(Fault::client_abandoned, now_)) {
    add(Kind::abandon, now_ + between(prng_, 0ms, 8s), e.request.value);
  }
  step(std::move(e));
}

void World::lease() {
  if (is_quiet_) return;
  add(Kind::lease, now_ + arrival(prng_, 22s));
  event::LeaseRequested e;
  const std::uint64_t count = 1 + prng_.below(3);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (const auto id = pick()) e.components.push_back(*id);
  }
  if (e.components.empty()) return;
  e.session = SessionId{1 + prng_.below(4)};
  if (prng_.chance(0.2) && !recent_.empty()) e.command = recent_.back();
  e.owner = "application " + std::to_string(prng_.below(5));
  e.patience = between(prng_, 1s, 60s);
  e.length = between(prng_, 3s, 120s);
  e.is_preemptible = prng_.chance(0.35);
  // What ends with an answer; others may take their turn then.
  e.is_use = !e.is_preemptible && prng_.chance(0.4);
  e.ends_with_answer = e.is_use;
  if (e.is_use) e.length = between(prng_, 50ms, 6s);
  e.request = ask(Client::lease, e.components);
  if (faults_.strikes(Fault::client_abandoned, now_)) {
    add(Kind::abandon, now_ + between(prng_, 0ms, 8s), e.request.value);
  }
  step(std::move(e));
}

// Through open gates, without waiting for the daemon.
void World::fast_lease() {
  if (is_quiet_) return;
  add(Kind::fast_lease, now_ + arrival(prng_, 1050ms));
  const auto picked = pick();
  if (!picked || picked->value >= processes_.size()) return;
  const auto gates = closure(*picked);
  if (are_open(gates)) take_gates(gates, between(prng_, 0ms, 20ms));
}

void World::take_gates(const std::vector<ComponentId>& gates, Duration after) {
  ++report_.fast_leases;
  for (const ComponentId id : gates) ++processes_[id.value].fast;
  event::LeaseTaken e;
  e.lease = LeaseId{fast_bit | next_fast_++};
  e.components = gates;
  e.asked = {gates.front()};
  if (prng_.chance(0.5)) {
    // A warm command, answered before the engine hears of it.
    e.command = CommandId{next_command_++};
    e.intents = {{gates.front(), 0.5 + prng_.unit() / 2}};
    ++report_.commands;
    recent_.push_back(e.command);
    if (recent_.size() > 64) recent_.erase(recent_.begin());
  }
  e.session = SessionId{1 + prng_.below(4)};
  e.owner = "gateway";
  e.length = between(prng_, 1s, 20s);
  e.is_use = !e.command && prng_.chance(0.5);
  e.ends_with_answer = e.is_use || e.command.value % 3 == 1;
  e.is_preemptible = prng_.chance(0.2);
  if (prng_.chance(0.75)) {
    add(Kind::release_lease, now_ + after + between(prng_, 1ms, 6s), e.lease.value);
  }
  deliver(std::move(e), after);
}

void World::release_lease(LeaseId lease) {
  step(event::LeaseReleased{.request = ask(Client::plain), .lease = lease});
}

void World::renew_lease(LeaseId lease) {
  if (is_quiet_) return;
  step(event::LeaseRenewed{
      .request = ask(Client::plain), .lease = lease, .length = between(prng_, 3s, 60s)});
}

void World::operate() {
  if (is_quiet_) return;
  add(Kind::operate, now_ + arrival(prng_, 75s));
  const auto picked = pick();
  if (!picked) return;
  const double kind = prng_.unit();
  if (kind < 0.4) {
    return step(event::LoadRequested{.request = ask(Client::load, {*picked}),
                                     .component = *picked,
                                     .waits = prng_.chance(0.7),
                                     .patience = between(prng_, 1s, 40s)});
  }
  if (kind < 0.75) {
    std::vector<ComponentId> targets;
    if (!prng_.chance(0.1)) targets.push_back(*picked);
    if (prng_.chance(0.2)) {
      if (const auto other = pick()) targets.push_back(*other);
    }
    const RequestId request = ask(Client::unload, targets);
    return step(event::UnloadRequested{.request = request, .components = std::move(targets)});
  }
  // Pins are few, and more of them go than come.
  std::vector<ComponentId> pinned;
  for (std::uint32_t i = 0; i < engine_.component_count(); ++i) {
    if (engine_.component(ComponentId{i}).is_pinned) pinned.push_back(ComponentId{i});
  }
  const bool pins = pinned.empty() || (pinned.size() < 3 && prng_.chance(0.4));
  const ComponentId target = pins ? *picked : pinned[prng_.below(pinned.size())];
  step(event::PinRequested{.request = ask(Client::plain), .component = target, .is_pinned = pins});
}

// Ids of nothing, twice the same, empty sets: each gets its answer and harms nobody.
void World::garble() {
  if (is_quiet_) return;
  add(Kind::garble, now_ + arrival(prng_, 100s));
  const ComponentId nothing{static_cast<std::uint32_t>(engine_.component_count() + prng_.below(9))};
  const auto picked = pick();
  const ComponentId some = picked.value_or(nothing);
  switch (prng_.below(9)) {
    case 0:
      return step(event::LeaseRequested{.request = ask(Client::lease, {some}),
                                        .components = {some, nothing},
                                        .session = {},
                                        .command = {},
                                        .owner = "nobody"});
    case 1:
      return step(event::LeaseRequested{.request = ask(Client::lease, {some}),
                                        .components = {some, some},
                                        .session = {},
                                        .command = {},
                                        .owner = "twice"});
    case 2:
      return step(event::LoadRequested{.request = ask(Client::load), .component = nothing});
    case 3:
      return step(event::UnloadRequested{.request = ask(Client::unload), .components = {nothing}});
    case 4:
      return step(event::PinRequested{.request = ask(Client::plain), .component = nothing});
    case 5:
      return step(event::LeaseReleased{.request = ask(Client::plain),
                                       .lease = LeaseId{1'000'000 + prng_.below(100)}});
    case 6:
      return step(event::UseReported{.request = ask(Client::plain),
                                     .command = CommandId{next_command_ + 1000},
                                     .used = {some}});
    case 7:
      return step(event::RequestAbandoned{RequestId{next_request_ + 1'000'000}});
    default:
      return step(event::LoadFinished{.work = WorkId{1'000'000'000}, .detail = {}});
  }
}

void World::perform(const action::Reply& a) {
  const auto found = pending_.find(a.request);
  if (found == pending_.end()) return;
  const Pending pending = std::move(found->second);
  pending_.erase(found);
  if (pending.client == Client::probe) {
    probe_ = RequestId{};
    if (!a.is_granted) {
      checker_.violate("I5", "in a healed world request " + std::to_string(a.request.value) +
                                 " is refused: " + std::string{name_of(a.reason)});
      return;
    }
    ++report_.probes;
    if (a.lease)
      deliver(event::LeaseReleased{.request = ask(Client::plain), .lease = a.lease}, 50ms);
    add(Kind::probe, now_ + 1s);
    return;
  }
  if (a.is_accepted) {
    ++report_.accepted;
  } else if (a.is_granted) {
    ++report_.granted;
    granted(a, pending);
  } else {
    ++report_.refused;
  }
}

// What a client does with what it got: works a while, renews, tells what it used, forgets.
void World::granted(const action::Reply& reply, const Pending& pending) {
  if (!reply.lease || (pending.client != Client::command && pending.client != Client::lease))
    return;
  if (is_quiet_) return add(Kind::release_lease, now_ + 50ms, reply.lease.value);
  const double kind = prng_.unit();
  if (kind < 0.75) add(Kind::release_lease, now_ + between(prng_, 100ms, 25s), reply.lease.value);
  if (kind > 0.65) add(Kind::renew_lease, now_ + between(prng_, 100ms, 15s), reply.lease.value);
  if (pending.command && prng_.chance(0.5)) {
    add(Kind::report_use, now_ + between(prng_, 500ms, 20s), pending.command.value);
  }
  // A client that hangs up just when its answer is on the way.
  if (faults_.strikes(Fault::client_abandoned, now_)) {
    pending_.emplace(reply.request, Pending{Client::plain, {}, {}});
    add(Kind::abandon, now_ + between(prng_, 0ms, 10ms), reply.request.value);
  }
}

}  // namespace hearth::sim
