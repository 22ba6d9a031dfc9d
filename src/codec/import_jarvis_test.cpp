#include <gtest/gtest.h>

#include <algorithm>

#include "codec/import.h"

namespace hearth {
namespace {

std::optional<std::string> no_environment(const std::string& /*name*/) { return std::nullopt; }

std::string notes_of(std::string_view text) {
  std::string all;
  for (const ConfigProblem& note : import_jarvis(text).notes) all += to_text(note, "f") + "\n";
  return all;
}

Config config_of(std::string_view text) {
  const Imported imported = import_jarvis(text);
  EXPECT_TRUE(imported.yaml.has_value()) << notes_of(text);
  if (!imported.yaml) return {};
  const ParsedConfig parsed = parse_config(*imported.yaml, "hearth.yaml", no_environment);
  for (const ConfigProblem& problem : parsed.problems) {
    ADD_FAILURE() << to_text(problem, "hearth.yaml") << "\n" << *imported.yaml;
  }
  return parsed.config.value_or(Config{});
}

TEST(JarvisImport, AComponentKeepsWhatItWas) {
  const Config config = config_of(R"({
  "voice": {"priority": "CORE", "import_function": "import_voice"},
  "unlock": {
    "priority": "MEDIUM", "estimated_memory_mb": 80.5, "estimated_load_time_ms": 20000,
    "intent_keywords": ["unlock", "what's \"on\"", "${env.X}"], "dependencies": ["voice"],
    "description": "Unlocks \ud83d\ude00", "import_function": "backend.unlock.load",
    "lazy_init": false
  },
  "music": {"priority": "low", "conflicts": ["unlock"], "estimated_memory_mb": 0,
            "import_function": "import_music"}
})");
  ASSERT_EQ(config.launches.size(), 3u);
  const Spec& unlock = config.core.components[1];
  const Launch& launch = config.launches[1];
  EXPECT_EQ(config.core.components[0].priority, Priority::core);
  EXPECT_EQ(unlock.priority, Priority::medium);
  EXPECT_EQ(unlock.memory, 81_MiB);
  EXPECT_EQ(unlock.load_timeout, Duration{60s});
  EXPECT_EQ(unlock.needs, std::vector<std::string>{"voice"});
  EXPECT_FALSE(unlock.is_lazy);
  EXPECT_EQ(launch.keywords, (std::vector<std::string>{"unlock", "what's \"on\"", "${env.X}"}));
  EXPECT_EQ(launch.description, "Unlocks \U0001F600");
  EXPECT_EQ(config.core.components[2].conflicts, std::vector<std::string>{"unlock"});
  EXPECT_EQ(config.core.components[2].memory, std::nullopt);
}

TEST(JarvisImport, APythonFunctionIsLoadedInAProcessOfItsOwnAndThatIsTold) {
  const std::string text =
      "{\"a\": {\"import_function\": \"import_a\"},\n \"b\": {\"import_function\": \"x.y.f\"}}";
  const Config config = config_of(text);
  EXPECT_EQ(config.launches[0].argv,
            (std::vector<std::string>{"python3", "-c",
                                      "import signal; from main import import_a; import_a(); "
                                      "print(\"loaded\", flush=True); signal.pause()"}));
  EXPECT_EQ(config.launches[0].ready, (ReadyProbe{ReadyProbe::Kind::stdout_line, "loaded"}));
  EXPECT_NE(config.launches[1].argv.back().find("from x.y import f; f();"), std::string::npos);
  EXPECT_NE(notes_of(text).find("f:2:27: warning: b: `import_function` is a Python function, not a "
                                "process"),
            std::string::npos)
      << notes_of(text);
}

TEST(JarvisImport, WithoutAFunctionTheCommandSaysThatItIsToBeFilledIn) {
  const std::string text = R"({"a": {}, "b": {"import_function": "f(); evil"}})";
  EXPECT_EQ(config_of(text).launches[1].argv,
            (std::vector<std::string>{
                "sh", "-c", "echo \"hearth.yaml: fill in the command of b\" >&2; exit 1"}));
  EXPECT_NE(notes_of(text).find("a: no `import_function`"), std::string::npos);
  EXPECT_NE(notes_of(text).find("`f(); evil` is no Python function"), std::string::npos);
}

TEST(JarvisImport, CirclesAreOpenedAndTold) {
  const std::string text = R"({
  "a": {"dependencies": ["b", "c", "gone", "a"]},
  "b": {"dependencies": ["c"]},
  "c": {"dependencies": ["a"]}})";
  const Config config = config_of(text);
  EXPECT_EQ(config.core.components[0].needs, (std::vector<std::string>{"b", "c"}));
  EXPECT_TRUE(config.core.components[2].needs.empty());
  const std::string notes = notes_of(text);
  EXPECT_NE(notes.find("f:4:26: warning: c: it needs `a`, which needs it in turn"),
            std::string::npos)
      << notes;
  EXPECT_NE(notes.find("names `gone`, which the file does not have"), std::string::npos);
  EXPECT_NE(notes.find("names the component itself"), std::string::npos);
}

TEST(JarvisImport, ConflictsThatCannotBeAreTold) {
  const std::string text = R"({
  "a": {"priority": "CORE", "conflicts": ["b"]},
  "b": {"priority": "CORE"},
  "c": {"dependencies": ["d", "e"]},
  "d": {"conflicts": ["e", "c"]},
  "e": {}})";
  for (const Spec& spec : config_of(text).core.components) {
    EXPECT_TRUE(spec.conflicts.empty()) << spec.name;
  }
  EXPECT_NE(notes_of(text).find("both are core"), std::string::npos);
  EXPECT_NE(notes_of(text).find("conflict with `e` is left out, as one component needs both"),
            std::string::npos);
}

TEST(JarvisImport, NamesWithBlanksAreMended) {
  const Config config = config_of(R"({"wake word": {}, "x": {"dependencies": ["wake word"]}})");
  EXPECT_EQ(config.launches[0].name, "wake-word");
  EXPECT_EQ(config.core.components[1].needs, std::vector<std::string>{"wake-word"});
}

TEST(JarvisImport, UnknownKeysAreTold) {
  const std::string notes = notes_of(R"({"version": 2, "components": {
    "a": {"color": "red", "preload_triggers": ["x"], "import_function": "f"}}})");
  EXPECT_NE(notes.find("unknown key `version`"), std::string::npos) << notes;
  EXPECT_NE(notes.find("a: unknown key `color`, left out"), std::string::npos) << notes;
  EXPECT_NE(notes.find("a: `preload_triggers` is left out"), std::string::npos) << notes;
}

TEST(JarvisImport, WrongTypesAreErrorsAtTheirPlace) {
  EXPECT_EQ(notes_of("{\"a\": {\"priority\": \"URGENT\",\n"
                     "       \"dependencies\": \"b\",\n"
                     "       \"estimated_memory_mb\": -1, \"intent_keywords\": [[]],\n"
                     "       \"lazy_init\": 0}, \"b\": []}"),
            "f:1:20: error: a: `priority` must be one of CORE, HIGH, MEDIUM, LOW, not `URGENT`\n"
            "f:2:24: error: a: `dependencies` must be a list of components, not `b`\n"
            "f:3:31: error: a: `estimated_memory_mb` must be a number from 0 to a thousand "
            "million, not `-1`\n"
            "f:3:55: error: a: `intent_keywords` must be a text, not a list\n"
            "f:4:21: error: a: `lazy_init` must be true or false, not `0`\n"
            "f:4:30: error: b: expected an object with keys such as `priority`, not a list\n");
}

TEST(JarvisImport, WhatIsNotJsonIsToldWithItsPlace) {
  EXPECT_EQ(notes_of("{\"a\": {\n  \"priority\" \"HIGH\"}}"),
            "f:2:19: error: not JSON: not understood at `\"HIGH\"`\n");
  EXPECT_EQ(notes_of("{\"a\": {\n"), "f:2:1: error: not JSON: it ends too early\n");
  EXPECT_EQ(notes_of(""), "f:1:1: error: not JSON: it ends too early\n");
  EXPECT_EQ(notes_of("{\"a\": {}, \"a\": {}}"), "f:1:11: error: the key `a` is there twice\n");
  EXPECT_EQ(notes_of("[{}]"), "f:1:1: error: expected a section with keys, not a list\n");
  EXPECT_EQ(notes_of("{\"a\": \"\xff\"}"), "f:1:8: error: not UTF-8: save the file as UTF-8\n");
  EXPECT_NE(notes_of(std::string(100, '[')).find("nested deeper than 32"), std::string::npos);
  EXPECT_NE(notes_of("{\"models\": {}}").find("hearth import llama-swap"), std::string::npos);
}

TEST(JarvisImport, AnEmptyFileOfComponentsIsAnEmptyConfiguration) {
  EXPECT_TRUE(config_of("{}").launches.empty());
}

}  // namespace
}  // namespace hearth
