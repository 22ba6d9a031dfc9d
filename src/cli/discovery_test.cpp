#include "cli/discovery.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace hearth {
namespace {

class Discovery : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "hearth-init-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void install(const std::string& program) {
    const std::string path = folder_ + "/" + program;
    std::ofstream{path} << "#!/bin/sh\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  [[nodiscard]] Environment environment() const {
    return [path = folder_](const std::string& name) {
      return name == "PATH" ? std::optional{path} : std::nullopt;
    };
  }
  std::string folder_;
};

bool nothing_listens(int /*port*/) { return false; }

void expect_valid(const std::string& text, std::size_t components, const Environment& environment) {
  const ParsedConfig parsed = parse_config(text, "hearth.yaml", environment);
  for (const ConfigProblem& problem : parsed.problems) {
    EXPECT_FALSE(problem.is_error) << to_text(problem, "hearth.yaml") << "\n" << text;
  }
  ASSERT_TRUE(parsed.config.has_value()) << text;
  EXPECT_EQ(parsed.config->core.components.size(), components);
}

TEST_F(Discovery, AFirstConfigurationIsValidWhenNothingWasFound) {
  expect_valid(first_config(discover(environment(), nothing_listens)), 0, environment());
}

TEST_F(Discovery, WhatIsOnThePathAndCompleteBecomesAComponent) {
  install("ollama");
  install("llama-server");
  const std::string text = first_config(discover(environment(), nothing_listens));
  expect_valid(text, 1, environment());
  EXPECT_NE(text.find("# llama:"), std::string::npos);
}

TEST_F(Discovery, EveryKnownProgramGivesAValidSection) {
  for (const char* program : {"ollama", "llama-server", "llama-swap", "vllm", "whisper-server",
                              "festival", "dictd", "libretranslate", "chromium", "tesseract"}) {
    install(program);
  }
  expect_valid(first_config(discover(environment(), nothing_listens)), 4, environment());
}

TEST_F(Discovery, ABrowserOfRootRunsWithoutItsSandbox) {
  install("chromium");
  const auto findings = discover(environment(), nothing_listens);
  const std::string plain = first_config(findings);
  const std::string of_root = first_config(findings, {.is_root = true});
  expect_valid(of_root, 1, environment());
  EXPECT_NE(of_root.find("--disable-gpu, --no-sandbox, \"--remote"), std::string::npos) << of_root;
  EXPECT_NE(plain.find("--disable-gpu, \"--remote"), std::string::npos) << plain;
}

TEST_F(Discovery, AServerThatListensIsMentionedThoughItsProgramIsNotThere) {
  const std::string text =
      first_config(discover(environment(), [](int port) { return port == 11434; }));
  expect_valid(text, 0, environment());
  EXPECT_NE(text.find("Something listens on port 11434"), std::string::npos);
}

}  // namespace
}  // namespace hearth
