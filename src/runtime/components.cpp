#include "runtime/components.h"

#include "runtime/clock.h"
#include "runtime/processes.h"

namespace hearth {

Components::Slot& Components::slot(ComponentId id) {
  const MutexLock lock{mutex_};
  auto& found = slots_[id];
  if (!found) found = std::make_unique<Slot>();
  return *found;
}

std::shared_ptr<Instance> Components::take(Slot& slot) {
  std::shared_ptr<Instance> instance;
  {
    const MutexLock lock{mutex_};
    instance = std::exchange(slot.instance, nullptr);
    slot.load = {};
    slot.endpoints.clear();
    slot.memory = {};
    slot.peaks = {};
    slot.priority.reset();
    slot.on_devices.reset();
    slot.is_asleep = false;
    slot.is_idle.reset();
  }
  if (instance) {
    --resident_;
    tell_others(slot);
    if (watcher_ != nullptr) watcher_->unwatch(instance->exit_fd());
  }
  return instance;
}

void Components::install(Slot& slot, WorkId load, std::shared_ptr<Instance> instance,
                         MemoryFigures memory) {
  ++resident_;
  tell_others(slot);
  const MutexLock lock{mutex_};
  slot.endpoints = instance->endpoints();
  slot.instance = std::move(instance);
  slot.load = load;
  slot.memory = memory;
  slot.peaks.see(memory);
}

void Components::tell_others(const Slot& changed) {
  std::vector<std::shared_ptr<Instance>> others;
  {
    const MutexLock lock{mutex_};
    for (const auto& [id, place] : slots_) {
      if (place.get() != &changed && place->instance) others.push_back(place->instance);
    }
  }
  for (const auto& one : others) one->others_changed();
}

void Components::load(ComponentId id, const LoadJob& job, Driver* driver,
                      const std::string& reason) {
  Slot& place = slot(id);
  const std::unique_lock one_at_a_time{place.job};
  if (const auto left = take(place)) left->unload();
  const std::stop_token stop = begin(place, job.work).second;
  Result<std::unique_ptr<Instance>> loaded = fail(Errc::unavailable, "cancelled");
  if (driver == nullptr) {
    loaded = fail(Errc::invalid, reason);
  } else if (!stop.stop_requested()) {
    loaded = driver->load(job, stop);
  }
  event::LoadFinished finished{.work = job.work};
  int exit_fd = -1;
  if (loaded) {
    const MemoryFigures memory = (*loaded)->measure();
    finished.measured = memory.held();
    exit_fd = (*loaded)->exit_fd();
    install(place, job.work, std::move(*loaded), memory);
    {
      const MutexLock lock{mutex_};
      place.priority = job.priority;
      place.is_idle = false;
    }
    follow();
  } else {
    finished.outcome = stop.stop_requested() ? WorkOutcome::cancelled : WorkOutcome::failed;
    finished.detail = loaded.error().detail;
  }
  end(job.work);
  tell_(std::move(finished));
  // After it was told of, so that an exit is never told before the load that it ends.
  if (watcher_ != nullptr) watcher_->watch(exit_fd, job.work.value);
}

std::pair<std::shared_ptr<Instance>, std::stop_token> Components::begin(const Slot& place,
                                                                        WorkId work) {
  const MutexLock lock{mutex_};
  std::stop_source& source = stops_[work];
  if (is_stopping_) (void)source.request_stop();
  return {place.instance, source.get_token()};
}

void Components::end(WorkId work) {
  const MutexLock lock{mutex_};
  stops_.erase(work);
}

// What the files and devices of it take goes on as it was: only anonymous memory went.
Bytes Components::fell_asleep(Slot& place, Bytes anonymous) {
  const MutexLock lock{mutex_};
  place.is_asleep = true;
  MemoryFigures& memory = place.memory;
  memory.pss = less(memory.pss, less(memory.anonymous, anonymous));
  memory.anonymous = anonymous;
  return place.memory.held();
}

void Components::expect(WorkId work) {
  const MutexLock lock{mutex_};
  stops_.try_emplace(work);
}

void Components::cancel(WorkId work) {
  const MutexLock lock{mutex_};
  const auto found = stops_.find(work);
  if (found != stops_.end()) (void)found->second.request_stop();
}

void Components::cancel_all() {
  const MutexLock lock{mutex_};
  is_stopping_ = true;
  for (auto& [work, source] : stops_) (void)source.request_stop();
}

void Components::unload(ComponentId id, WorkId work) {
  Slot& place = slot(id);
  const std::unique_lock one_at_a_time{place.job};
  if (const auto instance = take(place)) instance->unload();
  tell_(event::UnloadFinished{.work = work});
}

void Components::hibernate(ComponentId id, WorkId work) {
  Slot& place = slot(id);
  const std::unique_lock one_at_a_time{place.job};
  const Instant began = boot_now();
  const auto [instance, stop] = begin(place, work);
  event::HibernateFinished finished{.work = work, .outcome = HibernateOutcome::ended};
  if (instance) {
    const auto held = instance->hibernate(stop);
    finished.outcome = held ? HibernateOutcome::asleep : HibernateOutcome::awake;
    if (held) finished.held = fell_asleep(place, *held);
    if (!held) finished.detail = held.error().detail;
  }
  end(work);
  finished.took = boot_now() - began;
  tell_(std::move(finished));
}

void Components::resume(ComponentId id, WorkId work, Duration timeout) {
  Slot& place = slot(id);
  const std::unique_lock one_at_a_time{place.job};
  const auto [instance, stop] = begin(place, work);
  // How it ended was told when it did.
  const Result<> resumed = instance ? instance->resume(timeout, stop) : fail(Errc::failed, "");
  event::LoadFinished finished{.work = work};
  if (resumed) {
    const MemoryFigures figures = instance->measure();
    const MutexLock lock{mutex_};
    place.is_asleep = false;
    place.memory = with_devices(figures, place);
    place.peaks.see(place.memory);
    finished.measured = place.memory.held();
  } else {
    (void)take(place);
    finished.outcome = stop.stop_requested() ? WorkOutcome::cancelled : WorkOutcome::failed;
    finished.detail = resumed.error().detail;
  }
  end(work);
  tell_(std::move(finished));
}

void Components::clear_exited(WorkId load) {
  std::optional<ComponentId> id;
  {
    const MutexLock lock{mutex_};
    for (const auto& [component, place] : slots_) {
      if (place->load == load && place->instance) id = component;
    }
  }
  if (!id) return;
  Slot& place = slot(*id);
  const std::unique_lock one_at_a_time{place.job};
  {
    const MutexLock lock{mutex_};
    if (place.load != load) return;
  }
  const auto instance = take(place);
  if (!instance) return;
  const std::string detail = instance->exit_detail();
  tell_(event::ComponentExited{.component = *id, .load = load, .detail = detail});
  instance->unload();
}

bool Components::adopt(ComponentId id, WorkId work, std::unique_ptr<Instance> instance) {
  Slot& place = slot(id);
  const std::unique_lock one_at_a_time{place.job};
  {
    const MutexLock lock{mutex_};
    if (place.instance) return false;
  }
  const MemoryFigures memory = instance->measure();
  const int exit_fd = instance->exit_fd();
  install(place, work, std::move(instance), memory);
  if (watcher_ != nullptr) watcher_->watch(exit_fd, work.value);
  return true;
}

void Components::note_priorities(std::map<ComponentId, Priority> priorities) {
  const MutexLock lock{mutex_};
  priorities_ = std::move(priorities);
}

void Components::note_idle(std::vector<ComponentId> idle) {
  const MutexLock lock{mutex_};
  idle_ = std::move(idle);
}

void Components::follow() {
  const std::unique_lock in_order{following_};
  struct News {
    std::shared_ptr<Instance> instance;
    std::optional<Priority> priority;
    std::optional<bool> is_idle;
  };
  std::vector<News> news;
  {
    const MutexLock lock{mutex_};
    for (const auto& [id, place] : slots_) {
      if (!place->instance) continue;
      News one{.instance = place->instance, .priority = {}, .is_idle = {}};
      const auto priority = priorities_.find(id);
      if (priority != priorities_.end() && place->priority != priority->second) {
        one.priority = place->priority = priority->second;
      }
      const bool is_idle = std::ranges::binary_search(idle_, id);
      if (place->is_idle != is_idle) one.is_idle = place->is_idle = is_idle;
      if (one.priority || one.is_idle) news.push_back(std::move(one));
    }
  }
  for (const News& one : news) {
    if (one.priority) one.instance->set_priority(*one.priority);
    if (one.is_idle) one.instance->set_idle(*one.is_idle);
  }
}

Components::Row Components::row(ComponentId id) const {
  const MutexLock lock{mutex_};
  const auto found = slots_.find(id);
  if (found == slots_.end() || !found->second->instance) return {};
  const Slot& place = *found->second;
  return {place.endpoints.empty() ? "" : place.endpoints.front(), place.instance->process(),
          place.instance->supervisor(), place.memory, place.peaks};
}

std::string Components::endpoint(ComponentId id) {
  const MutexLock lock{mutex_};
  const auto found = slots_.find(id);
  if (found == slots_.end() || found->second->endpoints.empty()) return {};
  Slot& place = *found->second;
  return place.endpoints[place.turn++ % place.endpoints.size()];
}

std::vector<std::pair<ComponentId, std::shared_ptr<Instance>>> Components::running() const {
  std::vector<std::pair<ComponentId, std::shared_ptr<Instance>>> running;
  const MutexLock lock{mutex_};
  for (const auto& [id, place] : slots_) {
    if (place->instance) running.emplace_back(id, place->instance);
  }
  return running;
}

// A server that tells of its devices itself knows better.
MemoryFigures Components::with_devices(MemoryFigures figures, const Slot& slot) {
  if (!slot.on_devices) return figures;
  if (figures.device == Bytes{}) figures.device = slot.on_devices->memory;
  figures.unified = slot.on_devices->unified;
  return figures;
}

// What is frozen moves no more, and its swap is counted: it is not looked at.
bool Components::is_measured(ComponentId id, const std::shared_ptr<Instance>& instance) const {
  const Slot& place = *slots_.at(id);
  return place.instance == instance && !place.is_asleep;
}

std::vector<std::pair<ComponentId, Bytes>> Components::measure() {
  std::vector<std::pair<ComponentId, Bytes>> measured;
  for (const auto& [id, instance] : running()) {
    {
      const MutexLock lock{mutex_};
      if (!is_measured(id, instance)) continue;
    }
    const MemoryFigures figures = instance->measure();
    const MutexLock lock{mutex_};
    if (!is_measured(id, instance)) continue;  // it went meanwhile
    Slot& place = *slots_.at(id);
    place.memory = with_devices(figures, place);
    place.peaks.see(place.memory);
    measured.emplace_back(id, place.memory.held());
  }
  return measured;
}

DeviceWatch::Look Components::measure_devices(DeviceWatch& watch) {
  const auto instances = running();
  std::vector<DeviceWatch::Tree> trees;
  for (const auto& [id, instance] : instances) {
    DeviceWatch::Tree tree{.component = id, .processes = {}};
    for (const int root : instance->roots()) {
      tree.processes.push_back(root);
      for (const pid_t below : descendants(root)) tree.processes.push_back(below);
    }
    trees.push_back(std::move(tree));
  }
  DeviceWatch::Look look = watch.look(trees);
  const MutexLock lock{mutex_};
  for (std::size_t i = 0; i < instances.size(); ++i) {
    Slot& place = *slots_.at(instances[i].first);
    if (place.instance == instances[i].second) {
      place.on_devices = look.sums[i];
    } else {
      std::erase_if(look.held, [&](const event::DeviceHeld& held) {
        return held.component == instances[i].first;
      });
    }
  }
  return look;
}

}  // namespace hearth
