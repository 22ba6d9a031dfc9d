#include "codec/config.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "codec/config_text.h"

namespace hearth {
namespace {

std::optional<std::string> environment(const std::string& name) {
  if (name == "MODEL") return "/models/a b.gguf";
  if (name == "PRIORITY") return "high";
  if (name == "EMPTY") return "";
  return std::nullopt;
}

ParsedConfig parse(std::string_view text) { return parse_config(text, "hearth.yaml", environment); }

std::string problems_of(std::string_view text) {
  std::string all;
  for (const ConfigProblem& problem : parse(text).problems) {
    all += to_text(problem, "f") + "\n";
  }
  return all;
}

// What is wrong with one component of these keys, each on a line of its own.
std::string component_problems(const std::string& keys) {
  return problems_of("components:\n  ocr:\n    cmd: ocr\n    " + keys + "\n");
}

Config good(std::string_view text) {
  const ParsedConfig parsed = parse(text);
  EXPECT_EQ(problems_of(text), "");
  return parsed.config.value_or(Config{});
}

TEST(Config, AnEmptyFileHasEveryDefault) {
  const Config config = good("");
  EXPECT_EQ(config.listen_http, "127.0.0.1:7411");
  EXPECT_EQ(std::get<BudgetShare>(config.budget).share, 0.6);
  EXPECT_EQ(config.core.settings.policy, "gdsf");
  EXPECT_TRUE(config.launches.empty());
  EXPECT_EQ(config.path, "hearth.yaml");
}

TEST(Config, ReadsEverySectionOfTheFile) {
  const Config config = good(R"(
listen: {http: 127.0.0.1:9000, socket: /run/h.sock, hosts: [desk.local]}
api_key: abc
state: /var/lib/hearth
memory:
  budget: 8GiB
  reserve: 1GiB
  pools: {vision: 2GiB}
  devices: {gpu: 4GiB, camera: exclusive}
loading: {parallel: 2, timeout: 10s, attempts: 2, retry_delay: 500ms, unknown_memory: 2GiB}
idle: {from: low, high: 10m, medium: 5m, low: 30s}
pressure: {medium: 3GiB, high: 2GiB, critical: 1GiB, emergency: 100MiB}
objectives: {high: 50ms, low: 3s}
history: {text: keep, days: 7, size: 10MiB}
journal: {sync: always}
log: {level: debug, format: json}
learning: {window: 30s}
intent: {threshold: 0.6, preload_threshold: 0.2}
preload: {expiry: 20s}
policy: lru
drain: 3s
)");
  const Settings& settings = config.core.settings;
  EXPECT_EQ(config.listen_http, "127.0.0.1:9000");
  EXPECT_EQ(config.hosts, std::vector<std::string>{"desk.local"});
  EXPECT_EQ(std::get<Bytes>(config.budget), 8_GiB);
  EXPECT_EQ(config.reserve, 1_GiB);
  EXPECT_EQ(settings.pools, (std::vector<PoolSpec>{{"vision", 2_GiB, false}}));
  EXPECT_EQ(settings.resources, (std::vector<NamedBytes>{{"gpu", 4_GiB}, {"camera", Bytes{1}}}));
  EXPECT_EQ(settings.loads_parallel_max, 2u);
  EXPECT_EQ(settings.load_timeout, Duration{10s});
  EXPECT_EQ(settings.retry_delay, Duration{500ms});
  EXPECT_EQ(settings.unknown_memory, 2_GiB);
  EXPECT_EQ(settings.idle_from, Pressure::low);
  EXPECT_EQ(settings.idle_limits, (std::array<Duration, 3>{30s, 300s, 600s}));
  EXPECT_EQ(settings.pressure.below, (std::array<Bytes, 4>{3_GiB, 2_GiB, 1_GiB, 100_MiB}));
  EXPECT_EQ(settings.wait_objectives, (std::array<Duration, 4>{3s, 500ms, 50ms, 100ms}));
  EXPECT_EQ(config.history_text, Config::HistoryText::keep);
  EXPECT_TRUE(config.is_journal_synced);
  EXPECT_EQ(config.log_format, "json");
  EXPECT_EQ(settings.threshold, 0.6);
  EXPECT_EQ(settings.policy, "lru");
  EXPECT_EQ(settings.drain_time_max, Duration{3s});
}

TEST(Config, ReadsEveryKeyOfAComponent) {
  const Config config = good(R"(
memory: {devices: {gpu: 4GiB}, pools: {vision: 2GiB}}
components:
  store: {cmd: store}
  ocr:
    cmd: python3 ocr.py --model '${env.MODEL}' --port ${PORT}
    kind: process
    port: 8080
    ready: {http: /health}
    warmup: {path: /ocr, body: "{}"}
    stop: {signal: INT, grace: 3s, path: /quit}
    priority: ${env.PRIORITY}
    memory: 300MB
    devices: {gpu: 1GiB}
    pool: vision
    needs: store
    keywords: [read the screen, screenshot]
    examples: can you see my screen?
    description: text of images
    lazy: false
    default: true
    aliases: [vision/ocr:1]
    ttl: 5m
    timeout: 20s
    env: {A: "1", B: "${env.EMPTY}"}
    directory: /srv
    files: [/models/ocr.bin]
    limits: {memory: 1GiB, cpus: 1.5, pids: 64}
    on_exit: keep
  asr: {cmd: "asr | tee log", shell: true, conflicts: [vision/ocr:1], ready: notify, warmup: /x}
)");
  ASSERT_EQ(config.launches.size(), 3u);
  const Launch& ocr = config.launches[1];
  const Spec& spec = config.core.components[1];
  EXPECT_EQ(ocr.argv, (std::vector<std::string>{"python3", "ocr.py", "--model", "/models/a b.gguf",
                                                "--port", "${PORT}"}));
  EXPECT_EQ(ocr.port, 8080);
  EXPECT_EQ(ocr.ready, (ReadyProbe{ReadyProbe::Kind::http, "/health"}));
  EXPECT_EQ(ocr.warmup, (Warmup{"POST", "/ocr", "{}"}));
  EXPECT_EQ(ocr.stop, (StopRule{2, 3s, "/quit"}));
  EXPECT_EQ(spec.priority, Priority::high);
  EXPECT_EQ(spec.memory, 300_MB);
  EXPECT_EQ(spec.devices, (std::vector<ResourceNeed>{{"gpu", 1_GiB}}));
  EXPECT_EQ(spec.pool, "vision");
  EXPECT_EQ(spec.needs, std::vector<std::string>{"store"});
  EXPECT_EQ(ocr.keywords.size(), 2u);
  EXPECT_EQ(ocr.examples.size(), 1u);
  EXPECT_FALSE(spec.is_lazy);
  EXPECT_TRUE(spec.is_default);
  EXPECT_EQ(spec.ttl, Duration{5min});
  EXPECT_EQ(spec.load_timeout, Duration{20s});
  EXPECT_EQ(ocr.env, (std::map<std::string, std::string>{{"A", "1"}, {"B", ""}}));
  EXPECT_EQ(ocr.limits, (ComponentLimits{1_GiB, 1.5, 64}));
  EXPECT_EQ(ocr.on_exit, OnExit::keep);
  const Launch& asr = config.launches[2];
  EXPECT_TRUE(asr.is_shell);
  EXPECT_EQ(asr.argv, std::vector<std::string>{"asr | tee log"});
  EXPECT_EQ(asr.ready.kind, ReadyProbe::Kind::notify);
  EXPECT_EQ(asr.warmup, (Warmup{"GET", "/x", ""}));
  EXPECT_EQ(config.core.components[2].conflicts, std::vector<std::string>{"ocr"});
}

struct ProblemRow {
  const char* keys;
  const char* said;
};

TEST(Config, EveryMistakeInAComponentHasItsPlaceAndItsMend) {
  const std::vector<ProblemRow> rows{
      {"need: x", "f:4:5: error: ocr: unknown key `need`: did you mean `needs`?"},
      {"memory: 0", "f:4:13: error: ocr: `memory` is 0: leave it out and it is measured, or give"},
      {"memory: lots", "f:4:13: error: ocr: `memory` must be a size such as 1.5GiB or 300MB, not"},
      {"priority: hi", "f:4:15: error: ocr: `priority` must be one of low, medium, high, core"},
      {"ttl: 30", "f:4:10: error: ocr: `ttl` must be a duration with its unit"},
      {"ttl: 0", "f:4:10: error: ocr: `ttl` must be more than 0"},
      {"port: 70000", "f:4:11: error: ocr: `port` must be a whole number from 1 to 65535"},
      {"lazy: maybe", "f:4:11: error: ocr: `lazy` must be true or false, not `maybe`"},
      {"needs: [osr]", "f:4:13: error: ocr: `needs` names `osr`, which is no component: did you "},
      {"needs: ocr", "its needs go in a circle: ocr -> ocr"},
      {"conflicts: ocr", "f:4:16: error: ocr: `conflicts` names the component itself"},
      {"kind: proces", "f:4:11: error: ocr: `kind`: unknown kind `proces`: did you mean `process`"},
      {"kind: python", "the kind `python` is not supported yet"},
      {"versions: [1]", "`versions` is not supported yet"},
      {"ready: {http: health}", "`ready.http` must be a path that begins with /, not `health`"},
      {"ready: {}", "must hold exactly one of"},
      {"ready: {http: /a, tcp: true}", "must hold exactly one of"},
      {"ready: {htp: /a}", "f:4:13: error: ocr: unknown key `htp` in `ready`: did you mean `http`"},
      {"warmup: {body: x}", "`warmup` needs a `path`"},
      {"stop: {signal: TREM}", "`stop.signal` must be a signal such as TERM or INT, not `TREM`"},
      {"pool: vision", "`pool` names `vision`, which `memory.pools` does not have"},
      {"devices: [gpu]", "`devices` names `gpu`, which `memory.devices` does not have"},
      {"limits: {pids: 0}", "`limits.pids` must be a whole number from 1"},
      {"limits: {cpus: -1}", "`limits.cpus` must be a number from 0.01"},
      {"env: [A]", "`env` must be a section of names and texts, not a list"},
      {"description: ${env.NOPE}", "names the environment variable `NOPE`, which is not set"},
      {"description: ${env.NOPE", "has a ${env. that no } closes"},
      {"directory: \"a\\0b\"", "`directory` holds a zero byte"},
      {"directory: \"a\\Nb\"", "`directory` is not UTF-8"},
      {"aliases: [ocr]", "the alias `ocr` is the name of itself"},
      {"aliases: [a, a]", "has the alias `a` already"},
      {"aliases: ['-']", "the alias `-` is not allowed"},
      {"cmd: other", "the key `cmd` is there twice"},
      {"shell: [true]", "`shell` must be true or false, not a list"},
      {"description:", "`description` must be a text, not nothing"},
  };
  for (const ProblemRow& row : rows) {
    const std::string said = component_problems(row.keys);
    EXPECT_NE(said.find(row.said), std::string::npos) << row.keys << "\n" << said;
    EXPECT_FALSE(parse("components:\n  ocr:\n    cmd: ocr\n    " + std::string{row.keys}).config);
  }
}

TEST(Config, EveryMistakeInASettingHasItsPlaceAndItsMend) {
  const std::vector<ProblemRow> rows{
      {"memroy: {}", "f:1:1: error: unknown key `memroy`: did you mean `memory`?"},
      {"memory: {budgt: 1GiB}", "f:1:10: error: unknown key `budgt` in `memory`: did you mean"},
      {"memory: {budget: 0}", "`memory.budget` must be a size such as 8GiB or a share such as 60%"},
      {"memory: {budget: 0%}", "`memory.budget` must be a size"},
      {"memory: {budget: 101%}", "`memory.budget` must be a size"},
      {"memory: {budget: [1]}", "`memory.budget` must be a size"},
      {"memory: {pools: {a: 0}}", "`memory.pools`: `a` must be more than 0"},
      {"memory: {unknown: 0}", "`memory.unknown` must be more than 0"},
      {"memory: 8GiB", "`memory` must be a section with keys of its own, not `8GiB`"},
      {"intent: {threshold: 2}", "`intent.threshold` must be a number from 0 to 1, not `2`"},
      {"intent: {preload_threshold: 0.9}", "must not be above `intent.threshold`"},
      {"pressure: {high: 5GiB}", "`pressure.high` must not be above `pressure.medium`"},
      {"loading: {parallel: 0}", "`loading.parallel` must be a whole number from 1"},
      {"loading: {timeout: 0}", "`loading.timeout` must be more than 0"},
      {"policy: lur", "`policy` must be one of "},
      {"listen: {http: nonsense}", "`listen.http` must be HOST:PORT"},
      {"listen: {http: 0.0.0.0:7411}", "reachable from outside of this machine: set `api_key`"},
      {"api_key: ''", "`api_key` is empty"},
      {"history: {text: all}", "`history.text` must be one of keep, features, none, not `all`"},
      {"journal: {sync: sometimes}", "`journal.sync` must be one of never, always"},
      {"components: [a]", "`components` must be a section of components by name, not a list"},
      {"components: {-a: {cmd: a}}", "the name `-a` is not allowed"},
      {"components: {a: {cmd: a, memory: unlimited}}", "a: `memory` has no end"},
      {"components: {a: {}}", "a: `cmd` is missing"},
      {"components: {a: }", "`a` must be a section with keys such as `cmd`"},
      {"components: {a: {cmd: ''}}", "a: `cmd` is empty"},
      {"components: {a: {cmd: []}}", "a: `cmd` is empty"},
      {"components: {a: {cmd: \"a 'b\"}}", "a: `cmd`: a quote (') is not closed"},
      {"components: {a: {cmd: [x], shell: true}}", "`cmd` must be one line with `shell: true`"},
      {"[1, 2]", "expected keys such as `memory:` and `components:`"},
      {"a: [", "not YAML"},
      {"a: 1\n---\nb: 2", "more than one document"},
      {"? [x]\n: y", "a key must be a text"},
  };
  for (const ProblemRow& row : rows) {
    const std::string said = problems_of(row.keys);
    EXPECT_NE(said.find(row.said), std::string::npos) << row.keys << "\n" << said;
    EXPECT_FALSE(parse(row.keys).config) << row.keys;
  }
}

TEST(Config, TellsEveryErrorAtOnceInOrderOfPlace) {
  const ParsedConfig parsed = parse(R"(memroy: 1
components:
  a: {cmd: a, needs: [b], memory: 0}
  c: {cmd: c, colour: red}
)");
  ASSERT_EQ(parsed.problems.size(), 4u);
  EXPECT_EQ(parsed.problems[0].line, 1);
  EXPECT_EQ(parsed.problems[1].line, 3);
  EXPECT_EQ(parsed.problems[1].column, 23);
  EXPECT_EQ(parsed.problems[2].column, 35);
  EXPECT_EQ(parsed.problems[3].line, 4);
}

TEST(Config, FindsWhatWasNotDeclared) {
  const auto find = [](std::string_view text, std::string_view said) {
    const std::string problems = problems_of(text);
    EXPECT_NE(problems.find(said), std::string::npos) << text << "\n" << problems;
  };
  find("components: {a: {cmd: a, needs: b}, b: {cmd: b, needs: c}, c: {cmd: c, needs: a}}",
       "a: its needs go in a circle: a -> b -> c -> a");
  find("components: {a: {cmd: a, needs: b, conflicts: b}, b: {cmd: b}}",
       "a: it needs `b`, which it conflicts with");
  find("components: {a: {cmd: a, needs: [b, c]}, b: {cmd: b, conflicts: c}, c: {cmd: c}}",
       "a: it needs `b` and `c`, which conflict");
  find("components: {a: {cmd: a, port: 80}, b: {cmd: b, port: 80}}",
       "b: the port 80 is also that of `a`");
  find(
      "memory: {devices: {cam: exclusive}}\n"
      "components: {a: {cmd: a, devices: [cam]}, b: {cmd: b, devices: {cam: exclusive}}}",
      "b: the exclusive device `cam` is also taken by `a`");
  find("components: {a: {cmd: a, priority: core, conflicts: b}, b: {cmd: b, priority: core}}",
       "it conflicts with `a`, and both are core");
  find("components: {a: {cmd: a, aliases: b}, b: {cmd: b}}",
       "the alias `b` is the name of another component");
  find("memory: {budget: 1GiB}\ncomponents: {a: {cmd: a, memory: 2GiB}}",
       "a: its memory is 2GiB, more than the budget of 1GiB");
  find(
      "memory: {budget: 3GiB}\ncomponents:\n  a: {cmd: a, memory: 2GiB}\n"
      "  b: {cmd: b, memory: 2GiB, needs: a}\n",
      "f:4:23: error: b: its memory with that of its needs is 4GiB, more than the budget of 3GiB");
  find(
      "memory: {budget: 3GiB}\ncomponents:\n  a: {cmd: a, memory: 2GiB, priority: core}\n"
      "  b: {cmd: b, memory: 2GiB, priority: core}\n",
      "the components of priority core and their needs take 4GiB together");
  find(
      "memory: {pools: {p: {size: 1GiB, hard: true}}}\ncomponents: {a: {cmd: a, memory: 2GiB, "
      "pool: p}}",
      "a: its memory of 2GiB does not fit into the pool `p` of 1GiB");
}

TEST(Config, FindsPortsAndDevicesThatAreTakenTwiceUnderOtherNames) {
  const auto find = [](std::string_view text, std::string_view said) {
    const std::string problems = problems_of(text);
    EXPECT_NE(problems.find(said), std::string::npos) << text << "\n" << problems;
  };
  find("components: {a: {cmd: a, ready: {tcp: 9000}}, b: {cmd: b, ready: {tcp: 9000}}}",
       "b: the port 9000 is also that of `a`");
  find("components: {a: {cmd: a, port: 9000}, b: {cmd: b, port: 9001, ready: {tcp: 9000}}}",
       "b: the port 9000 is also that of `a`");
  find("listen: {http: 9100}\ncomponents: {a: {cmd: a, port: 9100}}",
       "a: the port 9100 is that of `listen.http`: give another");
  find(
      "memory: {devices: {gpu: 8GiB}}\n"
      "components: {a: {cmd: a, devices: [gpu]}, b: {cmd: b, devices: {gpu: exclusive}}}",
      "b: the exclusive device `gpu` is also taken by `a`");
  find(
      "memory: {pools: {p: {size: 1GiB, hard: true}}}\ncomponents:\n  a: {cmd: a, memory: 600MiB, "
      "pool: p}\n"
      "  b: {cmd: b, memory: 600MiB, pool: p, needs: a}\n",
      "b: its memory with that of its needs is 1.17GiB, more than the pool `p` of 1GiB");
  find(
      "memory: {devices: {gpu: 1GiB}}\ncomponents:\n  a: {cmd: a, devices: {gpu: 600MiB}}\n"
      "  b: {cmd: b, devices: {gpu: 600MiB}, needs: a}\n",
      "b: its share with that of its needs is 1.17GiB, more than the device `gpu` of 1GiB");
  EXPECT_EQ(problems_of("listen: {http: 9100}\ncomponents: {a: {cmd: a, port: 9101, "
                        "ready: {tcp: 9101}}, b: {cmd: b, ready: {tcp: 9102}}}"),
            "");
}

TEST(Config, WhoHasADeviceAloneTakesAllOfIt) {
  const Config config = good(
      "memory: {devices: {gpu: 8GiB, cam: exclusive}}\n"
      "components: {a: {cmd: a, devices: [gpu, cam]}}");
  EXPECT_EQ(config.core.components[0].devices,
            (std::vector<ResourceNeed>{{"gpu", 8_GiB}, {"cam", Bytes{1}}}));
}

TEST(Config, TellsEachCycle) {
  const std::string said = problems_of(
      "components: {a: {cmd: a, needs: b}, b: {cmd: b, needs: [a, c]}, c: {cmd: c, needs: [d, b]}, "
      "d: {cmd: d, needs: [e, d]}, e: {cmd: e, needs: e}}");
  EXPECT_NE(said.find("a: its needs go in a circle: a -> b -> a"), std::string::npos) << said;
  EXPECT_NE(said.find("d: its needs go in a circle: d -> d"), std::string::npos) << said;
  EXPECT_NE(said.find("e: its needs go in a circle: e -> e"), std::string::npos) << said;
  EXPECT_EQ(std::ranges::count(said, '\n'), 3) << said;
}

TEST(Config, AComponentThatIsNoSectionIsOneError) {
  EXPECT_EQ(problems_of("components: {h: 5}"),
            "f:1:14: error: `h` must be a section with keys such as `cmd`\n");
}

TEST(Config, AProbeAtAnotherPortThanTheServersOwnIsAWarning) {
  const auto said = [](const std::string& command, const std::string& keys = "ready: {http: /}") {
    return problems_of("components: {a: {cmd: '" + command + "', " + keys + "}}");
  };
  const std::string own = "`cmd` has its own: say `port: 8080`, or pass ${PORT}";
  for (const char* command : {"a --port 8080", "a -p 8080", "a --port=8080",
                              "a --listen 127.0.0.1:8080", "a --url http://localhost:8080/x",
                              "python3 -m http.server 8080", "sh -c \"a --port 8080\""}) {
    EXPECT_NE(said(command).find(own), std::string::npos) << command << said(command);
    EXPECT_NE(said(command, "ready: tcp").find(own), std::string::npos) << command;
  }
  EXPECT_NE(said("a", "ready: tcp, env: {ADDRESS: \"127.0.0.1:8080\"}").find(own),
            std::string::npos);
  EXPECT_NE(said("/opt/llama-server -m x.gguf").find("`cmd` is not told it: say `port: N`"),
            std::string::npos);
  EXPECT_EQ(said("a --port ${PORT}"), "");
  EXPECT_EQ(said("ollama serve", "ready: {http: /}, env: {OLLAMA_HOST: \"127.0.0.1:${PORT}\"}"),
            "");
  EXPECT_EQ(said("a --port 8080", "ready: tcp, port: 8080"), "");
  EXPECT_EQ(said("a --port 8080", "ready: {tcp: 8080}"), "");
  EXPECT_EQ(said("a --threads 4096 --model m:7b x=12"), "");
  EXPECT_EQ(said("server.py"), "");  // PORT is in its environment
}

TEST(Config, ALimitBelowWhatIsDeclaredIsAWarning) {
  EXPECT_NE(
      component_problems("memory: 2GiB\n    limits: {memory: 1GiB}")
          .find("f:5:22: warning: ocr: `limits.memory` of 1GiB is below its `memory` of 2GiB"),
      std::string::npos);
}

TEST(Config, PathsThatAreNotThereAreWarnings) {
  const ParsedConfig parsed = parse(R"(components:
  a: {cmd: a, directory: /gone, files: [/gone/x, there]}
  b: {cmd: b, files: [unknown, "${STATE_DIR}/y"]}
)");
  std::vector<std::string> asked;
  const auto problems = check_paths(parsed, [&](const std::string& path) {
    asked.push_back(path);
    return path == "/gone/there";
  });
  EXPECT_EQ(asked, (std::vector<std::string>{"/gone", "/gone/x", "/gone/there"}));
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(to_text(problems[0], "f"),
            "f:2:26: warning: a: the `directory` `/gone` is not there: make it or correct it");
  EXPECT_EQ(to_text(problems[1], "f"),
            "f:2:40: warning: a: `files` names `/gone/x`, which is not there");
}

TEST(Config, MoreThanTheMachineHasIsAWarning) {
  const ParsedConfig parsed = parse("memory: {budget: 8GiB, reserve: 4GiB}");
  EXPECT_TRUE(check_machine(parsed, 8_GiB).empty());
  const auto problems = check_machine(parsed, 4_GiB);
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(to_text(problems[0], "f"),
            "f:1:18: warning: `memory.budget` is 8GiB, and this machine has 4GiB: say less, or a "
            "share such as 60%");
  EXPECT_FALSE(problems[1].is_error);
}

TEST(Config, RivalsMayShareAPortAndADevice) {
  (void)good(R"(
memory: {devices: {cam: exclusive}}
components:
  a: {cmd: a, port: 80, devices: [cam], conflicts: b}
  b: {cmd: b, port: 80, devices: [cam]}
)");
}

TEST(Config, WhatIsAboveTheBudgetIsToldBesideOtherErrors) {
  const ParsedConfig parsed = parse(R"(memory: {budget: 1GiB}
components:
  a: {cmd: a, memory: 2GiB}
  b: {cmd: b, memry: 1MiB}
)");
  EXPECT_FALSE(parsed.config);
  ASSERT_EQ(parsed.problems.size(), 2u);
  EXPECT_NE(parsed.problems[0].message.find("more than the budget"), std::string::npos);
  EXPECT_NE(parsed.problems[1].message.find("memry"), std::string::npos);
}

TEST(Config, ABudgetThatIsAShareIsCheckedOnceItIsKnown) {
  const ParsedConfig parsed =
      parse("memory: {budget: 50%}\ncomponents: {a: {cmd: a, memory: 2GiB}}");
  ASSERT_TRUE(parsed.config);
  EXPECT_EQ(parsed.config->core.settings.budget, Bytes{});
  EXPECT_EQ(resolve_budget(*parsed.config, 8_GiB).settings.budget, 4_GiB);
  EXPECT_TRUE(check_budget(parsed, 4_GiB).empty());
  EXPECT_EQ(check_budget(parsed, 1_GiB).size(), 1u);
}

TEST(Config, AMissingProgramIsAWarningWithItsPlace) {
  const ParsedConfig parsed = parse(R"(components:
  a: {cmd: /opt/a --x}
  b: {cmd: b, directory: /srv}
  c: {cmd: "c || d", shell: true}
  d: {cmd: "${STATE_DIR}/run"}
)");
  const auto problems =
      check_binaries(parsed, [](const std::string& program, const std::string& directory) {
        return program == "b" && directory == "/srv";
      });
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_FALSE(problems[0].is_error);
  EXPECT_EQ(to_text(problems[0], "f"),
            "f:2:12: warning: a: the program `/opt/a` is not there: install it or correct `cmd`");
}

TEST(Config, AMacroThatNothingReplacesIsAWarning) {
  const std::string text = "components: {a: {cmd: 'a ${HOME} ${PORT}'}}";
  EXPECT_TRUE(parse(text).config);
  EXPECT_NE(problems_of(text).find("warning: a: `cmd`: `${HOME}` is not replaced: did you mean "
                                   "`${env.HOME}`?"),
            std::string::npos);
}

TEST(Config, TheRevisionFollowsWhatStartsAComponentAndNothingElse) {
  const auto revision = [](const std::string& keys) {
    return good("components: {a: {" + keys + "}}").core.components[0].revision;
  };
  const std::uint64_t plain = revision("cmd: a");
  EXPECT_EQ(revision("cmd: [a]"), plain);
  EXPECT_EQ(revision("cmd: a, priority: high, memory: 1GiB, ttl: 5s"), plain);
  EXPECT_EQ(revision("cmd: a, keywords: [x], description: y"), plain);
  EXPECT_NE(revision("cmd: a b"), plain);
  EXPECT_NE(revision("cmd: a, env: {A: b}"), plain);
  EXPECT_NE(revision("cmd: a, port: 80"), plain);
  EXPECT_NE(revision("cmd: a, ready: {tcp: 9000}"), plain);
  EXPECT_NE(revision("cmd: a, stop: {grace: 1s}"), plain);
  EXPECT_NE(revision("cmd: a, limits: {pids: 5}"), plain);
}

TEST(LenientConfig, TellsWhereTheDaemonIsWhateverElseIsWrong) {
  const auto read = [](std::string_view text) { return read_leniently(text, "f", environment); };
  const LenientConfig lenient = read(R"(state: /s
listen: {http: 127.0.0.1:9000, hosts: [desk.local]}
api_key: k
memroy: 5
components: {a: {cmd: "${env.UNSET}", aliases: [b]}}
)");
  EXPECT_EQ(lenient.config.state_dir, "/s");
  EXPECT_EQ(lenient.config.listen_http, "127.0.0.1:9000");
  EXPECT_EQ(lenient.config.hosts.size(), 1u);
  EXPECT_EQ(lenient.config.api_key, "k");
  EXPECT_EQ(lenient.config.launches.size(), 1u);
  EXPECT_TRUE(lenient.is_certain);
  EXPECT_TRUE(read("").is_certain);
  EXPECT_FALSE(read("state: ${env.UNSET}/s").is_certain);
  EXPECT_EQ(read("state: ${env.UNSET}/s").config.state_dir, "");
}

TEST(LenientConfig, AFileThatIsNoYamlStillSaysWhereTheDaemonIs) {
  const LenientConfig lenient = read_leniently(
      "components:\n  a: {cmd: [x\nlisten:\n  http: none\nstate: /s\nidle: [\n", "f", environment);
  EXPECT_EQ(lenient.config.state_dir, "/s");
  EXPECT_EQ(lenient.config.listen_http, "");
  EXPECT_TRUE(lenient.is_certain);
  EXPECT_FALSE(read_leniently("{state: /s, [", "f", environment).is_certain);
}

TEST(Config, MergeKeysAndAliasesWork) {
  const Config config = good(R"(
components:
  a: &common {cmd: a, priority: high, ttl: 5m}
  b: {<<: *common, cmd: b}
)");
  EXPECT_EQ(config.launches[1].argv, std::vector<std::string>{"b"});
  EXPECT_EQ(config.core.components[1].priority, Priority::high);
}

TEST(Config, AliasBombsAndDeepNestingAreRefusedQuickly) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += (k > 0 ? ", " : "") + before;
    bomb += "]\n";
  }
  EXPECT_NE(problems_of(bomb).find("too large"), std::string::npos);
  EXPECT_NE(problems_of(std::string(100'000, '[')).find("nested deeper"), std::string::npos);
  EXPECT_FALSE(parse("a: &a [*a]").config);
}

TEST(Config, BytesThatAreNoTextAreRefusedWithTheirPlace) {
  EXPECT_NE(problems_of("a: 1\nb: \xff").find("f:2:4: error: not UTF-8"), std::string::npos);
  EXPECT_NE(problems_of("a: \x04").find("f:1:4: error: a control character"), std::string::npos);
  EXPECT_NE(problems_of(std::string("a\0b", 3)).find("control"), std::string::npos);
  EXPECT_NE(problems_of("\xe0\x80\x80").find("not UTF-8"), std::string::npos);
  EXPECT_NE(problems_of("\xed\xa0\x80").find("not UTF-8"), std::string::npos);
}

TEST(Config, AThousandMistakesAreCutShortAndStillErrors) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "x" + std::to_string(i) + ": 1\n";
  const ParsedConfig parsed = parse(text);
  EXPECT_FALSE(parsed.config);
  EXPECT_EQ(parsed.problems.size(), 200u);
}

TEST(Config, AChainOfTenThousandNeedsIsNoTrouble) {
  std::string text = "components:\n  c0: {cmd: c}\n";
  for (int i = 1; i < 10'000; ++i) {
    text += "  c" + std::to_string(i) + ": {cmd: c, needs: c" + std::to_string(i - 1) + "}\n";
  }
  EXPECT_EQ(good(text).launches.size(), 10'000u);
}

std::string kind_problems(const std::string& keys) {
  return problems_of("components:\n  ocr:\n    " + keys + "\n");
}

TEST(ConfigKinds, AServerThatIsNotOurs) {
  const Config config = good(R"(
components:
  llama:
    kind: http
    preset: ollama
    model: llama3.2:3b
    memory: 2GB
  own:
    kind: http
    url: http://127.0.0.1:9999
    load: {path: /load, body: '{"name":"${MODEL}"}'}
    unload: {path: "/models/${MODEL}", method: DELETE}
    status:
      {path: /models, list: data, name: id, state: status.value, loaded: [up, warm], size: bytes}
)");
  EXPECT_EQ(config.launches[0].server.preset, "ollama");
  const ServerSpec& own = config.launches[1].server;
  EXPECT_EQ(own.load.method, "POST");
  EXPECT_EQ(own.unload.method, "DELETE");
  EXPECT_EQ(own.unload.path, "/models/${MODEL}");
  EXPECT_EQ(own.status.loaded, (std::vector<std::string>{"up", "warm"}));
  EXPECT_EQ(good(to_yaml(config)).launches, config.launches);
}

TEST(ConfigKinds, UnitsContainersAndFiles) {
  const Config config = good(R"(
components:
  tts: {kind: unit, unit: tts.service, user: true, port: 8100, ready: tcp}
  asr: {kind: unit, container: asr, engine: podman, port: 8101, ready: {http: /}, stop: {grace: 3s}}
  weights: {kind: files, files: [/models/a.gguf]}
  locked: {kind: files, files: [/models/b.gguf], lock: true}
)");
  EXPECT_TRUE(config.launches[0].unit.is_of_user);
  EXPECT_EQ(config.launches[1].unit.engine, "podman");
  EXPECT_EQ(config.core.components[2].memory, Bytes{0}) << "the kernel may take it back";
  EXPECT_FALSE(config.core.components[3].memory) << "it is measured";
  EXPECT_EQ(good(to_yaml(config)).launches, config.launches);
}

TEST(ConfigKinds, ProcessesSideBySideWithTheirCommands) {
  const Config config = good(R"(
components:
  ocr:
    cmd: ocr ${PORT}
    instances: 3
    before: mkdir -p /tmp/ocr
    after: [rm, -r, /tmp/ocr]
    stop: {cmd: "ocr --stop ${PORT}"}
)");
  const Launch& launch = config.launches[0];
  EXPECT_EQ(launch.instances, 3U);
  EXPECT_EQ(launch.after, (std::vector<std::string>{"rm", "-r", "/tmp/ocr"}));
  EXPECT_EQ(launch.stop.argv[1], "--stop");
  EXPECT_EQ(good(to_yaml(config)).launches, config.launches);
}

TEST(ConfigKinds, WhatAKindLacksOrMayNotHaveIsTold) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"kind: http", "`url` or `preset` is missing"},
      {"kind: http\n    url: https://x", "https is not spoken"},
      {"kind: http\n    url: localhost:80", "must be an address such as"},
      {"kind: http\n    preset: olama", "`preset`"},
      {"kind: http\n    preset: ollama\n    cmd: x",
       "`cmd` is of kind process, and this is of kind "
       "http"},
      {"kind: http\n    url: http://x\n    load: {body: x}", "needs a `path`"},
      {"kind: http\n    preset: ollama\n    model: m\n  two: {kind: http, preset: ollama, model: "
       "m}",
       "it is the same model of the same server as `ocr`"},
      {"kind: unit", "needs either a `unit` or a `container`"},
      {"kind: unit\n    unit: a\n    container: b", "needs either a `unit` or a `container`"},
      {"kind: unit\n    unit: a\n    ready: {http: /}", "say which (`port: N`)"},
      {"kind: unit\n    unit: a\n    ready: notify", "its output is not ours"},
      {"kind: files", "kind files needs `files`"},
      {"cmd: x\n    lock: true", "`lock` is of kind files, and this is of kind process"},
      {"cmd: x\n    instances: 0", "`instances`"},
      {"cmd: x\n    instances: 2\n    port: 80", "drop `port`"},
      {"kind: process", "`cmd` is missing"},
  };
  for (const auto& [keys, told] : wrong) {
    EXPECT_NE(kind_problems(keys).find(told), std::string::npos) << keys << "\n"
                                                                 << kind_problems(keys);
  }
}

}  // namespace
}  // namespace hearth
