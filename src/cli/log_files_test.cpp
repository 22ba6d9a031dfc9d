#include "cli/log_files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace hearth {
namespace {

class Logs : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "hearth-logs-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void append(const std::string& file, const std::string& text) {
    std::ofstream{folder_ + "/" + file, std::ios::app} << text;
  }
  std::string folder_;
};

TEST_F(Logs, AreReadOverTheirRotationsOldestFirst) {
  append("ocr.log.2", "one\n");
  append("ocr.log.1", "two\n");
  append("ocr.log", "three\nfour\n");
  append("ocr.log.old", "not of it\n");
  append("ocr2.log", "not of it\n");
  EXPECT_EQ(read_log(folder_, "ocr", 0).value(), "one\ntwo\nthree\nfour\n");
  EXPECT_EQ(read_log(folder_, "ocr", 3).value(), "two\nthree\nfour\n");
  EXPECT_EQ(read_log(folder_, "ocr", 100).value(), "one\ntwo\nthree\nfour\n");
}

TEST_F(Logs, ALogThatNeverWasIsSaidToBeMissing) {
  EXPECT_EQ(read_log(folder_, "ocr", 0).error().code, Errc::not_found);
}

TEST_F(Logs, NamesAreTheStemsOfTheCurrentFiles) {
  append("b.log", "");
  append("a.log", "");
  append("a.log.1", "");
  EXPECT_EQ(logged_names(folder_), (std::vector<std::string>{"a", "b"}));
}

TEST_F(Logs, AFollowerKeepsItsPlaceOverARotation) {
  append("ocr.log", "before\n");
  LogFollower follower{folder_, "ocr"};
  EXPECT_EQ(follower.next(), "");
  append("ocr.log", "one\n");
  EXPECT_EQ(follower.next(), "one\n");
  append("ocr.log", "two\n");
  std::filesystem::rename(folder_ + "/ocr.log", folder_ + "/ocr.log.1");
  append("ocr.log", "three\n");
  EXPECT_EQ(follower.next(), "two\nthree\n");
}

TEST_F(Logs, AFollowerWaitsForALogThatIsNotThereYet) {
  LogFollower follower{folder_, "ocr"};
  EXPECT_EQ(follower.next(), "");
  append("ocr.log", "first\n");
  EXPECT_EQ(follower.next(), "first\n");
}

}  // namespace
}  // namespace hearth
