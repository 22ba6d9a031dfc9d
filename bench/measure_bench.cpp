// What measuring costs: a sample, a look at the clock, looking through what a step has decided,
// beside the step itself; and the memory of a hundred components.
//
//    measure_bench          nanoseconds: of samples and looks the best of 200 rounds, of steps,
//    over
//                           a day at 64 components, the median
//    measure_bench memory [COMPONENTS [MB [ROUNDS]]]
//                           real processes under their supervisors (100, 20 MB, 40 rounds),
//                           measured once a second, as the daemon does: this program's time on a
//                           processor as a share of one, when each process is looked at whole every
//                           time, and as it is done. One component grows by a tenth in each tenth
//                           round
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "drivers/process.h"
#include "runtime/measures.h"
#include "runtime/processes.h"
#include "runtime/supervise.h"
#include "support/step_day.h"

namespace hearth::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t samples = 50'000;

// The best round is the one in which nothing else ran.
template <class Each>
double cost(Each&& each) {
  double best = 1e9;
  for (int round = 0; round < 200; ++round) {
    const auto began = Clock::now();
    for (std::size_t i = 0; i < samples; ++i) each();
    const std::chrono::duration<double, std::nano> took = Clock::now() - began;
    best = std::min(best, took.count() / static_cast<double>(samples));
  }
  return best;
}

// Spans from 1 us to 67 s, in no order.
double record_cost(Histogram& histogram) {
  std::uint64_t state = 1;
  return cost([&] {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    histogram.record(Duration{1000LL << (state >> 59U) % 27});
  });
}

void print_samples() {
  static constexpr std::array<Duration, 20> bounds{20us, 50us, 100us, 500us, 1ms,   5ms, 10ms,
                                                   25ms, 50ms, 100ms, 250ms, 500ms, 1s,  2s,
                                                   5s,   10s,  30s,   60s,   120s,  300s};
  Histogram histogram{bounds};
  std::printf("a sample                        %6.1f\n", record_cost(histogram));
  std::printf("a look at the clock             %6.1f\n", cost([] { (void)Clock::now(); }));
}

double median(std::vector<double>& all) {
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::ranges::nth_element(all, middle);
  return *middle;
}

void print_steps() {
  Measures measures;
  StepDay day{DaySize{}};
  std::vector<double> steps;
  std::vector<double> looks;
  day.run(200'000, [&](Engine& engine, const Event& event, std::vector<Action>& actions) {
    const auto before = Clock::now();
    engine.step(event, actions);
    const auto between = Clock::now();
    measures.took_step(between - before);
    measures.observe(engine, actions);
    const auto after = Clock::now();
    steps.push_back(std::chrono::duration<double, std::nano>(between - before).count());
    looks.push_back(std::chrono::duration<double, std::nano>(after - between).count());
  });
  std::printf("a step                          %6.1f  (a look at the clock included)\n",
              median(steps));
  std::printf("its sample and what it decided  %6.1f  (a look at the clock included)\n",
              median(looks));
}

// --- the memory of components ---

constexpr Duration period = 1s;  // DaemonOptions::sample_period

// Takes so much, and a tenth more at each SIGUSR1.
[[noreturn]] void be_component(std::size_t size) {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGUSR1);
  (void)::sigprocmask(SIG_BLOCK, &wanted, nullptr);
  for (std::size_t more = size;; more = size / 10) {
    void* const memory =
        ::mmap(nullptr, more, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::exit(1);
    std::memset(memory, 1, more);
    std::puts("ready");
    std::fflush(stdout);
    int signal = 0;
    (void)::sigwait(&wanted, &signal);
  }
}

Duration own_time() {
  timespec time{};
  (void)::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return Duration{time.tv_sec * 1'000'000'000 + time.tv_nsec};
}

struct MemoryCost {
  Duration whole{0};  // of all rounds
  Duration round_max{0};
};

// A round in each period, and what they took of a processor together.
template <class Each>
MemoryCost rounds_of(const std::vector<std::unique_ptr<Instance>>& all, int rounds, Each each) {
  MemoryCost cost;
  auto due = Clock::now();
  for (int round = 0; round < rounds; ++round) {
    if (round % 10 == 5)
      (void)::kill(all[static_cast<std::size_t>(round) % all.size()]->process(), SIGUSR1);
    due += period;
    std::this_thread::sleep_until(due);
    const Duration began = own_time();
    for (const auto& one : all) each(*one);
    const Duration took = own_time() - began;
    cost.whole += took;
    cost.round_max = std::max(cost.round_max, took);
  }
  return cost;
}

void print_cost(const char* name, const MemoryCost& cost, int rounds) {
  std::printf("%-34s %8.3f ms a round, %8.3f ms at most: %6.3f %% of a core\n", name,
              milliseconds(cost.whole) / rounds, milliseconds(cost.round_max),
              100 * seconds(cost.whole) / (seconds(period) * rounds));
}

int measure_memory(std::size_t count, std::size_t megabytes, int rounds) {
  std::string root = "/tmp/hearth-measure-XXXXXX";
  if (::mkdtemp(root.data()) == nullptr) return 1;
  const auto driver = make_process_driver({.supervisor = {"/proc/self/exe", "supervise"}});
  std::vector<std::unique_ptr<Instance>> all;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  for (std::size_t i = 0; i < count; ++i) {
    LoadJob job;
    job.launch.name = "c" + std::to_string(i);
    job.launch.argv = {self, "component", std::to_string(megabytes)};
    job.launch.ready = {ReadyProbe::Kind::stdout_line, "ready"};
    job.work = WorkId{i + 1};
    job.state_dir = root + "/state";
    job.run_dir = root + "/run";
    job.log_path = root + "/logs/" + job.launch.name + ".log";
    auto loaded = driver->load(job, {});
    if (!loaded) {
      std::fprintf(stderr, "%s\n", loaded.error().detail.c_str());
      return 1;
    }
    (void)(*loaded)->measure();
    all.push_back(*std::move(loaded));
  }
  std::printf("%zu components of %zu MB, every second, %d rounds\n", count, megabytes, rounds);
  print_cost("each looked at whole (before)",
             rounds_of(all, rounds, [](Instance& one) { (void)tree_memory(one.supervisor()); }),
             rounds);
  Bytes sum;
  print_cost("as the daemon does",
             rounds_of(all, rounds, [&](Instance& one) { sum += one.measure().anonymous; }),
             rounds);
  Bytes seen;
  Bytes truth;
  for (const auto& one : all) {
    seen += one->measure().anonymous;
    truth += tree_memory(one->supervisor()).anonymous;
  }
  std::printf(
      "%-34s %8.1f MB of %.1f MB: %.2f %% off\n", "anonymous memory, as it is told",
      static_cast<double>(seen.count) * 1e-6, static_cast<double>(truth.count) * 1e-6,
      100 * std::abs(static_cast<double>(seen.count) / static_cast<double>(truth.count) - 1));
  for (const auto& one : all) one->unload();
  std::error_code error;
  std::filesystem::remove_all(root, error);
  return 0;
}

}  // namespace
}  // namespace hearth::bench

int main(int argc, char** argv) {
  const auto number = [&](int at, int otherwise) {
    return at < argc ? std::atoi(argv[at]) : otherwise;
  };
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "supervise") return hearth::supervise_main(argc - 1, argv + 1);
  if (mode == "component") {
    hearth::bench::be_component(static_cast<std::size_t>(number(2, 20)) * 1'000'000);
  }
  if (mode == "memory") {
    return hearth::bench::measure_memory(static_cast<std::size_t>(number(2, 100)),
                                         static_cast<std::size_t>(number(3, 20)), number(4, 40));
  }
  hearth::bench::print_samples();
  hearth::bench::print_steps();
  return 0;
}
