// What nobody uses gives way to others at the processor, until it is used again.
//
// A component is lowered by the first sample after it fell idle, which leaves those alone that are
// used again and again; it is raised with the lease that ends that.
#include <algorithm>

#include "runtime/daemon_state.h"

namespace hearth {

// What is core or pinned may listen or watch on nobody's behalf: it is not idle in this sense.
void Daemon::Impl::note_idle() {
  std::vector<ComponentId> idle;
  for (std::uint32_t i = 0; i < engine.component_count(); ++i) {
    const ComponentView view = engine.component(ComponentId{i});
    if (view.is_idle && view.state == State::ready) idle.push_back(view.id);
  }
  if (idle == idle_now) return;
  idle_now = std::move(idle);
  components->note_idle(idle_now);
  workers->post([this] { components->follow(); });
}

void Daemon::Impl::note_used(ComponentId id) {
  const auto found = std::ranges::lower_bound(idle_now, id);
  if (found == idle_now.end() || *found != id) return;
  idle_now.erase(found);
  components->note_idle(idle_now);
  workers->post([this] { components->follow(); });
}

}  // namespace hearth
