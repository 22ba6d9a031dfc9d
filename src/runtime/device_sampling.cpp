// The machine's devices: their sizes for the configuration, and what components hold on them.
#include <algorithm>

#include "runtime/clock.h"
#include "runtime/daemon_state.h"

namespace hearth {

Configuration Daemon::Impl::resolve(const Config& read) {
  Configuration resolved = resolve_budget(read, options.machine->memory_total());
  mark_sleepers(resolved, read);
  devices->configure(resolved.settings.resources);
  // Of what is configured no more nobody would say that it is over.
  troubles_over("device ");
  for (NamedBytes& resource : resolved.settings.resources) {
    const std::string key = "device " + resource.name;
    if (resource.bytes != auto_device) continue;
    const auto size = devices->size_of(resource.name);
    resource.bytes = size.value_or(Bytes::unlimited());
    if (!size) {
      trouble(key,
              "its size is `auto`, and no device of this machine tells one: `hearth doctor` "
              "shows what there is; nothing limits it until `memory.devices` gives a size");
    }
    // Who has it alone takes all of it.
    for (Spec& spec : resolved.components) {
      for (ResourceNeed& need : spec.devices) {
        if (need.resource == resource.name && need.bytes == auto_device)
          need.bytes = resource.bytes;
      }
    }
  }
  return resolved;
}

std::vector<event::DeviceHeld> Daemon::Impl::sample_devices() {
  const Instant now = boot_now();
  if (!devices->is_any() || now.ns < devices_due.load()) return {};
  devices_due = (now + options.device_period).ns;
  DeviceWatch::Look look = components->measure_devices(*devices);
  for (const auto& [device, is_lost] : look.lost) {
    const std::string key = "device " + device;
    if (is_lost) {
      trouble(key,
              "it does not answer any more: what components hold there is not known, and "
              "counts as it was measured last");
    } else {
      trouble_over(key);
    }
  }
  return std::move(look.held);
}

}  // namespace hearth
