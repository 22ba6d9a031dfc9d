// A component that runs under its supervisor, as the driver holds it.
//
// Contract   as ports/driver.h. Destroying it without unload() closes the socket: the supervisor
//            then does what on_exit says.
// Threads    as ports/driver.h.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "ports/driver.h"
#include "runtime/files.h"
#include "runtime/memory_watch.h"
#include "runtime/supervise.h"

namespace hearth {

class ProcessInstance : public Instance {
 public:
  struct Parts {
    SuperviseJob job;
    Descriptor control;
    Descriptor process;  // a pidfd of the supervisor
    pid_t supervisor = 0;
    int main_process = 0;
    std::string group;
  };
  explicit ProcessInstance(Parts parts);
  ~ProcessInstance() override;

  [[nodiscard]] std::string endpoint() const override { return parts_.job.endpoint; }
  [[nodiscard]] int process() const override { return parts_.main_process; }
  [[nodiscard]] int supervisor() const override { return parts_.supervisor; }
  [[nodiscard]] int exit_fd() const override { return parts_.control.get(); }
  [[nodiscard]] std::string exit_detail() override;
  [[nodiscard]] MemoryFigures measure() const override { return memory_->measure(); }
  void unload() override;
  [[nodiscard]] Result<Bytes> hibernate(const std::stop_token& stop) override;
  [[nodiscard]] Result<> resume(Duration timeout, std::stop_token stop) override;
  void set_priority(Priority priority) override;
  void set_idle(bool is_idle) override;
  void others_changed() override { memory_->others_changed(); }

  void wake();  // without asking whether it answers
  // Whether it answers where it did when it was ready: by the path of its probe, or a connection.
  [[nodiscard]] Result<> probe(Instant deadline, int stop_fd) const;
  // Before it is handed out.
  void set_process(int process, const std::string& group);
  [[nodiscard]] WorkId work() const { return parts_.job.work; }
  [[nodiscard]] unsigned siblings() const { return parts_.job.of; }  // itself included
  // Nothing of it runs afterwards. Returns the supervisor's last report, if it could give one.
  std::optional<SuperviseReport> kill();

 private:
  std::optional<SuperviseReport> await_exit(Duration patience);
  [[nodiscard]] Duration time_after() const;
  [[nodiscard]] Result<> answers_again(Duration timeout, const std::stop_token& stop);
  void reap();

  Parts parts_;
  std::unique_ptr<MemoryWatch> memory_;
  std::atomic<bool> is_gone_ = false;  // set_priority() asks from another thread
  bool is_frozen_ = false;
  std::optional<SuperviseReport> last_;
};

// The assignment in the environment of everything that one load has started, as this one of its
// processes side by side ("ocr", "ocr#2").
[[nodiscard]] std::string instance_mark(const std::string& run_dir, WorkId work,
                                        const std::string& name);

}  // namespace hearth
