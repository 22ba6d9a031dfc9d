// The `unit` driver: a service of systemd, or a container, that exists already.
//
// Contract   as ports/driver.h. load() has it started and waits until it answers; one that runs
//            already is taken as it is. unload() has it stopped. It is measured by its own control
//            group, else by its main process and what that started. It goes on when the daemon
//            dies; the next daemon finds it.
// Errors     not_found: no systemctl, docker or podman; failed: it did not start, with what the
//            manager said; timed_out.
// Threads    as ports/driver.h.
#pragma once

#include <memory>

#include "ports/driver.h"

namespace hearth {

[[nodiscard]] std::unique_ptr<Driver> make_unit_driver();

// The memory of a control group, from the text of its memory.stat: of version 2, or of version 1.
[[nodiscard]] MemoryFigures parse_memory_stat(std::string_view text);

}  // namespace hearth
