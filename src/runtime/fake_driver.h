// Components without processes, for the daemon's tests.
//
// Contract   a load of NAME succeeds at once, unless hold(NAME) (it waits for let_go or a stop)
//            or fail(NAME, text) was called. end(NAME) makes the running instance exit. kept()
//            instances are adopted by the next driver that is given the same World. appear() tells
//            the daemon of a stranger. let_hibernate() makes the driver one whose components can,
//            and says what each holds then; with a text, why none does.
// Threads    thread-safe.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "ports/driver.h"
#include "ports/machine.h"
#include "runtime/files.h"
#include "runtime/mutex.h"

namespace hearth::testing {

struct World {
  Mutex mutex;
  Condition changed;
  std::set<std::string> held HEARTH_GUARDED_BY(mutex);
  std::map<std::string, std::string> failing HEARTH_GUARDED_BY(mutex);
  std::map<std::string, int> exit_fds HEARTH_GUARDED_BY(mutex);  // of what runs
  std::map<std::string, WorkId> works HEARTH_GUARDED_BY(mutex);
  std::map<std::string, int> loads HEARTH_GUARDED_BY(mutex);
  std::map<std::string, int> unloads HEARTH_GUARDED_BY(mutex);
  std::map<std::string, Bytes> sizes HEARTH_GUARDED_BY(mutex);
  std::map<std::string, std::string> endpoints HEARTH_GUARDED_BY(mutex);  // where somebody speaks
  MemorySigns signs HEARTH_GUARDED_BY(mutex){.available = 64_GiB};
  PowerSigns batteries HEARTH_GUARDED_BY(mutex);
  Driver::Appeared appeared HEARTH_GUARDED_BY(mutex);
  std::optional<Result<Bytes>> hibernation HEARTH_GUARDED_BY(mutex);
  std::set<std::string> asleep HEARTH_GUARDED_BY(mutex);
  std::set<std::string> idle HEARTH_GUARDED_BY(mutex);  // that were told so

  void hold(const std::string& name) {
    const MutexLock lock{mutex};
    held.insert(name);
  }
  void let_go(const std::string& name) {
    const MutexLock lock{mutex};
    held.erase(name);
    changed.notify_all();
  }
  void fail(const std::string& name, const std::string& text) {
    const MutexLock lock{mutex};
    failing[name] = text;
  }
  void set_size(const std::string& name, Bytes size) {
    const MutexLock lock{mutex};
    sizes[name] = size;
  }
  void set_endpoint(const std::string& name, const std::string& endpoint) {
    const MutexLock lock{mutex};
    endpoints[name] = endpoint;
  }
  void set_available(Bytes bytes) {
    const MutexLock lock{mutex};
    signs.available = bytes;
  }
  void set_power(PowerSigns power) {
    const MutexLock lock{mutex};
    batteries = power;
  }
  PowerSigns power() {
    const MutexLock lock{mutex};
    return batteries;
  }
  void let_hibernate(Result<Bytes> result) {
    const MutexLock lock{mutex};
    hibernation = std::move(result);
  }
  bool is_asleep(const std::string& name) {
    const MutexLock lock{mutex};
    return asleep.contains(name);
  }
  bool is_told_idle(const std::string& name) {
    const MutexLock lock{mutex};
    return idle.contains(name);
  }
  void appear(const Stranger& stranger) {
    const MutexLock lock{mutex};
    appeared(stranger);
  }
  void end(const std::string& name) {
    const MutexLock lock{mutex};
    const std::uint64_t one = 1;
    if (exit_fds.contains(name)) (void)!::write(exit_fds.at(name), &one, sizeof one);
  }
  bool is_running(const std::string& name) {
    const MutexLock lock{mutex};
    return exit_fds.contains(name);
  }
  int load_count(const std::string& name) {
    const MutexLock lock{mutex};
    return loads[name];
  }
  void wait_for_load(const std::string& name, int count) {
    const MutexLock lock{mutex};
    while (loads[name] < count) changed.wait(mutex);
  }
  void wait_until_gone(const std::string& name) {
    const MutexLock lock{mutex};
    while (exit_fds.contains(name)) changed.wait(mutex);
  }
};

class FakeInstance : public Instance {
 public:
  FakeInstance(std::shared_ptr<World> world, std::string name, WorkId work)
      : world_(std::move(world)), name_(std::move(name)), exit_(::eventfd(0, EFD_CLOEXEC)) {
    const MutexLock lock{world_->mutex};
    world_->exit_fds[name_] = exit_.get();
    world_->works[name_] = work;
    world_->changed.notify_all();
  }
  [[nodiscard]] std::string endpoint() const override {
    const MutexLock lock{world_->mutex};
    const auto found = world_->endpoints.find(name_);
    return found == world_->endpoints.end() ? "http://fake/" + name_ : found->second;
  }
  [[nodiscard]] int process() const override { return 1; }
  [[nodiscard]] int supervisor() const override { return 2; }
  [[nodiscard]] int exit_fd() const override { return exit_.get(); }
  [[nodiscard]] std::string exit_detail() override { return name_ + ": ended by the test"; }
  [[nodiscard]] MemoryFigures measure() const override {
    const MutexLock lock{world_->mutex};
    const auto size = world_->sizes.find(name_);
    const Bytes held = size == world_->sizes.end() ? 10_MiB : size->second;
    return {.anonymous = held, .pss = held};
  }
  [[nodiscard]] Result<Bytes> hibernate(const std::stop_token& /*stop*/) override {
    const MutexLock lock{world_->mutex};
    if (*world_->hibernation) world_->asleep.insert(name_);
    return *world_->hibernation;
  }
  [[nodiscard]] Result<> resume(Duration /*timeout*/, std::stop_token stop) override {
    const std::stop_callback wake{stop, [this] {
                                    const MutexLock lock{world_->mutex};
                                    world_->changed.notify_all();
                                  }};
    const MutexLock lock{world_->mutex};
    world_->asleep.erase(name_);
    while (world_->held.contains(name_) && !stop.stop_requested()) {
      world_->changed.wait(world_->mutex);
    }
    const auto failing = world_->failing.find(name_);
    if (failing == world_->failing.end() && !stop.stop_requested()) return {};
    world_->exit_fds.erase(name_);
    world_->changed.notify_all();
    if (stop.stop_requested()) return hearth::fail(Errc::unavailable, name_ + ": cancelled");
    return hearth::fail(Errc::failed, failing->second);
  }
  void set_idle(bool is_idle) override {
    const MutexLock lock{world_->mutex};
    if (is_idle) world_->idle.insert(name_);
    if (!is_idle) world_->idle.erase(name_);
  }
  void unload() override {
    const MutexLock lock{world_->mutex};
    world_->exit_fds.erase(name_);
    world_->idle.erase(name_);
    world_->asleep.erase(name_);
    ++world_->unloads[name_];
    world_->changed.notify_all();
  }

 private:
  std::shared_ptr<World> world_;
  std::string name_;
  Descriptor exit_;
};

class FakeDriver : public Driver {
 public:
  // Everything that runs in the world is given to the daemon at its start, if it is asked to.
  FakeDriver(std::shared_ptr<World> world, bool is_adopting)
      : world_(std::move(world)), is_adopting_(is_adopting) {}
  [[nodiscard]] std::string_view kind() const override { return "process"; }

  [[nodiscard]] Result<std::unique_ptr<Instance>> load(const LoadJob& job,
                                                       std::stop_token stop) override {
    const std::stop_callback wake{stop, [this] {
                                    const MutexLock lock{world_->mutex};
                                    world_->changed.notify_all();
                                  }};
    const std::string& name = job.launch.name;
    {
      const MutexLock lock{world_->mutex};
      ++world_->loads[name];
      world_->changed.notify_all();
      while (world_->held.contains(name) && !stop.stop_requested()) {
        world_->changed.wait(world_->mutex);
      }
      if (stop.stop_requested()) return hearth::fail(Errc::unavailable, name + ": cancelled");
      const auto failing = world_->failing.find(name);
      if (failing != world_->failing.end()) return hearth::fail(Errc::failed, failing->second);
    }
    return std::make_unique<FakeInstance>(world_, name, job.work);
  }

  [[nodiscard]] std::vector<Adopted> adopt(const std::string& /*run_dir*/) override {
    std::map<std::string, WorkId> running;
    {
      const MutexLock lock{world_->mutex};
      for (const auto& [name, fd] : world_->exit_fds) running[name] = world_->works[name];
      if (!is_adopting_) world_->exit_fds.clear();
    }
    std::vector<Adopted> adopted;
    for (const auto& [name, work] : running) {
      if (is_adopting_) {
        adopted.push_back({name, work, std::make_unique<FakeInstance>(world_, name, work)});
      }
    }
    return adopted;
  }

  [[nodiscard]] Result<> can_hibernate() const override {
    const MutexLock lock{world_->mutex};
    if (world_->hibernation) return {};
    return hearth::fail(Errc::unavailable, "the test says no");
  }

  void observe(const std::vector<Launch>& /*launches*/, Appeared appeared) override {
    const MutexLock lock{world_->mutex};
    world_->appeared = std::move(appeared);
  }

 private:
  std::shared_ptr<World> world_;
  bool is_adopting_;
};

class FakeMachine : public Machine {
 public:
  explicit FakeMachine(std::shared_ptr<World> world) : world_(std::move(world)) {}
  [[nodiscard]] Bytes memory_total() const override { return 64_GiB; }
  [[nodiscard]] PowerSigns power_signs() const override { return world_->power(); }
  [[nodiscard]] MemorySigns memory_signs() const override {
    const MutexLock lock{world_->mutex};
    return world_->signs;
  }
  [[nodiscard]] Bytes own_rss() const override { return 1_MiB; }

 private:
  std::shared_ptr<World> world_;
};

}  // namespace hearth::testing
