#include <gtest/gtest.h>

#include <algorithm>

#include "codec/import.h"

namespace hearth {
namespace {

std::optional<std::string> environment(const std::string& name) {
  if (name == "HOME") return "/home/me";
  if (name == "KEY") return "sk-from-outside";
  return std::nullopt;
}

std::string notes_of(const Imported& imported) {
  std::string all;
  for (const ConfigProblem& note : imported.notes) all += to_text(note, "f") + "\n";
  return all;
}

std::string notes_of(std::string_view text) { return notes_of(import_llama_swap(text)); }

// What comes out, read by the parser that the daemon has.
Config config_of(std::string_view text) {
  const Imported imported = import_llama_swap(text);
  EXPECT_TRUE(imported.yaml.has_value()) << notes_of(imported);
  if (!imported.yaml) return {};
  const ParsedConfig parsed = parse_config(*imported.yaml, "hearth.yaml", environment);
  for (const ConfigProblem& problem : parsed.problems) {
    EXPECT_FALSE(problem.is_error) << to_text(problem, "hearth.yaml") << "\n" << *imported.yaml;
  }
  return parsed.config.value_or(Config{});
}

const Launch& launch_of(const Config& config, std::string_view name) {
  static const Launch none;
  const auto found = std::ranges::find(config.launches, name, &Launch::name);
  EXPECT_NE(found, config.launches.end()) << name;
  return found == config.launches.end() ? none : *found;
}

// "a-b a-c": which are never together, in alphabetical order.
std::string rivals_of(std::string_view text) {
  std::vector<std::string> pairs;
  for (const Spec& spec : config_of(text).core.components) {
    for (const std::string& other : spec.conflicts) {
      pairs.push_back(std::min(spec.name, other) + "-" + std::max(spec.name, other));
    }
  }
  std::ranges::sort(pairs);
  std::string all;
  for (const std::string& pair : pairs) all += (all.empty() ? "" : " ") + pair;
  return all;
}

const std::string three = R"(
models:
  a: {cmd: "s ${PORT}"}
  b: {cmd: "s ${PORT}"}
  c: {cmd: "s ${PORT}"}
)";

TEST(LlamaSwapImport, AModelBecomesAComponentThatIsAskedAtItsHealthPage) {
  const Config config = config_of(R"(
models:
  qwen:
    cmd: llama-server --port ${PORT} -m "/models/a b.gguf"
)");
  const Launch& qwen = launch_of(config, "qwen");
  EXPECT_EQ(qwen.argv, (std::vector<std::string>{"llama-server", "--port", "${PORT}", "-m",
                                                 "/models/a b.gguf"}));
  EXPECT_EQ(qwen.ready, (ReadyProbe{ReadyProbe::Kind::http, "/health"}));
  EXPECT_EQ(config.core.settings.load_timeout, Duration{120s});
}

TEST(LlamaSwapImport, WhatNeedsNoWordGetsNone) {
  EXPECT_EQ(notes_of("models: {a: {cmd: 's ${PORT}', unlisted: false, filters: {}, ttl: 0}}"), "");
}

TEST(LlamaSwapImport, LinesOfACommandAreJoinedAndItsCommentsGo) {
  const Config config = config_of(
      "models:\n"
      "  a:\n"
      "    cmd: |\n"
      "      # with a backslash\n"
      "      server --one \\\n"
      "        --two 'x  y' \\   \n"
      "      # between\n"
      "      --port ${PORT}\n"
      "      --last\n");
  EXPECT_EQ(launch_of(config, "a").argv,
            (std::vector<std::string>{"server", "--one", "--two", "x  y", "--port", "${PORT}",
                                      "--last"}));
}

TEST(LlamaSwapImport, ALongCommandAndWordsWithQuotesReadBackAsTheyWere) {
  const Config config = config_of(R"(
models:
  a:
    cmd: |
      /opt/llama.cpp/build/bin/llama-server --port ${PORT} --model /models/large/model.gguf
      --note "it's # no \"comment\"" --empty '' --chat-template-kwargs '{"a": "b: c"}'
  b: {cmd: "s ${PORT} 'two\nlines'", description: "it's: \"# odd\""}
)");
  const std::vector<std::string>& words = launch_of(config, "a").argv;
  ASSERT_EQ(words.size(), 11u);
  EXPECT_EQ(words[6], "it's # no \"comment\"");
  EXPECT_EQ(words[8], "");
  EXPECT_EQ(words[10], "{\"a\": \"b: c\"}");
  EXPECT_EQ(launch_of(config, "b").argv.back(), "two\nlines");
  EXPECT_EQ(launch_of(config, "b").description, "it's: \"# odd\"");
}

TEST(LlamaSwapImport, MacrosAreExpandedThoseOfTheModelFirst) {
  const Config config = config_of(R"(
macros:
  context: 4096
  arguments: "--ctx ${context} --name ${MODEL_ID}"
  server: "llama-server --port ${PORT} ${arguments}"
models:
  small: {cmd: "${server}"}
  large:
    macros: {context: 16384}
    cmd: "${server} -m ${env.HOME}/m.gguf"
    checkEndpoint: /v1/${MODEL_ID}
)");
  EXPECT_EQ(launch_of(config, "small").argv[4], "4096");
  EXPECT_EQ(launch_of(config, "large").argv,
            (std::vector<std::string>{"llama-server", "--port", "${PORT}", "--ctx", "16384",
                                      "--name", "large", "-m", "/home/me/m.gguf"}));
  EXPECT_EQ(launch_of(config, "large").ready.value, "/v1/large");
}

TEST(LlamaSwapImport, TheEnvironmentIsNotReadButNamedInTheFile) {
  const Imported imported =
      import_llama_swap("models: {a: {cmd: 's ${PORT} ${env.HOME} ${env.}x'}}");
  ASSERT_TRUE(imported.yaml);
  EXPECT_NE(imported.yaml->find("cmd: \"s ${PORT} ${env.HOME} $${env.}x\""), std::string::npos)
      << *imported.yaml;
}

TEST(LlamaSwapImport, AMacroThatLeadsToItselfIsAnError) {
  EXPECT_EQ(notes_of("macros: {a: 'x ${a}'}\nmodels: {}"),
            "f:1:10: error: the macro `a` leads to itself\n");
  EXPECT_EQ(notes_of("macros: {a: '${b}', b: '${a}'}\nmodels: {m: {cmd: 's ${PORT} ${b}'}}"),
            "f:1:21: error: the macro `b` leads to itself: b -> a -> b\n");
}

TEST(LlamaSwapImport, MacrosThatMultiplyEachOtherAreStopped) {
  std::string text = "macros:\n  m0: \"\"\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "${m" + std::to_string(i - 1) + "}";
    text += "  m" + std::to_string(i) + ": \"" + before + before + "\"\n";
  }
  EXPECT_NE(notes_of(text + "models: {a: {cmd: 's ${m29}'}}\n").find("more than 10000 macros"),
            std::string::npos);
}

TEST(LlamaSwapImport, AMacroThatNobodyDefinedIsToldAndStays) {
  EXPECT_EQ(notes_of("models: {m: {cmd: 's ${PORT} ${ctx} ${ctx}'}}"),
            "f:1:19: warning: m: no macro is named `${ctx}`: left as it is; Hearth does not "
            "replace it\n");
}

TEST(LlamaSwapImport, SettingsOfAModelAreCarriedOver) {
  const Config config = config_of(R"(
healthCheckTimeout: 500
globalTTL: 600
unloadTimeout: 20
logLevel: warn
models:
  a:
    cmd: server
    proxy: http://127.0.0.1:8999
    checkEndpoint: none
    ttl: 30
    concurrencyLimit: 4
    env: ["A=1", "B=x=y ${MODEL_ID}", "A=2"]
    name: Model A
    description: it talks
    cmdStop: kill -SIGINT ${PID}
  b: {cmd: "s ${PORT}", unloadTimeout: 30}
  c: {cmd: "s ${PORT}", ttl: 0}
)");
  const Launch& a = launch_of(config, "a");
  EXPECT_EQ(a.port, 8999);
  EXPECT_EQ(a.ready.kind, ReadyProbe::Kind::started);
  EXPECT_EQ(a.concurrency, 4u);
  EXPECT_EQ(a.env, (std::map<std::string, std::string>{{"A", "2"}, {"B", "x=y a"}}));
  EXPECT_EQ(a.description, "Model A: it talks");
  EXPECT_EQ(a.stop.signal, 2);
  EXPECT_EQ(a.stop.grace, Duration{20s});
  EXPECT_EQ(launch_of(config, "b").stop.grace, Duration{30s});
  EXPECT_EQ(config.core.components[0].ttl, Duration{30s});
  EXPECT_EQ(config.core.components[1].ttl, Duration{10min});
  EXPECT_EQ(config.core.components[2].ttl, std::nullopt);
  EXPECT_EQ(config.core.settings.load_timeout, Duration{500s});
  EXPECT_EQ(config.gateway.patience, Duration{500s});
  EXPECT_EQ(config.log_level, "warn");
}

TEST(LlamaSwapImport, NamesThatHearthDoesNotAllowAreMendedAndKeptAsAliases) {
  const Config config = config_of(R"(
models:
  "qwen/qwen3:8b": {cmd: "s ${PORT}"}
  "qwen:qwen3/8b": {cmd: "s ${PORT}", aliases: [gpt-4o]}
  qwen-qwen3-8b: {cmd: "s ${PORT}"}
)");
  EXPECT_EQ(launch_of(config, "qwen-qwen3-8b-2").aliases,
            std::vector<std::string>{"qwen/qwen3:8b"});
  EXPECT_EQ(launch_of(config, "qwen-qwen3-8b-3").aliases,
            (std::vector<std::string>{"qwen:qwen3/8b", "gpt-4o"}));
  EXPECT_TRUE(launch_of(config, "qwen-qwen3-8b").aliases.empty());
}

TEST(LlamaSwapImport, AnAliasThatIsTakenOrNotAllowedIsToldAndLeftOut) {
  const std::string text = R"(
models:
  a: {cmd: "s ${PORT}", aliases: [x, b, a, "with blank"]}
  b: {cmd: "s ${PORT}", aliases: [x]}
)";
  EXPECT_EQ(notes_of(text),
            "f:3:38: warning: a: the alias `b` is left out, as `b` has it already: give one of "
            "them another\n"
            "f:3:44: warning: a: the name `with blank` is no alias that Hearth allows (letters, "
            "digits and . _ - / :): let clients ask for `a`\n"
            "f:4:35: warning: b: the alias `x` is left out, as `a` has it already: give one of "
            "them another\n");
  EXPECT_EQ(launch_of(config_of(text), "a").aliases, std::vector<std::string>{"x"});
}

TEST(LlamaSwapImport, WithoutGroupsOneModelRunsAtATime) {
  EXPECT_EQ(rivals_of(three), "a-b a-c b-c");
}

TEST(LlamaSwapImport, MembersOfAGroupThatDoesNotSwapRunTogether) {
  EXPECT_EQ(rivals_of(three + "groups: {g: {swap: false, members: [a, b]}}"), "a-c b-c");
}

TEST(LlamaSwapImport, PersistentGroupsThatLeaveOthersAloneHaveNoRivals) {
  const std::string text =
      three + "groups: {g: {persistent: true, exclusive: false, swap: false, members: [c]}}";
  EXPECT_EQ(rivals_of(text), "a-b");
  EXPECT_NE(notes_of(text).find("group `g`: `persistent`"), std::string::npos);
}

TEST(LlamaSwapImport, GroupsOfWhichOneUnloadsTheOtherFitTogetherAndThatIsTold) {
  const std::string text = three + "groups: {g: {exclusive: false, members: [c]}}";
  EXPECT_EQ(rivals_of(text), "a-b");
  EXPECT_NE(notes_of(text).find("group `(default)`: a load in it unloaded `g`"), std::string::npos)
      << notes_of(text);
}

TEST(LlamaSwapImport, MembersThatAreNoModelsOrInTwoGroupsAreTold) {
  const std::string notes = notes_of(three + "groups: {g: {members: [a, z]}, h: {members: [a]}}");
  EXPECT_NE(notes.find("its member `z` is no model"), std::string::npos) << notes;
  EXPECT_NE(notes.find("`a` is already a member of `g`"), std::string::npos) << notes;
}

TEST(LlamaSwapImport, AMatrixSaysWhoRunsTogether) {
  const std::string text = three + R"(
  d: {cmd: "s ${PORT}"}
  e: {cmd: "s ${PORT}"}
matrix:
  vars: {x: a, y: b, z: c}
  sets:
    large: d
    pair: "(x | y) & z"
    more: "+pair | x & d"
)";
  // e stands in no set, so it runs alone.
  EXPECT_EQ(rivals_of(text), "a-b a-e b-d b-e c-d c-e d-e");
}

TEST(LlamaSwapImport, AMatrixThatPairsCannotSayIsTold) {
  const std::string text = three + "matrix: {sets: {p: 'a & b', q: 'b & c', r: 'a & c'}}";
  EXPECT_EQ(rivals_of(text), "");
  EXPECT_NE(notes_of(text).find("lets every two of `a`, `b`, `c` meet but not all"),
            std::string::npos)
      << notes_of(text);
  EXPECT_EQ(notes_of(three + "matrix: {sets: {p: 'a & b & c'}}"), "");
}

TEST(LlamaSwapImport, AMatrixThatIsNotUnderstoodIsAnError) {
  const auto problem = [](const std::string& sets) {
    return notes_of(three + "matrix: {sets: {" + sets + "}}");
  };
  EXPECT_NE(problem("p: 'a & q'").find("`q` is no model"), std::string::npos);
  EXPECT_NE(problem("p: '(a & b'").find("a parenthesis is not closed"), std::string::npos);
  EXPECT_NE(problem("p: 'a &'").find("it ends where a model should stand"), std::string::npos);
  EXPECT_NE(problem("p: 'a b'").find("not understood at `b`"), std::string::npos);
  EXPECT_NE(problem("p: '+q', q: '+p'").find("it leads to itself"), std::string::npos);
  EXPECT_NE(problem("p: [a]").find("not a list"), std::string::npos);
  EXPECT_NE(problem("p: '" + std::string(1000, '(') + "'").find("nested too deep"),
            std::string::npos);
}

TEST(LlamaSwapImport, ACombinationTooManyIsAnError) {
  std::string text = "models:\n";
  std::string set;
  for (int i = 0; i < 40; ++i) {
    const std::string number = std::to_string(i);
    text += "  m" + number + ": {cmd: 's ${PORT}'}\n";
    set += (i == 0 ? "(m" : i % 2 == 0 ? ") & (m" : " | m") + number;
  }
  EXPECT_NE(notes_of(text + "matrix: {sets: {p: '" + set + ")'}}").find("more than 1000"),
            std::string::npos);
}

TEST(LlamaSwapImport, TheNewerPlaceOfGroupsIsReadToo) {
  const std::string groups = "{g: {swap: false, members: [a, b]}}";
  EXPECT_EQ(
      rivals_of(three + "routing: {router: {use: group, settings: {groups: " + groups + "}}}"),
      "a-c b-c");
  EXPECT_EQ(rivals_of(three + "routing: {router: {use: matrix, settings: {matrix: {sets: {p: 'a & "
                              "b & c'}}}}}"),
            "");
  const std::string both =
      three + "groups: " + groups + "\nrouting: {router: {settings: {groups: " + groups + "}}}";
  EXPECT_NE(notes_of(both).find("keep one"), std::string::npos);
}

TEST(LlamaSwapImport, ModelsAtOnePortAreRivals) {
  const std::string text = R"(
models:
  a: {cmd: s, proxy: "http://127.0.0.1:9000"}
  b: {cmd: s, proxy: "http://localhost:9000/"}
groups: {g: {swap: false, members: [a, b]}}
)";
  EXPECT_EQ(rivals_of(text), "a-b");
  EXPECT_NE(notes_of(text).find("f:4:22: warning: b: `a` has the port 9000 too"), std::string::npos)
      << notes_of(text);
}

TEST(LlamaSwapImport, AModelAtHearthsOwnPortMakesHearthListenElsewhere) {
  EXPECT_EQ(config_of("models: {a: {cmd: s, proxy: 'http://127.0.0.1:7411'}}").listen_http,
            "127.0.0.1:7412");
}

TEST(LlamaSwapImport, ProxiesThatHearthCannotFollowAreTold) {
  const auto note = [](const std::string& proxy) {
    return notes_of("models: {a: {cmd: 's ${PORT}', proxy: '" + proxy + "'}}");
  };
  EXPECT_EQ(note("http://localhost:${PORT}"), "");
  EXPECT_NE(note("http://192.168.1.9:80").find("Hearth reaches a component at 127.0.0.1"),
            std::string::npos);
  EXPECT_NE(note("https://127.0.0.1").find("Hearth reaches a component by http"),
            std::string::npos);
  EXPECT_NE(note("http://127.0.0.1:1/base").find("the path `/base`"), std::string::npos);
  EXPECT_NE(note("http://127.0.0.1:99999").find("no port from 1 to 65535"), std::string::npos);
}

TEST(LlamaSwapImport, PreloadsAtTheStartAreNotLazy) {
  const std::string text = three + "hooks: {on_startup: {preload: [b, nobody], profile: x}}";
  const Config config = config_of(text);
  EXPECT_TRUE(config.core.components[0].is_lazy);
  EXPECT_FALSE(config.core.components[1].is_lazy);
  EXPECT_NE(notes_of(text).find("names `nobody`"), std::string::npos);
  EXPECT_NE(notes_of(text).find("`hooks.on_startup.profile` is left out"), std::string::npos);
  EXPECT_NE(notes_of(three + "hooks: {on_startup: {preload: [a, b]}}").find("only one of them"),
            std::string::npos);
}

TEST(LlamaSwapImport, OneKeyOfSeveralIsKept) {
  const std::string text = "apiKeys: ['${env.KEY}', other]\nmodels: {}";
  EXPECT_EQ(config_of(text).api_key, "sk-from-outside");
  EXPECT_NE(notes_of(text).find("the first of the 2"), std::string::npos);
}

TEST(LlamaSwapImport, ACommandThatStopsIsCarriedOver) {
  const Config config = config_of(R"(
models:
  a:
    cmd: docker run --name ${MODEL_ID} x
    cmdStop: docker stop -t 5 ${MODEL_ID}
    proxy: http://127.0.0.1:8999
)");
  EXPECT_EQ(launch_of(config, "a").stop.argv,
            (std::vector<std::string>{"docker", "stop", "-t", "5", "a"}));
}

TEST(LlamaSwapImport, WhatHearthHasNoKeyForIsToldWithWhatToDo) {
  const std::string notes = notes_of(R"(
startPort: 10001
peers: {far: {proxy: http://far, models: [x]}}
globalTLL: 5
models:
  a:
    cmd: s ${PORT}
    useModelName: org/a
    unlisted: true
    filters: {stripParams: "top_p", setParamsByID: {"a:high": {x: 1}}}
    timeouts: {connect: 1}
    tll: 5
)");
  for (const char* part :
       {"f:2:1: warning: `startPort`", "f:3:1: warning: `peers`",
        "f:4:1: warning: unknown key `globalTLL`, left out: did you mean `globalTTL`?",
        "f:8:5: warning: a: `useModelName`", "f:9:5: warning: a: `unlisted`",
        "a: `filters.stripParams`", "a: `filters.setParamsByID`", "a: `timeouts`",
        "f:12:5: warning: a: unknown key `tll`, left out: did you mean `ttl`?"}) {
    EXPECT_NE(notes.find(part), std::string::npos) << part << "\n" << notes;
  }
}

TEST(LlamaSwapImport, NamesThatRequestsCameInStillFindTheModel) {
  const Config config = config_of(R"(
models:
  a:
    cmd: s ${PORT}
    useModelName: org/a
    filters: {setParamsByID: {"${MODEL_ID}": {x: 0}, "${MODEL_ID}:high": {x: 1}}}
    aliases: [{id: "${MODEL_ID}-x", name: shown}]
)");
  std::vector<std::string> aliases = launch_of(config, "a").aliases;
  std::ranges::sort(aliases);
  EXPECT_EQ(aliases, (std::vector<std::string>{"a-x", "a:high", "org/a"}));
}

TEST(LlamaSwapImport, TheNotesStandAtTheHeadOfTheFile) {
  const Imported imported = import_llama_swap("startPort: 1\nmodels: {}");
  ASSERT_TRUE(imported.yaml);
  EXPECT_TRUE(
      imported.yaml->starts_with("# Made by `hearth import llama-swap`.\n"
                                 "# Not carried over as it was:\n"
                                 "# - line 1: `startPort` is left out"));
}

TEST(LlamaSwapImport, WrongTypesAreErrorsAtTheirPlaceAndAllAreTold) {
  const Imported imported = import_llama_swap(R"(
healthCheckTimeout: soon
models:
  a: [cmd]
  b: {ttl: -2, cmd: [s], env: {A: 1}, aliases: x, proxy: {}}
  c: {name: no command}
  d: {cmd: "s 'open"}
  e: {cmd: "# only a comment", concurrencyLimit: 1.5}
)");
  EXPECT_FALSE(imported.yaml);
  EXPECT_EQ(notes_of(imported),
            "f:2:21: error: `healthCheckTimeout` must be a whole number from 0 to 1000000000, not "
            "`soon`\n"
            "f:4:6: error: a: expected a section with `cmd`, not a list\n"
            "f:5:12: error: b: `ttl` must be a whole number from -1 to 1000000000, not `-2`\n"
            "f:5:21: error: b: `cmd` must be a command line, not a list\n"
            "f:5:31: error: b: `env` must be a list of NAME=value, not a section\n"
            "f:5:48: error: b: `aliases` must be a list of names, not `x`\n"
            "f:5:58: error: b: `proxy` must be a text, not a section\n"
            "f:6:3: error: c: `cmd` is missing\n"
            "f:7:12: error: d: `cmd`: a quote (') is not closed\n"
            "f:8:12: error: e: `cmd` is empty\n"
            "f:8:50: error: e: `concurrencyLimit` must be a whole number from 0 to 65536, not "
            "`1.5`\n");
}

TEST(LlamaSwapImport, NoSectionOfAWrongTypeIsPassedOver) {
  for (const char* text :
       {"hooks: [x]", "hooks: {on_startup: x}", "groups: x", "matrix: x",
        "hooks: {on_startup: {preload: a}}", "routing: x", "macros: x", "routing: {router: x}",
        "routing: {router: {settings: x}}", "groups: {g: x}", "groups: {g: {swap: x}}",
        "apiKeys: x", "groups: {g: {members: x}}", "matrix: {vars: x, sets: {}}"}) {
    EXPECT_NE(notes_of(three + text).find("error: "), std::string::npos) << text;
  }
}

TEST(LlamaSwapImport, AFileOfAnotherKindIsNamed) {
  EXPECT_NE(notes_of("components: {}").find("this looks like a hearth.yaml"), std::string::npos);
  EXPECT_NE(notes_of("{ocr: {import_function: f}}").find("hearth import jarvis"),
            std::string::npos);
  EXPECT_NE(notes_of("x: 1").find("`models` is missing"), std::string::npos);
  EXPECT_EQ(notes_of("- a"), "f:1:1: error: expected a section with keys, not a list\n");
  EXPECT_NE(notes_of("models: {a: {cmd: x\n").find("error: not YAML"), std::string::npos);
  EXPECT_NE(notes_of("models: {}\nmodels: {}").find("f:2:1: error: the key `models`"),
            std::string::npos);
}

TEST(LlamaSwapImport, TextsThatAreNoTextsAreErrors) {
  EXPECT_NE(notes_of("models: {a: {cmd: \"s \\0\"}}")
                .find("f:1:19: error: a text that holds a "
                      "zero byte"),
            std::string::npos);
}

}  // namespace
}  // namespace hearth
