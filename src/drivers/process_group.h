// Several processes side by side that are one component: each has a port, requests go to each in
// turn. When one of them ends by itself, all have.
//
// Contract   as ports/driver.h.
// Threads    as ports/driver.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "drivers/process_instance.h"

namespace hearth {

class ProcessGroup : public Instance {
 public:
  explicit ProcessGroup(std::vector<std::unique_ptr<ProcessInstance>> members);

  [[nodiscard]] std::string endpoint() const override { return members_.front()->endpoint(); }
  [[nodiscard]] std::vector<std::string> endpoints() const override;
  [[nodiscard]] int process() const override { return members_.front()->process(); }
  [[nodiscard]] int supervisor() const override { return members_.front()->supervisor(); }
  [[nodiscard]] std::vector<int> roots() const override;
  [[nodiscard]] int exit_fd() const override { return any_.get(); }
  [[nodiscard]] std::string exit_detail() override;
  [[nodiscard]] MemoryFigures measure() const override;
  void unload() override;
  [[nodiscard]] Result<Bytes> hibernate(const std::stop_token& stop) override;
  [[nodiscard]] Result<> resume(Duration timeout, std::stop_token stop) override;
  void set_priority(Priority priority) override {
    for (const auto& member : members_) member->set_priority(priority);
  }
  void set_idle(bool is_idle) override {
    for (const auto& member : members_) member->set_idle(is_idle);
  }
  void others_changed() override {
    for (const auto& member : members_) member->others_changed();
  }

 private:
  std::vector<std::unique_ptr<ProcessInstance>> members_;
  Descriptor any_;  // of epoll: readable when one of them is
};

}  // namespace hearth
