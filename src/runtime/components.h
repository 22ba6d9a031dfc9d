// The components that run: which instance each has, its jobs one at a time, and what it holds.
//
// Contract   load, unload and the clearing up after an exit of one component never overlap. Each
//            job ends in exactly one call of `tell`, with LoadFinished, UnloadFinished,
//            HibernateFinished or ComponentExited (the last only for an instance that was neither
//            unloaded nor asked to be).
// Threads    thread-safe; jobs block and belong on workers.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/engine/event.h"
#include "ports/driver.h"
#include "runtime/device_watch.h"
#include "runtime/mutex.h"
#include "runtime/watcher.h"

namespace hearth {

class Components {
 public:
  using Tell = std::function<void(Event::What)>;
  explicit Components(Tell tell) : tell_(std::move(tell)) {}

  // What reports exits; set once before the first job.
  void use_watcher(Watcher* watcher) { watcher_ = watcher; }

  // Before load(), so that cancel() finds it.
  void expect(WorkId work);
  // Blocks. `driver` may be null: then the load fails with `reason`.
  void load(ComponentId id, const LoadJob& job, Driver* driver, const std::string& reason);
  void cancel(WorkId work);
  void cancel_all();
  void unload(ComponentId id, WorkId work);
  // expect() before both, as before a load. One hibernate() at a time.
  void hibernate(ComponentId id, WorkId work);
  void resume(ComponentId id, WorkId work, Duration timeout);
  void clear_exited(WorkId load);
  // From an earlier daemon. False: there is one already.
  bool adopt(ComponentId id, WorkId work, std::unique_ptr<Instance> instance);
  // What follow() tells those of whom something else was said before: their priority, and whether
  // nobody uses them. `idle` is in order. A load follows at its end.
  void note_priorities(std::map<ComponentId, Priority> priorities);
  void note_idle(std::vector<ComponentId> idle);
  void follow();  // blocks

  struct Row {
    std::string endpoint;
    int process = 0;
    int supervisor = 0;
    MemoryFigures memory;
    MemoryPeaks peaks;  // since it was loaded, or adopted
  };
  [[nodiscard]] Row row(ComponentId id) const;
  // Of several that answer for it, each in turn.
  [[nodiscard]] std::string endpoint(ComponentId id);
  [[nodiscard]] bool is_any_resident() const { return resident_.load() > 0; }
  // Measures all that run: ram held by each.
  [[nodiscard]] std::vector<std::pair<ComponentId, Bytes>> measure();
  // The same of devices: what is known of them stays until the next time.
  [[nodiscard]] DeviceWatch::Look measure_devices(DeviceWatch& watch);

 private:
  struct Slot {
    std::mutex job;                      // held by the job under way
    std::shared_ptr<Instance> instance;  // the rest is guarded by mutex_
    WorkId load;
    std::vector<std::string> endpoints;
    std::size_t turn = 0;  // whose it is of them
    MemoryFigures memory;
    MemoryPeaks peaks;
    std::optional<Priority> priority;             // told; none: not known
    std::optional<DeviceWatch::Sums> on_devices;  // of the last look at them
    bool is_asleep = false;
    std::optional<bool> is_idle;  // told; none: not known
  };
  [[nodiscard]] std::vector<std::pair<ComponentId, std::shared_ptr<Instance>>> running() const;
  static MemoryFigures with_devices(MemoryFigures figures, const Slot& slot);
  Slot& slot(ComponentId id);
  std::shared_ptr<Instance> take(Slot& slot);
  [[nodiscard]] std::pair<std::shared_ptr<Instance>, std::stop_token> begin(const Slot& slot,
                                                                            WorkId work);
  void end(WorkId work);
  [[nodiscard]] bool is_measured(ComponentId id, const std::shared_ptr<Instance>& instance) const
      HEARTH_REQUIRES(mutex_);
  Bytes fell_asleep(Slot& slot, Bytes anonymous);
  void tell_others(const Slot& changed);
  void install(Slot& slot, WorkId load, std::shared_ptr<Instance> instance, MemoryFigures memory);

  Tell tell_;
  Watcher* watcher_ = nullptr;
  std::atomic<std::size_t> resident_{0};
  std::mutex following_;  // held by follow()
  mutable Mutex mutex_;
  std::map<ComponentId, std::unique_ptr<Slot>> slots_ HEARTH_GUARDED_BY(mutex_);
  std::map<ComponentId, Priority> priorities_ HEARTH_GUARDED_BY(mutex_);
  std::vector<ComponentId> idle_ HEARTH_GUARDED_BY(mutex_);
  std::map<WorkId, std::stop_source> stops_ HEARTH_GUARDED_BY(mutex_);
  bool is_stopping_ HEARTH_GUARDED_BY(mutex_) = false;
};

}  // namespace hearth
