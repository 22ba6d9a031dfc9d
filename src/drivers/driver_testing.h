// What the laws of drivers are tried on: for each kind, a world in which one component of it can be
// loaded, ended from outside, and counted. Only for tests.
#pragma once

#include <poll.h>

#include <functional>
#include <memory>
#include <string>

#include "base/assert.h"
#include "ports/driver.h"
#include "runtime/clock.h"

namespace hearth::testing {

// Waits for a claim to hold, for as long as a slow machine may need.
template <class Claim>
bool comes_true(const Claim& claim, Duration patience = 20s) {
  const Instant deadline = boot_now() + patience;
  while (!claim()) {
    if (boot_now() > deadline) return false;
    (void)::poll(nullptr, 0, 2);
  }
  return true;
}

class DriverWorld {
 public:
  virtual ~DriverWorld() = default;
  [[nodiscard]] virtual std::unique_ptr<Driver> make_driver() = 0;
  // A job below `root` whose component becomes ready soon.
  [[nodiscard]] virtual LoadJob job(const std::string& root) = 0;
  // The same, but it never becomes ready. Only of kinds that know such a thing.
  virtual void hang(LoadJob&) { HEARTH_ASSERT(false); }
  // Ends what runs, from outside; false: it cannot end.
  virtual bool crash(Instance&) { return false; }
  // So many of it run, or are held, in the world.
  [[nodiscard]] virtual std::size_t running() = 0;
  // What one that is loaded takes, and what its figures must not be below.
  [[nodiscard]] virtual Bytes takes() const = 0;
};

[[nodiscard]] std::unique_ptr<DriverWorld> make_process_world();
[[nodiscard]] std::unique_ptr<DriverWorld> make_several_processes_world();
// A stand-in of Ollama, written from its published interface.
[[nodiscard]] std::unique_ptr<DriverWorld> make_ollama_world();
// A stand-in of systemctl, a script first on PATH.
[[nodiscard]] std::unique_ptr<DriverWorld> make_unit_world();
[[nodiscard]] std::unique_ptr<DriverWorld> make_files_world();

}  // namespace hearth::testing
