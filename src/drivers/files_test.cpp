#include "drivers/files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "drivers/unit.h"

namespace hearth {
namespace {

class FilesDriver : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "hearth-files-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::string file(const std::string& name, std::size_t bytes) {
    std::ofstream(root_ + "/" + name, std::ios::binary) << std::string(bytes, 'w');
    return root_ + "/" + name;
  }
  Result<std::unique_ptr<Instance>> load(std::vector<std::string> files, bool is_locked = false) {
    LoadJob job;
    job.launch.name = "weights";
    job.launch.kind = "files";
    job.launch.files = std::move(files);
    job.launch.is_locked = is_locked;
    job.state_dir = root_;
    return driver_->load(job, {});
  }

  std::string root_;
  std::unique_ptr<Driver> driver_ = make_files_driver();
};

TEST_F(FilesDriver, AllOfEveryFileIsResidentWhenItIsReady) {
  const auto loaded = load({file("a", 3 << 20), file("b", 12345), file("empty", 0), "a"});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  const MemoryFigures figures = (*loaded)->measure();
  EXPECT_EQ(figures.file_exclusive.count, 2 * (3 << 20) + 12345U);
  EXPECT_EQ(figures.held(), Bytes{}) << "the kernel may take it back";
  (*loaded)->unload();
  EXPECT_EQ((*loaded)->measure().file_exclusive, Bytes{});
}

TEST_F(FilesDriver, WhatIsLockedCountsAsItsMemory) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_MEMLOCK, &limit), 0);
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto loaded = load({file("a", page)}, true);
  if (limit.rlim_cur < page && ::geteuid() != 0) {
    ASSERT_FALSE(loaded);
    EXPECT_NE(loaded.error().detail.find("ulimit -l"), std::string::npos) << loaded.error().detail;
    return;
  }
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ((*loaded)->measure().held().count, page);
  (*loaded)->unload();
}

// Of files, in this process.
std::uint64_t mapped_memory() {
  std::ifstream statm{"/proc/self/statm"};
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  std::uint64_t shared = 0;
  statm >> size >> resident >> shared;
  return shared * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

TEST_F(FilesDriver, WhatIsNotLockedIsNoMemoryOfTheDaemon) {
  constexpr std::uint64_t size = 64 << 20;
  const std::uint64_t before = mapped_memory();
  const auto loaded = load({file("a", size)});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ((*loaded)->measure().file_exclusive.count, size);
  EXPECT_LT(mapped_memory(), before + size / 4);
  (*loaded)->unload();
}

TEST_F(FilesDriver, WhatHasLeftMemoryIsNotMeasured) {
  const std::string path = file("a", 3 << 20);
  const auto loaded = load({path});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  std::filesystem::resize_file(path, 0);
  EXPECT_EQ((*loaded)->measure().file_exclusive, Bytes{});
  (*loaded)->unload();
}

TEST_F(FilesDriver, WhatIsTakenBackMeanwhileIsReadAgain) {
  int looks = 0;
  driver_ =
      make_files_driver({.readings_max = 3, .correct = [&](const std::string&, Bytes resident) {
                           return ++looks == 1 ? Bytes{resident.count / 2} : resident;
                         }});
  const auto loaded = load({file("a", 3 << 20)});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(looks, 2);
  (*loaded)->unload();
}

TEST_F(FilesDriver, WhatIsTakenBackEachTimeIsSaidWithItsMend) {
  int looks = 0;
  driver_ = make_files_driver({.readings_max = 3, .correct = [&](const std::string&, Bytes) {
                                 ++looks;
                                 return 1_MiB;
                               }});
  const auto loaded = load({file("a", 3 << 20)});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(looks, 3);
  EXPECT_EQ(loaded.error().code, Errc::failed);
  for (const char* part : {"weights: ", "/a: only ", "free memory"}) {
    EXPECT_NE(loaded.error().detail.find(part), std::string::npos) << loaded.error().detail;
  }
}

TEST_F(FilesDriver, AFileThatIsNotThereIsNamed) {
  const auto loaded = load({root_ + "/none"});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::not_found);
  EXPECT_NE(loaded.error().detail.find("weights: " + root_ + "/none"), std::string::npos);
}

TEST_F(FilesDriver, APipeIsNotAFileAndIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo((root_ + "/pipe").c_str(), 0600), 0);
  const auto loaded = load({root_ + "/pipe"});
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().detail.find("it is not a file"), std::string::npos);
}

TEST_F(FilesDriver, AFolderIsNotAFile) {
  const auto loaded = load({root_});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::failed);
}

TEST(MemoryStat, OfVersionTwo) {
  const MemoryFigures figures =
      parse_memory_stat("anon 1000\nfile 5000\nkernel 70\nshmem 200\nfile_mapped 10\n");
  EXPECT_EQ(figures.anonymous.count, 1200U);
  EXPECT_EQ(figures.file_exclusive.count, 4800U);
}

TEST(MemoryStat, OfVersionOne) {
  const MemoryFigures figures = parse_memory_stat(
      "cache 1\nrss 2\nshmem 0\ntotal_cache 5000\ntotal_rss 1000\ntotal_swap 300\n");
  EXPECT_EQ(figures.anonymous.count, 1300U);
  EXPECT_EQ(figures.file_exclusive.count, 5000U);
}

TEST(MemoryStat, NonsenseIsNothing) {
  EXPECT_EQ(parse_memory_stat("what is this").anonymous, Bytes{});
  EXPECT_EQ(parse_memory_stat("shmem 5\n").file_exclusive, Bytes{});
}

}  // namespace
}  // namespace hearth
