#include "runtime/memory_watch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <vector>

#include "runtime/clock.h"
#include "runtime/processes.h"

namespace hearth {
namespace {

TEST(Statm, IsReadInPages) {
  const auto statm = parse_statm("5000 1200 300 10 0 700 0\n");
  ASSERT_TRUE(statm);
  EXPECT_EQ(statm->resident, 1200U);
  EXPECT_EQ(statm->shared, 300U);
  EXPECT_FALSE(parse_statm(""));
  EXPECT_FALSE(parse_statm("12 13"));
  EXPECT_FALSE(parse_statm("a b c"));
}

// A child that takes so many MiB more, or forks, each time it is told.
class Child {
 public:
  Child() {
    EXPECT_EQ(::pipe(orders_.data()), 0);
    EXPECT_EQ(::pipe(answers_.data()), 0);
    pid_ = ::fork();
    if (pid_ == 0) obey();
  }
  ~Child() {
    kill_all(descendants(pid_));
    kill_all({pid_});
    ::waitpid(pid_, nullptr, 0);
    for (const int fd : {orders_[0], orders_[1], answers_[0], answers_[1]}) ::close(fd);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  void tell(char order) {
    char answer = 0;
    EXPECT_EQ(::write(orders_[1], &order, 1), 1);
    EXPECT_EQ(::read(answers_[0], &answer, 1), 1);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  [[noreturn]] void obey() {
    char order = 0;
    while (::read(orders_[0], &order, 1) == 1) {
      if (order == 'f' && ::fork() == 0) {
        grow();
        (void)!::write(answers_[1], "x", 1);
        while (true) ::pause();
      }
      if (order == 'g') {
        grow();
        (void)!::write(answers_[1], "x", 1);
      }
    }
    ::_exit(0);
  }
  static void grow() {
    constexpr std::size_t size = 8U << 20U;
    auto* memory = static_cast<char*>(std::malloc(size));
    if (memory == nullptr) ::_exit(1);
    for (std::size_t i = 0; i < size; i += 512) *static_cast<volatile char*>(memory + i) = 1;
  }

  std::array<int, 2> orders_{};
  std::array<int, 2> answers_{};
  pid_t pid_ = 0;
};

TEST(MemoryWatch, GivesWhatAFullLookGives) {
  Child child;
  child.tell('g');
  MemoryWatch watch{child.pid()};
  const MemoryFigures seen = watch.measure();
  const MemoryFigures full = tree_memory(child.pid());
  // A little is shared with this process, which goes on.
  const auto is_near = [](Bytes a, Bytes b) { return less(a, b) + less(b, a) < 256_KiB; };
  EXPECT_TRUE(is_near(seen.anonymous, full.anonymous));
  EXPECT_TRUE(is_near(seen.would_free(), full.would_free()));
  EXPECT_GT(seen.anonymous, 8_MiB);
}

TEST(MemoryWatch, LooksAtWhatStandsStillOnce) {
  Child child;
  child.tell('g');
  MemoryWatch watch{child.pid()};
  for (int i = 0; i < 20; ++i) (void)watch.measure();
  EXPECT_EQ(watch.full_looks(), 1U);
}

TEST(MemoryWatch, SeesGrowthAtOnce) {
  Child child;
  MemoryWatch watch{child.pid()};
  const Bytes before = watch.measure().anonymous;
  child.tell('g');
  EXPECT_GE(watch.measure().anonymous, before + 8_MiB);
  EXPECT_EQ(watch.full_looks(), 2U);
}

TEST(MemoryWatch, SeesAProcessThatWasForked) {
  Child child;
  MemoryWatch watch{child.pid()};
  const Bytes before = watch.measure().anonymous;
  child.tell('f');
  EXPECT_GE(watch.measure().anonymous, before + 8_MiB);
}

// Both have mapped one file; when one goes, its pages are the other's alone.
TEST(MemoryWatch, SeesThatFilesAreNotSharedAnyMore) {
  const std::string path = ::testing::TempDir() + "shared-" + std::to_string(::getpid());
  const std::vector<std::byte> bytes((40_MiB).count, std::byte{7});
  ASSERT_TRUE(write_file(path, bytes));
  const auto mapping = [&] {
    std::array<int, 2> told{};
    EXPECT_EQ(::pipe(told.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const int file = ::open(path.c_str(), O_RDONLY);
      const auto* map = static_cast<const volatile char*>(
          ::mmap(nullptr, bytes.size(), PROT_READ, MAP_SHARED, file, 0));
      char sum = 0;
      for (std::size_t at = 0; at < bytes.size(); at += 4096) {
        sum = static_cast<char>(sum + map[at]);
      }
      (void)!::write(told[1], &sum, 1);
      while (true) ::pause();
    }
    char sum = 0;
    EXPECT_EQ(::read(told[0], &sum, 1), 1);
    ::close(told[0]);
    ::close(told[1]);
    return child;
  };
  const pid_t first = mapping();
  const pid_t second = mapping();
  MemoryWatch watch{first};
  EXPECT_LT(watch.measure().file_exclusive, 10_MiB);
  kill_all({second});
  ::waitpid(second, nullptr, 0);
  watch.others_changed();
  const Instant until = boot_now() + 20s;
  while (watch.measure().file_exclusive < 40_MiB && boot_now() < until) {
    (void)::poll(nullptr, 0, 50);
  }
  EXPECT_GE(watch.measure().file_exclusive, 40_MiB);
  kill_all({first});
  ::waitpid(first, nullptr, 0);
  (void)::unlink(path.c_str());
}

TEST(MemoryWatch, OfAProcessThatIsGoneIsNothing) {
  MemoryFigures figures;
  {
    Child child;
    MemoryWatch watch{child.pid()};
    EXPECT_GT(watch.measure().pss, Bytes{});
    kill_all({child.pid()});
    siginfo_t info{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT), 0);
    figures = watch.measure();
  }
  EXPECT_EQ(figures.pss, Bytes{});
}

}  // namespace
}  // namespace hearth
