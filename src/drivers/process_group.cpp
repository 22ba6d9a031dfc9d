#include "drivers/process_group.h"

#include <poll.h>
#include <sys/epoll.h>

#include <atomic>
#include <thread>
#include <utility>

namespace hearth {

ProcessGroup::ProcessGroup(std::vector<std::unique_ptr<ProcessInstance>> members)
    : members_(std::move(members)), any_(::epoll_create1(EPOLL_CLOEXEC)) {
  for (const auto& member : members_) {
    epoll_event event{};
    event.events = EPOLLIN;
    (void)::epoll_ctl(any_.get(), EPOLL_CTL_ADD, member->exit_fd(), &event);
  }
}

std::vector<std::string> ProcessGroup::endpoints() const {
  std::vector<std::string> all;
  for (const auto& member : members_) all.push_back(member->endpoint());
  return all;
}

std::vector<int> ProcessGroup::roots() const {
  std::vector<int> all;
  for (const auto& member : members_) all.push_back(member->supervisor());
  return all;
}

std::string ProcessGroup::exit_detail() {
  for (const auto& member : members_) {
    pollfd waited{member->exit_fd(), POLLIN, 0};
    if (::poll(&waited, 1, 0) == 1) return member->exit_detail();
  }
  return members_.front()->exit_detail();
}

MemoryFigures ProcessGroup::measure() const {
  MemoryFigures sum;
  for (const auto& member : members_) {
    const MemoryFigures one = member->measure();
    sum.anonymous = sum.anonymous + one.anonymous;
    sum.file_exclusive = sum.file_exclusive + one.file_exclusive;
    sum.file_shared = sum.file_shared + one.file_shared;
    sum.device = sum.device + one.device;
    sum.pss = sum.pss + one.pss;
    sum.locked = sum.locked + one.locked;
  }
  return sum;
}

// Side by side: each may take its grace.
void ProcessGroup::unload() {
  std::vector<std::jthread> threads;
  for (const auto& member : members_) threads.emplace_back([&member] { member->unload(); });
}

// All or none: what had fallen asleep before one that cannot is let go on.
Result<Bytes> ProcessGroup::hibernate(const std::stop_token& stop) {
  Bytes held;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const auto one = members_[i]->hibernate(stop);
    if (one) {
      held += *one;
      continue;
    }
    for (std::size_t j = 0; j < i; ++j) members_[j]->wake();
    return one;
  }
  return held;
}

// One that fails gives the others up: it is the one that is told of.
Result<> ProcessGroup::resume(Duration timeout, std::stop_token stop) {
  std::stop_source all;
  const std::stop_callback on_stop{stop, [&all] { (void)all.request_stop(); }};
  std::vector<Result<>> results(members_.size());
  std::atomic<std::size_t> first{members_.size()};
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      threads.emplace_back([&, i] {
        results[i] = members_[i]->resume(timeout, all.get_token());
        std::size_t none = members_.size();
        if (!results[i] && first.compare_exchange_strong(none, i)) (void)all.request_stop();
      });
    }
  }
  if (first == members_.size()) return {};
  for (const auto& member : members_) (void)member->kill();
  return results[first];
}

}  // namespace hearth
