// What nobody uses gives way to others at the processor, until it is used again.
//
// Of the watcher's looks a component is lowered by one a second or two after it fell idle, which
// leaves those alone that are used again and again; it is raised with the lease that ends that.
#include <algorithm>

#include "runtime/daemon_state.h"

namespace hearth {

// What is core or pinned may listen or watch on nobody's behalf: it is not idle in this sense.
void Daemon::Impl::note_idle() {
  idle_now.clear();
  for (std::uint32_t i = 0; i < engine.component_count(); ++i) {
    const ComponentView view = engine.component(ComponentId{i});
    if (view.is_idle && view.state == State::ready) idle_now.push_back(view.id);
  }
  components->note_idle(idle_now);
}

void Daemon::Impl::note_used(ComponentId id) {
  const auto found = std::ranges::lower_bound(idle_now, id);
  if (found == idle_now.end() || *found != id) return;
  idle_now.erase(found);
  components->note_idle(idle_now);
  workers->post([this] { components->follow_idle(); });
}

}  // namespace hearth
