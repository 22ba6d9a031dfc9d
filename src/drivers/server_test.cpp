#include "drivers/server.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <cstdlib>
#include <filesystem>

#include "drivers/driver_testing.h"
#include "drivers/model_server.h"
#include "drivers/stand_in_ollama.h"
#include "runtime/clock.h"

namespace hearth::testing {
namespace {

class ServerDriver : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "hearth-server-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    driver_ = make();
  }
  void TearDown() override {
    driver_.reset();
    std::filesystem::remove_all(root_);
  }
  static std::unique_ptr<Driver> make() {
    return make_server_driver({.look_period = 10ms, .far_look_period = 20ms});
  }
  LoadJob job(const std::string& model = "small") {
    LoadJob made;
    made.launch.name = "comp";
    made.launch.kind = "http";
    made.launch.server.url = ollama_.url();
    made.launch.server.preset = "ollama";
    made.launch.server.model = model;
    made.work = WorkId{7};
    made.run_dir = root_ + "/run";
    made.timeout = 20s;
    return made;
  }

  StandInOllama ollama_;
  std::string root_;
  std::unique_ptr<Driver> driver_;
};

TEST_F(ServerDriver, WhatIsLoadedIsKeptUntilItIsUnloaded) {
  auto loaded = driver_->load(job(), {});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_TRUE(ollama_.expiry("small:latest").starts_with("2318"));
  EXPECT_EQ((*loaded)->endpoint(), ollama_.url());
  const MemoryFigures figures = (*loaded)->measure();
  EXPECT_EQ(figures.device.count, StandInOllama::model_bytes / 4);
  EXPECT_EQ(figures.anonymous.count, StandInOllama::model_bytes / 4 * 3);
  (*loaded)->unload();
  EXPECT_EQ(ollama_.loaded(), 0U);
}

TEST_F(ServerDriver, AHostsNameIsResolvedForWhoMustNotWait) {
  LoadJob named = job();
  named.launch.server.url = "http://localhost" + ollama_.url().substr(ollama_.url().rfind(':'));
  auto loaded = driver_->load(named, {});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ((*loaded)->endpoint().find("localhost"), std::string::npos);
  (*loaded)->unload();
}

TEST_F(ServerDriver, ARequestThatSetAnEndIsOverruled) {
  auto loaded = driver_->load(job(), {});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  ollama_.load("small:latest", "2026-11-28T07:05:00Z");
  EXPECT_TRUE(comes_true([&] { return ollama_.expiry("small:latest").starts_with("2318"); }));
  (*loaded)->unload();
}

TEST_F(ServerDriver, AModelThatOnlyEmbedsIsLoadedTheOtherWay) {
  auto loaded = driver_->load(job("embedder"), {});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  (*loaded)->unload();
}

TEST_F(ServerDriver, AnUnknownModelIsToldWithItsMend) {
  const auto loaded = driver_->load(job("missing"), {});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::not_found);
  for (const char* part :
       {"comp: POST http://127.0.0.1:", "model 'missing' not found", "`ollama pull missing`"}) {
    EXPECT_NE(loaded.error().detail.find(part), std::string::npos) << loaded.error().detail;
  }
}

TEST_F(ServerDriver, AServerThatIsNotThereIsToldWithItsMend) {
  LoadJob lost = job();
  lost.launch.server.url = "http://127.0.0.1:1";
  const auto loaded = driver_->load(lost, {});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::unavailable);
  EXPECT_NE(loaded.error().detail.find("start the server"), std::string::npos)
      << loaded.error().detail;
}

TEST_F(ServerDriver, AServerThatStumblesOnceHasNotLostItsModel) {
  auto loaded = driver_->load(job(), {});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  pollfd waited{(*loaded)->exit_fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&waited, 1, 50), 0);
  ollama_.set_failing(true);
  EXPECT_EQ(::poll(&waited, 1, 20'000), 1) << "but it has when it goes on";
  EXPECT_NE((*loaded)->exit_detail().find("out of order"), std::string::npos);
  ollama_.set_failing(false);
  (*loaded)->unload();
}

TEST_F(ServerDriver, TheNextDaemonAdoptsWhatACrashLeftLoaded) {
  auto loaded = driver_->load(job(), {});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  loaded->reset();  // as a crash would: nothing is unloaded
  driver_ = make();
  auto adopted = driver_->adopt(root_ + "/run");
  ASSERT_EQ(adopted.size(), 1U);
  EXPECT_EQ(adopted[0].name, "comp");
  EXPECT_EQ(adopted[0].work, WorkId{7});
  EXPECT_GT(adopted[0].instance->measure().anonymous, Bytes{});
  adopted[0].instance->unload();
  EXPECT_EQ(ollama_.loaded(), 0U);
  EXPECT_TRUE(driver_->adopt(root_ + "/run").empty());
}

TEST_F(ServerDriver, WhatIsGoneSinceTheCrashIsNotAdopted) {
  auto loaded = driver_->load(job(), {});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  loaded->reset();
  ollama_.unload("small:latest");
  driver_ = make();
  EXPECT_TRUE(driver_->adopt(root_ + "/run").empty());
  EXPECT_TRUE(std::filesystem::is_empty(root_ + "/run"));
}

TEST_F(ServerDriver, AModelLoadedPastUsIsToldOfAndOursIsNot) {
  Mutex mutex;
  std::vector<std::string> seen;
  const auto count = [&] {
    const MutexLock lock{mutex};
    return seen.size();
  };
  auto ours = driver_->load(job(), {});
  ASSERT_TRUE(ours) << ours.error().detail;
  Launch other = job("large").launch;
  other.name = "other";
  driver_->observe({job().launch, other}, [&](const Stranger& stranger) {
    const MutexLock lock{mutex};
    seen.push_back(stranger.name);
  });
  (void)::poll(nullptr, 0, 100);
  EXPECT_EQ(count(), 0U);
  ollama_.load("large:latest");
  EXPECT_TRUE(comes_true([&] { return count() > 0; }));
  driver_->observe({}, nullptr);
  EXPECT_EQ(seen.front(), "other");
  (*ours)->unload();
}

// What a driver tells of strangers.
class Told {
 public:
  Driver::Appeared as_callback() {
    return [this](const Stranger& stranger) {
      const MutexLock lock{mutex_};
      told_.push_back(stranger);
    };
  }
  std::vector<Stranger> all() {
    const MutexLock lock{mutex_};
    return told_;
  }

 private:
  Mutex mutex_;
  std::vector<Stranger> told_ HEARTH_GUARDED_BY(mutex_);
};

TEST_F(ServerDriver, AStrangerIsToldOfOnceUntilItHasGoneAndComesAgain) {
  Told told;
  driver_->observe({job().launch}, told.as_callback());
  ollama_.load("small:latest");
  EXPECT_TRUE(comes_true([&] { return !told.all().empty(); }));
  const auto after_more_looks = [&] {
    const std::size_t looks = ollama_.looks();
    return comes_true([&] { return ollama_.looks() > looks + 4; });
  };
  EXPECT_TRUE(after_more_looks());
  EXPECT_EQ(told.all().size(), 1U);
  ollama_.unload("small:latest");
  EXPECT_TRUE(after_more_looks());
  ollama_.load("small:latest");
  EXPECT_TRUE(comes_true([&] { return told.all().size() == 2; }));
  driver_->observe({}, nullptr);
  EXPECT_TRUE(told.all()[0].is_new && told.all()[1].is_new);
}

TEST_F(ServerDriver, AStrangerThatStaysIsToldOfAgainAsNoNews) {
  driver_ =
      make_server_driver({.look_period = 10ms, .far_look_period = 10ms, .stranger_period = 30ms});
  Told told;
  ollama_.load("small:latest");
  driver_->observe({job().launch}, told.as_callback());
  EXPECT_TRUE(comes_true([&] { return told.all().size() > 1; }));
  driver_->observe({}, nullptr);
  EXPECT_TRUE(told.all()[0].is_new);
  EXPECT_FALSE(told.all()[1].is_new);
}

TEST_F(ServerDriver, WhoCallsOftenDoesNotKeepItFromLooking) {
  driver_ = make_server_driver({.look_period = 300ms, .far_look_period = 300ms});
  Told told;
  ollama_.load("small:latest");
  EXPECT_TRUE(comes_true([&] {
    driver_->observe({job().launch}, told.as_callback());
    return !told.all().empty();
  }));
  driver_->observe({}, nullptr);
}

class SeveralServers : public ServerDriver {
 protected:
  static constexpr std::size_t models = 4;
  // So many models of each server, which a crash leaves loaded.
  void leave_loaded() {
    for (StandInOllama* server : {&ollama_, &second_}) {
      for (std::size_t i = 0; i < models; ++i) {
        LoadJob one = job("model" + std::to_string(i));
        one.launch.server.url = server->url();
        one.launch.name = "comp" + std::to_string(names_++);
        auto loaded = driver_->load(one, {});
        ASSERT_TRUE(loaded) << loaded.error().detail;
      }
    }
    driver_ = make_server_driver({.look_period = 1h, .far_look_period = 1h});
  }

  StandInOllama second_;
  std::size_t names_ = 0;
};

TEST_F(SeveralServers, ThatHangCostATakeoverOneTimeOutAndKeepWhatTheyMayHave) {
  leave_loaded();
  ollama_.hang(true);
  second_.hang(true);
  const Instant began = boot_now();
  EXPECT_TRUE(driver_->adopt(root_ + "/run").empty());
  EXPECT_LT(boot_now() - began, 4s) << "two seconds each, asked one after the other";
  ollama_.hang(false);
  second_.hang(false);
  EXPECT_EQ(driver_->adopt(root_ + "/run").size(), 2 * models);
}

TEST_F(SeveralServers, AreAskedOnceForAllTheirModels) {
  leave_loaded();
  const std::size_t looks = ollama_.looks();
  auto adopted = driver_->adopt(root_ + "/run");
  EXPECT_EQ(adopted.size(), 2 * models);
  EXPECT_EQ(ollama_.looks(), looks + 1);
  for (const Adopted& one : adopted) one.instance->unload();
  EXPECT_EQ(ollama_.loaded() + second_.loaded(), 0U);
}

ModelSight sight(const Launch& launch, std::string_view body) {
  const auto read = read_status(resolve(launch), body, 2026);
  EXPECT_TRUE(read) << read.error().detail;
  return read.value_or(ModelSight{});
}

Launch with_preset(const std::string& preset, const std::string& model) {
  Launch launch;
  launch.name = "comp";
  launch.server.preset = preset;
  launch.server.model = model;
  return launch;
}

TEST(ServerPresets, LlamaServerSaysTheStateOfEachModel) {
  const Launch launch = with_preset("llama-server", "qwen");
  const auto answer = [](const std::string& state) {
    return R"({"data":[{"id":"other","status":{"value":"loaded"}},)"
           R"({"id":"qwen","status":{"value":")" +
           state + "\"}}]}";
  };
  EXPECT_TRUE(sight(launch, answer("loaded")).is_loaded);
  EXPECT_FALSE(sight(launch, answer("loading")).is_loaded);
  EXPECT_FALSE(sight(launch, answer("unloaded")).is_loaded);
}

TEST(ServerPresets, LemonadeListsWhatIsLoaded) {
  const Launch launch = with_preset("lemonade", "Qwen3-0.6B-GGUF");
  constexpr std::string_view body =
      R"({"status":"ok","all_models_loaded":[{"model_name":"Qwen3-0.6B-GGUF"}]})";
  EXPECT_TRUE(sight(launch, body).is_loaded);
  EXPECT_FALSE(sight(with_preset("lemonade", "other"), body).is_loaded);
}

TEST(ServerPresets, TritonIsAskedForTheModelItself) {
  const ServerRules rules = resolve(with_preset("triton", "resnet 50"));
  EXPECT_EQ(path_for(rules.load, rules.model), "/v2/repository/models/resnet%2050/load");
  EXPECT_EQ(path_for({"GET", rules.status.path, ""}, rules.model), "/v2/models/resnet%2050/ready");
}

TEST(ServerPresets, WhatIsConfiguredGoesBeforeThePreset) {
  Launch launch = with_preset("ollama", "a");
  launch.server.url = "http://10.0.0.2:1234";
  launch.server.load = {"PUT", "/load", R"({"name":"${MODEL}"})"};
  const ServerRules rules = resolve(launch);
  EXPECT_EQ(rules.url, "http://10.0.0.2:1234");
  EXPECT_EQ(rules.load.method, "PUT");
  EXPECT_TRUE(rules.load_otherwise.path.empty());
  EXPECT_EQ(rules.unload.path, "/api/generate");
}

TEST(ServerPresets, AModelsNameIsSafeInABody) {
  EXPECT_EQ(body_for({"POST", "/", R"({"model":"${MODEL}"})"}, "a\"b\\c"),
            R"({"model":"a\"b\\c"})");
}

TEST(ServerPresets, OllamaSpellsANameWithItsTag) {
  EXPECT_EQ(resolve(with_preset("ollama", "llama3.2")).model, "llama3.2:latest");
  EXPECT_EQ(resolve(with_preset("ollama", "llama3.2:3b")).model, "llama3.2:3b");
  EXPECT_EQ(resolve(with_preset("ollama", "host:80/a/b")).model, "host:80/a/b:latest");
}

TEST(ServerPresets, AnAnswerWithoutTheListIsNotUnderstood) {
  const auto read = read_status(resolve(with_preset("ollama", "a")), R"({"models":7})", 2026);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::corrupt);
  for (const char* body : {"", "[]", "null", "{", R"({"models":[7,null,{"name":1}]})"}) {
    const auto any = read_status(resolve(with_preset("ollama", "a")), body, 2026);
    EXPECT_TRUE(!any || !any->is_loaded) << body;
  }
}

TEST(ServerPresets, ASizeThatNoMemoryHasIsNotTold) {
  const auto size_of = [](const std::string& size) {
    const Launch launch = with_preset("ollama", "a");
    return sight(launch, R"({"models":[{"name":"a:latest","size":)" + size + "}]}")
        .memory.anonymous;
  };
  EXPECT_EQ(size_of("4096"), 4_KiB);
  EXPECT_EQ(size_of("4096.5"), 4_KiB);
  for (const char* nonsense : {"-1", "0", "9e18", "1e300", "18446744073709551615",
                               "18446744073709551616", "-1e300", R"("many")", "null", "true"}) {
    EXPECT_EQ(size_of(nonsense), Bytes{}) << nonsense;
  }
}

}  // namespace
}  // namespace hearth::testing
