#include "drivers/process_instance.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>

#include "drivers/probe.h"
#include "runtime/clock.h"
#include "runtime/oom_score.h"
#include "runtime/paging.h"
#include "runtime/processes.h"

namespace hearth {
namespace {

constexpr Duration kill_patience = 5s;
constexpr const char* usual_weight = "100";  // as the kernel has it
constexpr const char* idle_weight = "10";

int port_of(const std::string& endpoint) {
  const std::size_t colon = endpoint.rfind(':');
  int port = 0;
  if (endpoint.starts_with("http://") && colon != std::string::npos) {
    (void)std::from_chars(endpoint.data() + colon + 1, endpoint.data() + endpoint.size(), port);
  }
  return port;
}

}  // namespace

std::string instance_mark(const std::string& run_dir, WorkId work, const std::string& name) {
  const std::size_t place = name.find('#');
  return "HEARTH_INSTANCE=" + run_dir + "#" + std::to_string(work.value) +
         (place == std::string::npos ? "" : name.substr(place));
}

ProcessInstance::ProcessInstance(Parts parts)
    : parts_(std::move(parts)),
      memory_(std::make_unique<MemoryWatch>(parts_.supervisor, parts_.group)) {}

ProcessInstance::~ProcessInstance() {
  if (is_gone_) return;
  parts_.control.reset();
  if (!parts_.job.is_kept) reap();
}

std::string ProcessInstance::exit_detail() {
  (void)await_exit(0s);
  if (!last_) return parts_.job.name + ": its supervisor ended unexpectedly";
  std::string text = parts_.job.name + ": " + last_->text;
  if (!last_->last_line.empty()) text += "; last line: " + last_->last_line;
  return text;
}

void ProcessInstance::set_process(int process, const std::string& group) {
  parts_.main_process = process;
  parts_.group = group;
  memory_ = std::make_unique<MemoryWatch>(parts_.supervisor, parts_.group);
}

// The supervisor keeps the daemon's: it is there to tell how the component ended.
void ProcessInstance::set_priority(Priority priority) {
  if (is_gone_ || parts_.main_process <= 0) return;
  set_oom_score(parts_.main_process, oom_score_for(priority, own_oom_score()));
}

// By its group of version 2; elsewhere all weigh the same.
void ProcessInstance::set_idle(bool is_idle) {
  if (is_gone_ || parts_.group.empty()) return;
  (void)put_into(parts_.group + "/cpu.weight", is_idle ? idle_weight : usual_weight);
}

Result<Bytes> ProcessInstance::hibernate(const std::stop_token& stop) {
  const auto named = [this](Error error) {
    error.detail = parts_.job.name + ": " + error.detail;
    return std::unexpected{std::move(error)};
  };
  if (stop.stop_requested()) return named({Errc::unavailable, "its hibernation was cancelled"});
  if (const auto frozen = freeze(parts_.supervisor); !frozen) return named(frozen.error());
  const auto held = page_out(parts_.supervisor, stop);
  if (!held) {
    thaw(parts_.supervisor);
    return named(held.error());
  }
  is_frozen_ = true;
  return held;
}

void ProcessInstance::wake() {
  if (std::exchange(is_frozen_, false)) thaw(parts_.supervisor);
}

Result<> ProcessInstance::resume(Duration timeout, std::stop_token stop) {
  page_in(parts_.supervisor);
  wake();
  const auto answered = answers_again(timeout, stop);
  if (answered) return answered;
  const bool has_ended = await_exit(0s).has_value();
  (void)kill();
  if (has_ended) return fail(Errc::failed, exit_detail());
  if (stop.stop_requested()) {
    return fail(Errc::unavailable, parts_.job.name + ": its resume was cancelled");
  }
  return fail(answered.error().code,
              parts_.job.name + ": it was resumed and does not answer: " + answered.error().detail +
                  "; `hibernate: false` keeps it from hibernating");
}

// What it was about when it was frozen may come first: it is asked until it answers.
Result<> ProcessInstance::answers_again(Duration timeout, const std::stop_token& stop) {
  const Instant deadline = boot_now() + timeout;
  const Descriptor stopped{::eventfd(0, EFD_CLOEXEC)};
  const std::stop_callback on_stop{stop, [&] {
                                     const std::uint64_t one = 1;
                                     (void)::write(stopped.get(), &one, sizeof one);
                                   }};
  const std::array<int, 2> interrupts{parts_.control.get(), stopped.get()};
  if (stop.stop_requested()) return fail(Errc::unavailable, "it is not asked any more");
  for (Duration step = 5ms;; step = std::min<Duration>(2 * step, 100ms)) {
    auto answered = probe(deadline, stopped.get());
    if (answered || boot_now() + step >= deadline) return answered;
    if (wait_interrupted({deadline, interrupts}, step)) return answered;
  }
}

Result<> ProcessInstance::probe(Instant deadline, int stop_fd) const {
  const std::array<int, 2> interrupts{parts_.control.get(), stop_fd};
  const ProbeWait wait{deadline, interrupts};
  const std::string& endpoint = parts_.job.endpoint;
  if (endpoint.starts_with("unix:")) return probe_unix(endpoint.substr(5), wait);
  const int port = port_of(endpoint);
  if (port == 0) {
    if (wait_interrupted({boot_now(), interrupts}, 0s)) return fail(Errc::failed, "it has ended");
    return {};
  }
  if (parts_.job.probe_path.empty()) return probe_tcp(port, wait);
  const auto status =
      exchange({.port = port, .method = "GET", .path = parts_.job.probe_path, .body = {}}, wait);
  if (!status) return std::unexpected{status.error()};
  if (*status / 100 == 2) return {};
  return fail(Errc::failed, "GET " + parts_.job.probe_path + ": status " + std::to_string(*status));
}

void ProcessInstance::unload() {
  if (is_gone_) return;
  wake();
  const int port = port_of(parts_.job.endpoint);
  if (!parts_.job.stop_path.empty() && port != 0 && !last_) {
    const std::array<int, 1> interrupts{parts_.control.get()};
    (void)exchange({.port = port, .method = "POST", .path = parts_.job.stop_path, .body = {}},
                   {boot_now() + std::min<Duration>(parts_.job.grace, 2s), interrupts});
  }
  SuperviseOrder order;
  order.kind = SuperviseOrder::Kind::stop;
  (void)send_order(parts_.control.get(), order);
  if (!await_exit(parts_.job.grace + kill_patience + time_after())) {
    (void)kill();
    return;
  }
  reap();
}

std::optional<SuperviseReport> ProcessInstance::kill() {
  if (is_gone_) return last_;
  SuperviseOrder order;
  order.kind = SuperviseOrder::Kind::kill;
  (void)send_order(parts_.control.get(), order);
  if (!await_exit(kill_patience + time_after())) {
    // The supervisor is gone or stuck: what it had started carries a mark.
    const auto tree = descendants(parts_.supervisor);
    (void)::syscall(SYS_pidfd_send_signal, parts_.process.get(), SIGKILL, nullptr, 0);
    kill_all(tree);
    for (int round = 0; round < 100; ++round) {
      const auto strays =
          marked_processes(instance_mark(parts_.job.run_dir, parts_.job.work, parts_.job.name));
      if (strays.empty()) break;
      kill_all(strays);
      (void)::poll(nullptr, 0, 5);
    }
  }
  reap();
  return last_;
}

// That the command after it may take.
Duration ProcessInstance::time_after() const {
  return parts_.job.after.empty() ? Duration{0} : parts_.job.grace;
}

std::optional<SuperviseReport> ProcessInstance::await_exit(Duration patience) {
  const Instant deadline = boot_now() + patience;
  while (!last_) {
    pollfd waited{parts_.control.get(), POLLIN, 0};
    const double left = milliseconds(deadline - boot_now());
    const int found = ::poll(&waited, 1, left <= 0 ? 0 : static_cast<int>(left) + 1);
    if (found < 0 && errno == EINTR) continue;
    if (found <= 0) return std::nullopt;
    bool would_block = false;
    auto report = receive_report(parts_.control.get(), &would_block);
    if (!report && !would_block) return std::nullopt;
    if (report && report->kind == SuperviseReport::Kind::exited) last_ = std::move(report);
  }
  return last_;
}

void ProcessInstance::reap() {
  is_gone_ = true;
  for (const int patience_ms : {5000, 1000}) {
    pollfd waited{parts_.process.get(), POLLIN, 0};
    if (::poll(&waited, 1, patience_ms) == 1) return;
    (void)::syscall(SYS_pidfd_send_signal, parts_.process.get(), SIGKILL, nullptr, 0);
  }
}

}  // namespace hearth
