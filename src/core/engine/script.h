// A script for the engine in tests: events down, actions expected.
//
// Contract   every call sends one event at the script's time and keeps the actions it gave; the
//            answering side (gates, loads, unloads) is the script's to play, or play() does it.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/engine/engine.h"

namespace hearth::testing {

struct Script {
  Engine engine;
  Instant at{};
  std::vector<Action> actions;  // of the last event
  std::vector<Action> all;
  std::uint64_t next_request = 1;
  Bytes measured = 50_MiB;  // what play() says that a load, or a resume, took
  Bytes asleep = 10_MiB;    // and what is left of it while it hibernates

  void send(Event::What what) {
    actions.clear();
    engine.step({at, std::move(what)}, actions);
    all.insert(all.end(), actions.begin(), actions.end());
  }
  void wait(Duration span) { at = at + span; }

  ComponentId id(std::string_view name) const { return engine.find(name).value(); }
  State state(std::string_view name) const { return engine.component(id(name)).state; }

  template <class T>
  std::vector<T> sent() const {
    std::vector<T> found;
    for (const Action& action : actions) {
      if (const T* one = std::get_if<T>(&action)) found.push_back(*one);
    }
    return found;
  }
  template <class T>
  std::vector<T> ever() const {
    std::vector<T> found;
    for (const Action& action : all) {
      if (const T* one = std::get_if<T>(&action)) found.push_back(*one);
    }
    return found;
  }

  // Answers every gate, load and unload of the last event, and of what follows, at once.
  void play() {
    for (int round = 0; round < 100; ++round) {
      const std::vector<Action> now = actions;
      std::vector<Event::What> answers;
      for (const Action& action : now) {
        if (const auto* load = std::get_if<action::StartLoad>(&action)) {
          answers.emplace_back(event::LoadFinished{load->work, WorkOutcome::done, measured, ""});
        } else if (const auto* unload = std::get_if<action::StartUnload>(&action)) {
          answers.emplace_back(event::UnloadFinished{unload->work});
        } else if (const auto* sleep = std::get_if<action::StartHibernate>(&action)) {
          answers.emplace_back(
              event::HibernateFinished{sleep->work, HibernateOutcome::asleep, asleep});
        } else if (const auto* wake = std::get_if<action::StartResume>(&action)) {
          answers.emplace_back(event::LoadFinished{wake->work, WorkOutcome::done, measured, ""});
        } else if (const auto* gate = std::get_if<action::CloseGate>(&action)) {
          answers.emplace_back(event::GateClosed{gate->component});
        }
      }
      if (answers.empty()) return;
      std::vector<Action> collected;
      for (Event::What& answer : answers) {
        send(std::move(answer));
        collected.insert(collected.end(), actions.begin(), actions.end());
      }
      actions = collected;
    }
  }

  RequestId command(std::vector<std::string> names, Duration patience = 30s, bool waits = true) {
    const RequestId request{next_request++};
    event::CommandReceived event{.request = request, .command = CommandId{request.value}};
    for (const auto& name : names) event.intents.push_back({id(name), 1.0});
    event.patience = patience;
    event.waits = waits;
    send(event);
    return request;
  }
  RequestId lease(std::vector<std::string> names, bool is_preemptible = false) {
    const RequestId request{next_request++};
    event::LeaseRequested event{.request = request};
    for (const auto& name : names) event.components.push_back(id(name));
    event.is_preemptible = is_preemptible;
    send(event);
    return request;
  }
  // The reply to `request`, wherever it came.
  std::optional<action::Reply> reply(RequestId request) const {
    for (const Action& action : all) {
      const auto* reply = std::get_if<action::Reply>(&action);
      if (reply != nullptr && reply->request == request) return *reply;
    }
    return std::nullopt;
  }
  void release(RequestId request) {
    send(event::LeaseReleased{RequestId{next_request++}, reply(request)->lease});
  }
};

inline Spec spec(std::string name, Bytes memory = 100_MiB) {
  Spec result;
  result.name = std::move(name);
  result.memory = memory;
  return result;
}

inline Script script(std::vector<Spec> specs, Bytes budget = 1_GiB) {
  Script result;
  Configuration configuration;
  configuration.settings.budget = budget;
  configuration.settings.policy = "lru";
  configuration.components = std::move(specs);
  result.send(event::Configured{configuration});
  return result;
}

}  // namespace hearth::testing
