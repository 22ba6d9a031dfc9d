// The `files` driver: model files that are kept in memory, ahead of the program that maps them.
//
// Contract   as ports/driver.h. load() reads every file into the page cache, a piece at a time, and
//            is ready when all is resident; with `lock` the kernel may not take it back. unload()
//            lets go, and asks the kernel to drop what nobody else maps. A file that is there
//            already costs no reading. Nothing is left to adopt: what a crash leaves is cache.
// Domain     regular files; absolute paths, or below the component's own folder.
// Errors     not_found: no such file; failed: not a regular file, or it may not be locked (with the
//            mend); timed_out.
// Threads    as ports/driver.h.
// Cost       reading is what the disk takes; measure() asks the kernel for a byte a page.
#pragma once

#include <memory>

#include "ports/driver.h"

namespace hearth {

[[nodiscard]] std::unique_ptr<Driver> make_files_driver();

}  // namespace hearth
