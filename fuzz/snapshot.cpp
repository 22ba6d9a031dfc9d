// A stored snapshot: any bytes give an engine or an error, and an engine that came of them takes
// steps.
#include <cstdlib>

#include "core/engine/engine.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto engine = hearth::Engine::restore(std::as_bytes(std::span{data, size}));
  if (!engine) return 0;
  const std::vector<std::byte> stored = engine->snapshot();
  const auto again = hearth::Engine::restore(stored);
  if (!again || again->snapshot() != stored) std::abort();
  std::vector<hearth::Action> actions;
  hearth::Instant at = engine->now();
  const auto step = [&](hearth::Event::What what) {
    at = at + hearth::Duration{1'000'000'000};
    engine->step({at, std::move(what)}, actions);
  };
  step(hearth::event::Restored{});
  step(hearth::event::MemorySampled{hearth::Bytes{1u << 30}, {}});
  hearth::event::CommandReceived command;
  command.request = hearth::RequestId{~0ULL >> 1};
  command.command = hearth::CommandId{~0ULL >> 1};
  command.intents = {{hearth::ComponentId{0}, 0.9}};
  step(std::move(command));
  step(hearth::event::TimerFired{});
  return 0;
}
