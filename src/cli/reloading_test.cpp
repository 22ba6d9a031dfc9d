#include "cli/reloading.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace hearth {
namespace {

using Keys = std::vector<std::string>;

Config running() {
  Config config;
  config.state_dir = "/s";
  return config;
}

TEST(NeedsRestart, NamesWhatIsReadOnceAndNothingElse) {
  EXPECT_EQ(needs_restart(running(), running()), Keys{});
  Config fresh = running();
  fresh.listen_http = "127.0.0.1:1";
  fresh.listen_socket = "/t/x.sock";
  fresh.history_days = 1;
  fresh.history_size_max = 1_MiB;
  EXPECT_EQ(needs_restart(running(), fresh), (Keys{"listen.http", "listen.socket"}));
  fresh = running();
  fresh.api_key = "k";
  fresh.hosts = {"desk"};
  fresh.log_level = "debug";
  fresh.core.settings.policy = "lru";
  EXPECT_EQ(needs_restart(running(), fresh), Keys{});
}

TEST(NeedsRestart, AMovedFolderIsOneChangeThoughTheSocketLiesInIt) {
  Config fresh = running();
  fresh.state_dir = "/elsewhere";
  EXPECT_EQ(needs_restart(running(), fresh), Keys{"state"});
  fresh = running();
  fresh.listen_socket = "/s/hearth.sock";
  EXPECT_EQ(needs_restart(running(), fresh), Keys{});
}

TEST(Reloading, ChangesTheLogAndTellsWhatWaits) {
  std::string pattern = std::filesystem::temp_directory_path() / "hearth-reload-XXXXXX";
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  Config config = running();
  config.path = pattern + "/hearth.yaml";
  std::ofstream{config.path} << "{state: /s, listen: {http: none}, log: {level: warn}}";
  std::string logged;
  const auto log =
      std::make_shared<Log>(LogLevel::info, false, [&](std::string_view line) { logged += line; });
  Reloading reloading{config, [](const std::string&) { return std::nullopt; }, log};
  const Result<Config> fresh = reloading.read();
  ASSERT_TRUE(fresh) << fresh.error().detail;
  EXPECT_EQ(fresh->state_dir, "/s");
  EXPECT_TRUE(log->is_on(LogLevel::info));
  EXPECT_EQ(reloading.apply(), Keys{"listen.http"});
  EXPECT_FALSE(log->is_on(LogLevel::info));
  EXPECT_NE(logged.find("`listen.http` has changed"), std::string::npos) << logged;
  std::filesystem::remove_all(pattern);
}

}  // namespace
}  // namespace hearth
