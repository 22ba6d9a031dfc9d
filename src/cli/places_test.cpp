#include "cli/places.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

namespace hearth {
namespace {

Environment environment_of(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

class Places : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "hearth-places-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& path) {
    std::filesystem::create_directories(std::filesystem::path{folder_ + path}.parent_path());
    std::ofstream{folder_ + path} << "components: {}\n";
  }
  std::string folder_;
};

TEST_F(Places, TheOptionWinsOverTheEnvironmentAndTheEnvironmentOverTheFolders) {
  write("/hearth/hearth.yaml");
  const auto environment =
      environment_of({{"HEARTH_CONFIG", "/named.yaml"}, {"XDG_CONFIG_HOME", folder_}});
  EXPECT_EQ(find_config("/given.yaml", environment), "/given.yaml");
  EXPECT_EQ(find_config("", environment), "/named.yaml");
  EXPECT_EQ(find_config("", environment_of({{"XDG_CONFIG_HOME", folder_}})),
            folder_ + "/hearth/hearth.yaml");
}

TEST_F(Places, WithoutXdgTheFolderIsDotConfigOfHome) {
  write("/.config/hearth/hearth.yaml");
  EXPECT_EQ(find_config("", environment_of({{"HOME", folder_}})),
            folder_ + "/.config/hearth/hearth.yaml");
}

TEST_F(Places, TheAddressIsReadBackAndRemovedOnlyByItsOwner) {
  ASSERT_TRUE(write_address(folder_, {.http = "http://127.0.0.1:1", .socket = "/s", .pid = 7}));
  const auto address = read_address(folder_);
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(address->http, "http://127.0.0.1:1");
  EXPECT_EQ(address->socket, "/s");
  EXPECT_EQ(address->pid, 7);
  remove_address(folder_, 8);
  EXPECT_TRUE(read_address(folder_).has_value());
  remove_address(folder_, 7);
  EXPECT_FALSE(read_address(folder_).has_value());
}

TEST_F(Places, AProgramIsFoundOnThePathOnlyWhenItCanBeRun) {
  write("/bin/tool");
  const auto environment = environment_of({{"PATH", "/nowhere:" + folder_ + "/bin"}});
  EXPECT_EQ(find_program("tool", environment), "");
  std::filesystem::permissions(folder_ + "/bin/tool", std::filesystem::perms::owner_all);
  EXPECT_EQ(find_program("tool", environment), folder_ + "/bin/tool");
}

}  // namespace
}  // namespace hearth
