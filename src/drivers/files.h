// The `files` driver: model files that are kept in memory, ahead of the program that maps them.
//
// Contract   as ports/driver.h. load() reads every file into the page cache, a piece at a time, and
//            is ready when the kernel says that all is resident: what it took back meanwhile is
//            read again, `readings_max` times in all. With `lock` it may not take it back, and the
//            file stays mapped; without, nothing of it is mapped here, so that it is no memory of
//            this process. measure() tells what is resident now. unload() lets go, and asks the
//            kernel to drop what nobody else maps. A file that is there already costs no reading.
//            Nothing is left to adopt: what a crash leaves is cache.
// Domain     regular files; absolute paths, or below the component's own folder. Of a file that
//            this process neither owns nor may write, Linux says that all is resident.
// Errors     not_found: no such file; failed: not a regular file, it may not be locked, or the
//            kernel takes it back at once (each with its mend); timed_out.
// Threads    as ports/driver.h.
// Cost       reading is what the disk takes; measure() asks the kernel for a byte a page.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ports/driver.h"

namespace hearth {

struct FilesDriverOptions {
  unsigned readings_max = 3;
  // What is resident of a file, by what the kernel says; a test says otherwise.
  std::function<Bytes(const std::string& path, Bytes resident)> correct{};
};

[[nodiscard]] std::unique_ptr<Driver> make_files_driver(FilesDriverOptions options = {});

}  // namespace hearth
