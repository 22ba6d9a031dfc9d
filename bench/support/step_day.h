// A day of events for an engine, drawn from a seed: commands, leases, samples, and a world whose
// loads take their time and never fail.
//
// Contract   equal seeds give equal events as long as the engine answers equally. run() hands each
//            event to `step`, which must step the engine with it.
// Threads    thread-compatible.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/prng.h"
#include "core/engine/engine.h"

namespace hearth::bench {

struct DaySize {
  std::size_t declared = 64;
  std::size_t resident = 32;  // so many fit into the budget
};

class StepDay {
 public:
  explicit StepDay(DaySize size, std::uint64_t seed = 1) : size_(size), prng_(seed) {}

  // Configures the engine, fills its memory, then plays `rounds` of the world's doings; only these
  // reach `step`, as step(engine, event, actions).
  template <class Step>
  void run(std::size_t rounds, Step&& step) {
    const auto plain = [](Engine& engine, const Event& event, std::vector<Action>& actions) {
      engine.step(event, actions);
    };
    play(event::Configured{configuration()}, plain);
    play(event::MemorySampled{64_GiB, {}}, plain);
    for (std::uint32_t i = 0; i < size_.resident; ++i) {
      play(event::LoadRequested{next_request(), ComponentId{i}}, plain);
      pass(3s, plain);
    }
    for (std::size_t round = 0; round < rounds; ++round) {
      pass(prng_.between(1, 200) * 1ms, step);
      play(draw(), step);
    }
  }

 private:
  [[nodiscard]] Configuration configuration() const {
    Configuration made;
    made.settings.budget = Bytes{size_.resident * (100_MiB).count};
    for (std::size_t i = 0; i < size_.declared; ++i) {
      Spec spec;
      spec.name = "component-" + std::to_string(i);
      spec.memory = 100_MiB;
      spec.priority = i % 3 == 0 ? Priority::low : i % 3 == 1 ? Priority::medium : Priority::high;
      if (i % 8 == 1) spec.needs.push_back("component-" + std::to_string(i - 1));
      made.components.push_back(std::move(spec));
    }
    return made;
  }

  RequestId next_request() { return RequestId{++requests_}; }

  // Some are asked for far more often than others, and twice as many as fit are asked for at all.
  ComponentId draw_component() {
    const std::uint64_t among = prng_.chance(0.9) ? size_.resident / 2 + 1 : size_.resident * 2;
    return ComponentId{static_cast<std::uint32_t>(prng_.below(among))};
  }

  Event::What draw() {
    const std::uint64_t dice = prng_.below(100);
    const ComponentId component = draw_component();
    if (dice < 50) return command(component);
    if (dice < 62) return event::LeaseRequested{next_request(), {component}, {}, {}, "bench"};
    if (dice < 74 && !leases_.empty()) {
      const LeaseId lease = leases_.front();
      leases_.pop_front();
      return event::LeaseReleased{next_request(), lease};
    }
    if (dice < 80) return event::UseReported{next_request(), CommandId{commands_}, {component}};
    if (dice < 88) return event::MemorySampled{64_GiB, {{component, 95_MiB}}};
    if (dice < 92) return event::LoadRequested{next_request(), component};
    if (dice < 96) return event::UnloadRequested{next_request(), {component}};
    return event::TimerFired{};
  }

  event::CommandReceived command(ComponentId component) {
    event::CommandReceived made{next_request(), CommandId{++commands_}};
    made.session = SessionId{commands_ % 8 + 1};
    made.intents.push_back({component, 0.9});
    made.lease = 1s;
    return made;
  }

  // Lets time pass: what is due by then happens.
  template <class Step>
  void pass(Duration time, Step& step) {
    const Instant until = now_ + time;
    while (true) {
      const bool has_due = !due_.empty() && due_.begin()->first <= until;
      if (timer_ <= until && (!has_due || timer_ <= due_.begin()->first)) {
        now_ = timer_ < now_ ? now_ : timer_;
        timer_ = Instant::never();
        play(event::TimerFired{}, step);
      } else if (has_due) {
        auto first = due_.extract(due_.begin());
        now_ = first.key();
        play(std::move(first.mapped()), step);
      } else {
        break;
      }
    }
    now_ = until;
  }

  template <class Step>
  void play(Event::What what, Step& step) {
    const Event event{now_, std::move(what)};
    actions_.clear();
    step(engine_, event, actions_);
    for (const Action& action : actions_) answer(action);
  }

  void answer(const Action& action) {
    if (const auto* load = std::get_if<action::StartLoad>(&action)) {
      event::LoadFinished finished{load->work, WorkOutcome::done, 90_MiB};
      due_.emplace(now_ + prng_.between(50, 2000) * 1ms, std::move(finished));
    } else if (const auto* unload = std::get_if<action::StartUnload>(&action)) {
      due_.emplace(now_ + prng_.between(5, 100) * 1ms, event::UnloadFinished{unload->work});
    } else if (const auto* gate = std::get_if<action::CloseGate>(&action)) {
      due_.emplace(now_ + 1ms, event::GateClosed{gate->component});
    } else if (const auto* timer = std::get_if<action::ArmTimer>(&action)) {
      timer_ = timer->at;
    } else if (const auto* reply = std::get_if<action::Reply>(&action)) {
      if (reply->is_granted && reply->lease) leases_.push_back(reply->lease);
      if (leases_.size() > 64) leases_.pop_front();
    }
  }

  DaySize size_;
  Prng prng_;
  Engine engine_;
  Instant now_;
  Instant timer_ = Instant::never();
  std::uint64_t requests_ = 0;
  std::uint64_t commands_ = 0;
  std::deque<LeaseId> leases_;
  std::multimap<Instant, Event::What> due_;
  std::vector<Action> actions_;
};

}  // namespace hearth::bench
