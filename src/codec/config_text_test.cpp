#include "codec/config_text.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/prng.h"
#include "codec/config_reader.h"

namespace hearth {
namespace {

std::optional<std::string> no_environment(const std::string&) { return std::nullopt; }

std::string file(const std::string& name) {
  std::ifstream stream{std::string{HEARTH_SOURCE_DIR} + "/" + name};
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

void expect_round_trip(const Config& config) {
  const std::string text = to_yaml(config);
  const ParsedConfig again = parse_config(text, config.path, no_environment);
  ASSERT_TRUE(again.config) << text << to_text(again.problems[0], "f");
  EXPECT_EQ(*again.config, config) << text;
  EXPECT_EQ(to_yaml(*again.config), text);
}

Config parsed(std::string_view text) {
  const ParsedConfig result = parse_config(text, "f", no_environment);
  EXPECT_TRUE(result.config) << (result.problems.empty() ? "" : result.problems[0].message);
  return result.config.value_or(Config{});
}

TEST(ConfigText, DefaultsComeBackEqual) { expect_round_trip(parsed("")); }

TEST(ConfigText, AFullFileComesBackEqual) {
  expect_round_trip(parsed(R"(
listen: {http: none, socket: "/run/a b", hosts: [x, "y: z"]}
state: /s
memory: {budget: 33.3%, pools: {p: 1, q: {size: 2GiB, hard: true}},
         devices: {gpu: 12345678901, cam: exclusive}}
loading: {timeout: 1ns, retry_delay: 1234567891ns}
intent: {threshold: 0.30000000000000004, preload_threshold: 0.1}
history: {text: none}
journal: {sync: always}
log: {level: warn, format: json}
components:
  "null":
    cmd: [a, "", "b c", "${PORT}", "$${env.X}", "\x01\t\n\e\u0085\L", "~", "- x", "#", "ü€😀"]
    env: {"<<": x, A: "true", "null": ""}
    ready: {line: "ready: yes"}
    warmup: {path: /w, body: "{\"a\": 1}", method: PUT}
    devices: [cam, page_cache]
    limits: {cpus: 0.1, pids: 9, memory: 7}
    ttl: 61s
  b:
    cmd: "echo ${HOME} && $${env.X}"
    shell: true
    needs: ["null"]
    ready: {tcp: 80}
    stop: {signal: 9, grace: 0, path: /q}
  c: {cmd: c, ready: {tcp: true}, conflicts: b}
  d: {cmd: d, ready: {socket: "${STATE_DIR}/s"}}
  e: {cmd: e, ready: notify, on_exit: keep, default: true, lazy: false}
)"));
}

// Any texts, sizes and spans that a Config may hold.
std::string any_text(Prng& prng) {
  static constexpr std::array<std::string_view, 16> parts{
      "a", " ", "\"", "\\", "${env.", "$", "}", "\n", ":", "#", "ü", "\u2028", "'", "0", "~", "%"};
  std::string text;
  const std::uint64_t length = prng.below(8);
  for (std::uint64_t i = 0; i < length; ++i) text += parts.at(prng.below(parts.size()));
  return text;
}

TEST(ConfigText, AnyTextsSizesAndSpansComeBackEqual) {
  Prng prng{7};
  for (int round = 0; round < 300; ++round) {
    Config config = parsed("components: {a: {cmd: a}}");
    Launch& launch = config.launches[0];
    Spec& spec = config.core.components[0];
    launch.argv = {"x" + any_text(prng), any_text(prng)};
    launch.description = any_text(prng);
    launch.env["V"] = any_text(prng);
    launch.keywords = {any_text(prng), any_text(prng)};
    spec.memory = Bytes{1 + prng.below(1ULL << prng.between(1, 45))};
    config.budget = BudgetShare{static_cast<double>(1 + prng.below(9999)) / 100 / 100};
    config.core.settings.load_timeout = Duration{prng.between(1, 1LL << prng.between(1, 50))};
    spec.revision = revision_of(launch);
    expect_round_trip(config);
  }
}

TEST(ConfigText, SecretsAreMasked) {
  const std::string text = to_yaml(parsed(R"(
api_key: topsecret1
components: {a: {cmd: a, env: {HF_TOKEN: topsecret2, db_password: topsecret3, SIZE: open}}}
)"));
  EXPECT_EQ(text.find("topsecret"), std::string::npos) << text;
  EXPECT_NE(text.find("SIZE: open"), std::string::npos) << text;
  EXPECT_NE(text.find("\"***\""), std::string::npos) << text;
}

TEST(ConfigSchema, IsTheCommittedOne) {
  EXPECT_EQ(json_schema(), file("docs/hearth.schema.json"))
      << "write it again: codec_test --gtest_filter=ConfigSchema.* prints the difference";
}

TEST(ConfigSchema, KnowsEveryKeyAndRefersToNothingThatIsNotThere) {
  const auto schema = nlohmann::json::parse(json_schema());
  for (const SectionText& section : config_sections()) {
    const auto& place = section.name.empty() ? schema : schema["$defs"][std::string{section.name}];
    for (const KeyText& key : section.keys) {
      ASSERT_TRUE(place["properties"].contains(std::string{key.name})) << key.name;
    }
  }
  const std::string text = json_schema();
  for (std::size_t at = text.find("#/$defs/"); at != std::string::npos;
       at = text.find("#/$defs/", at + 1)) {
    const std::string name = text.substr(at + 8, text.find('"', at) - at - 8);
    EXPECT_TRUE(schema["$defs"].contains(name)) << name;
  }
}

TEST(ConfigReference, HoldsEveryKeyAsTheTablesHaveIt) {
  EXPECT_NE(file("docs/config.md").find(config_reference()), std::string::npos)
      << "docs/config.md must hold this text:\n"
      << config_reference();
}

}  // namespace
}  // namespace hearth
