// The `unit` driver: a service of systemd, or a container, that exists already.
//
// Contract   as ports/driver.h. load() has it started and waits until it answers; one that runs
//            already, or reloads, is taken as it is. unload() has it stopped, and returns when its
//            manager says that it is gone: a stop that takes longer than it should is waited for,
//            and asked for again. A manager that cannot be asked is given up after a few tries;
//            then the record stays, for the next load or the next daemon. Its end is seen by its
//            main process, or, where it has none, by asking for its state every `look_period`. It
//            is measured by its own control group, else by its main process and what that started.
//            It goes on when the daemon dies; the next daemon finds it.
// Errors     not_found: no systemctl, docker or podman; failed: it did not start, with what the
//            manager said; timed_out.
// Threads    as ports/driver.h; one more for each that has no main process.
#pragma once

#include <memory>

#include "ports/driver.h"

namespace hearth {

struct UnitDriverOptions {
  Duration look_period{2s};
  Duration question_time_max{10s};  // of a command; one that stops has its grace besides
};

[[nodiscard]] std::unique_ptr<Driver> make_unit_driver(UnitDriverOptions options = {});

// The memory of a control group, from the text of its memory.stat: of version 2, or of version 1.
[[nodiscard]] MemoryFigures parse_memory_stat(std::string_view text);

}  // namespace hearth
