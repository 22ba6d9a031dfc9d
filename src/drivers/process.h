// The `process` driver: any command line, under a supervisor of its own.
//
// Contract   as ports/driver.h. Each load runs under a supervisor of its own, forked by a
//            keeper. The component's environment is the daemon's, the configured one, PORT,
//            STATE_DIR, HEARTH_COMPONENT, and two marks by which strays are found.
// Threads    as ports/driver.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ports/driver.h"

namespace hearth {

struct ProcessDriverOptions {
  // Ends in supervise_main(); started once, and forked for each load.
  std::vector<std::string> supervisor{"/proc/self/exe", "supervise"};
  // The soft limit of open files that components begin with, where the daemon has raised its own:
  // programs that use select() break above 1024. 0: the daemon's.
  std::uint64_t open_files = 0;
};

[[nodiscard]] std::unique_ptr<Driver> make_process_driver(ProcessDriverOptions options = {});

// ${PORT} and ${STATE_DIR} in a text; anything else stays.
[[nodiscard]] std::string expand_macros(std::string_view text, int port,
                                        std::string_view state_dir);

}  // namespace hearth
