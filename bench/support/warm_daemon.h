// A whole daemon with sixteen components that need no process, in this one.
//
// Contract   `ocr` is asked for by the word "screen", and speaks at `endpoint` once it is loaded.
// Threads    those of a daemon.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "http_load.h"
#include "intent/keywords.h"
#include "runtime/daemon.h"
#include "runtime/fake_driver.h"

namespace hearth::bench {

class Keywords final : public hearth::Classifier {
 public:
  explicit Keywords(const std::vector<hearth::Vocabulary>& words) : keywords_(words) {}
  [[nodiscard]] std::vector<hearth::Intent> classify(std::string_view text) const override {
    std::vector<hearth::Intent> intents;
    for (const hearth::IntentScore& score : keywords_.classify(text)) {
      intents.push_back({hearth::ComponentId{score.component}, score.probability});
    }
    return intents;
  }

 private:
  hearth::KeywordClassifier keywords_;
};

class WarmDaemon {
 public:
  explicit WarmDaemon(const std::string& endpoint = {}) {
    std::string pattern = (std::filesystem::temp_directory_path() / "hearth-bench-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    hearth::DaemonOptions options;
    hearth::Config& config = options.config;
    config.state_dir = folder_;
    config.budget = hearth::Bytes{8ULL << 30};
    for (int i = 0; i < 16; ++i) {
      const std::string name = i == 0 ? "ocr" : "other" + std::to_string(i);
      hearth::Launch launch;
      launch.name = name;
      launch.argv = {"/bin/true"};
      launch.keywords = {i == 0 ? "screen" : "word" + std::to_string(i)};
      config.launches.push_back(launch);
      hearth::Spec spec;
      spec.name = name;
      spec.memory = hearth::Bytes{100ULL << 20};
      config.core.components.push_back(spec);
    }
    auto world = std::make_shared<hearth::testing::World>();
    if (!endpoint.empty()) world->set_endpoint("ocr", endpoint);
    options.drivers.push_back(std::make_unique<hearth::testing::FakeDriver>(world, false));
    options.machine = std::make_unique<hearth::testing::FakeMachine>(world);
    options.make_classifier = [](const std::vector<hearth::Launch>& launches,
                                 const hearth::Names& names) {
      std::vector<hearth::Vocabulary> words;
      for (const hearth::Launch& launch : launches) {
        const auto id = names.find(launch.name);
        if (!id) continue;
        words.push_back({.component = id->value, .name = launch.name, .keywords = launch.keywords});
      }
      return std::make_shared<const Keywords>(words);
    };
    options.log = std::make_shared<hearth::Log>(hearth::LogLevel::error);
    auto started = hearth::Daemon::start(std::move(options));
    if (!started) give_up(started.error().detail.c_str());
    daemon_ = *std::move(started);
  }
  ~WarmDaemon() {
    daemon_->shutdown();
    daemon_->wait();
    daemon_.reset();
    std::filesystem::remove_all(folder_);
  }
  WarmDaemon(const WarmDaemon&) = delete;
  WarmDaemon& operator=(const WarmDaemon&) = delete;
  [[nodiscard]] hearth::Daemon& get() { return *daemon_; }

 private:
  std::string folder_;
  std::unique_ptr<hearth::Daemon> daemon_;
};

}  // namespace hearth::bench
