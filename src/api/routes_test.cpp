#include <set>

#include "api/api_testing.h"
#include "api/route.h"
#include "codec/json.h"

namespace hearth {
namespace {

using Routes = ApiTest;

constexpr std::string_view screen = R"({"text":"can you see my screen?"})";

action::Reply refused(Errc code, Reason reason) {
  action::Reply reply;
  reply.code = code;
  reply.reason = reason;
  reply.component = FakeService::ocr;
  reply.other = FakeService::asr;
  return reply;
}

TEST_F(Routes, ACommandIsAnsweredWithIntentsComponentsAndItsLease) {
  const HttpReply reply = post("/v1/commands", std::string(screen));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("content-type"), "application/json");
  EXPECT_EQ(reply.body,
            R"({"id":"c1","intents":[{"component":"ocr","probability":1},)"
            R"({"component":"asr","probability":0.25}],)"
            R"("components":[{"name":"ocr","state":"ready","cold":true,"asked":true,)"
            R"("endpoint":"http://127.0.0.1:40123"},)"
            R"({"name":"tess","state":"ready","cold":false,"asked":false,"endpoint":null}],)"
            R"("wait_ms":130.5,"lease":"l7","lease_expires_at":"1970-01-01T00:01:00.000Z"})");
}

TEST_F(Routes, ACommandThatNeedsNothingHoldsNothing) {
  const HttpReply reply = post("/v1/commands", R"({"text":"thank you"})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"id":"c1","intents":[],"components":[],"wait_ms":0,)"
                        R"("lease":null,"lease_expires_at":null})");
}

TEST_F(Routes, ACommandThatDoesNotWaitIsAccepted) {
  const HttpReply reply = post("/v1/commands", R"({"text":"screen","wait":"none"})");
  EXPECT_EQ(reply.status, 202);
  EXPECT_NE(reply.body.find(R"({"name":"ocr","state":"loading")"), std::string::npos);
}

TEST_F(Routes, ACommandsFieldsReachTheService) {
  (void)post("/v1/commands", R"({"text":"hi","session":"s","timeout_ms":1500,"lease_ms":0})");
  const CommandAsk ask = service_.last_command();
  EXPECT_EQ(ask.text, "hi");
  EXPECT_EQ(ask.session, "s");
  EXPECT_EQ(ask.peer, "127.0.0.1");
  EXPECT_EQ(ask.patience, 1500ms);
  EXPECT_EQ(ask.lease, 0s);
  EXPECT_TRUE(ask.waits);
}

TEST_F(Routes, ACommandThatHoldsNothingIsAnsweredWithoutALease) {
  const HttpReply reply = post("/v1/commands", R"({"text":"screen","lease_ms":0})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.body.find(R"("lease":null,"lease_expires_at":null)"), std::string::npos)
      << reply.body;
}

TEST_F(Routes, ARefusalHasTheStatusOfItsCode) {
  struct Row {
    Errc code;
    Reason reason;
    int status;
    bool is_retried;
  };
  for (const Row& row : {Row{Errc::conflict, Reason::conflict, 409, false},
                         Row{Errc::over_budget, Reason::memory, 503, true},
                         Row{Errc::unavailable, Reason::shutting_down, 503, true},
                         Row{Errc::timed_out, Reason::timed_out, 504, false},
                         Row{Errc::exhausted, Reason::queue_full, 429, true},
                         Row{Errc::failed, Reason::load_failed, 502, false}}) {
    SCOPED_TRACE(row.status);
    service_.refusal = refused(row.code, row.reason);
    const HttpReply reply = post("/v1/commands", std::string(screen));
    EXPECT_EQ(reply.status, row.status);
    EXPECT_EQ(reply.header("content-type"), "application/problem+json");
    EXPECT_EQ(reply.header("retry-after"), row.is_retried ? "1" : "");
  }
}

TEST_F(Routes, ARefusalNamesWhomItIsAbout) {
  service_.refusal = refused(Errc::conflict, Reason::conflict);
  service_.refusal_detail = "ocr: conflicts with asr";
  EXPECT_EQ(post("/v1/commands", std::string(screen)).body,
            R"({"type":"urn:hearth:problem:conflict","title":"conflict","status":409,)"
            R"("detail":"ocr: conflicts with asr","component":"ocr","other":"asr",)"
            R"("reason":"conflict"})");
}

TEST_F(Routes, BadBodiesAreRefusedByName) {
  struct Row {
    std::string body;
    std::string_view said;
  };
  for (const Row& row : {Row{"{", "not JSON"}, Row{"[]", "an object"},
                         Row{"{}", "`text`: is missing"}, Row{R"({"text":1})", "`text`"},
                         Row{R"({"text":"a","tmeout_ms":1})", "did you mean `timeout_ms`"},
                         Row{R"({"text":"a","wait":"soon"})", "`wait`"},
                         Row{R"({"text":"a","timeout_ms":-1})", "`timeout_ms`"},
                         Row{"{\"text\":\"\xff\xfe\"}", "not UTF-8 at byte 10"}}) {
    SCOPED_TRACE(row.body);
    const HttpReply reply = post("/v1/commands", row.body);
    EXPECT_EQ(reply.status, 400);
    EXPECT_NE(reply.body.find(row.said), std::string::npos) << reply.body;
  }
}

TEST_F(Routes, ATextAbove64KiBIsTooLarge) {
  const HttpReply reply =
      post("/v1/commands", R"({"text":")" + std::string(65 * 1024, 'a') + R"("})");
  EXPECT_EQ(reply.status, 413);
}

TEST_F(Routes, WhatACommandUsedIsReported) {
  EXPECT_EQ(post("/v1/commands/c1/used", R"({"used":["ocr","reader"]})").body,
            R"({"id":"c1","used":["ocr"]})");
  EXPECT_EQ(post("/v1/commands/c1/used", R"({"used":[]})").body, R"({"id":"c1","used":[]})");
  EXPECT_EQ(post("/v1/commands/c1/used", "{}").status, 400);
  EXPECT_EQ(post("/v1/commands/nine/used", R"({"used":[]})").status, 404);
}

TEST_F(Routes, AnUnknownComponentIsNotFoundWithNearNames) {
  const HttpReply reply = post("/v1/components/orc/load", "{}");
  EXPECT_EQ(reply.status, 404);
  EXPECT_NE(reply.body.find(R"("component":"orc")"), std::string::npos) << reply.body;
  EXPECT_NE(reply.body.find(R"("near":["ocr")"), std::string::npos) << reply.body;
  EXPECT_EQ(get("/v1/components/nothing-like-it").status, 404);
  EXPECT_EQ(get("/v1/decisions?component=orc").status, 404);
}

TEST_F(Routes, SignalsAreAccepted) {
  EXPECT_EQ(post("/v1/signals", R"({"name":"typing"})").status, 202);
  EXPECT_EQ(service_.signals(), std::vector<std::string>{"typing"});
  EXPECT_EQ(post("/v1/signals", R"({"name":""})").status, 400);
}

TEST_F(Routes, AComponentIsAWholeRow) {
  EXPECT_EQ(get("/v1/components/reader").body,
            R"({"name":"ocr","state":"ready","priority":"high","pinned":false,"idle":false,)"
            R"("preloaded":false,"removed":false,"endpoint":"http://127.0.0.1:40123","pid":4711,)"
            R"("supervisor_pid":4710,)"
            R"("memory":{"anonymous_bytes":62914560,"file_exclusive_bytes":4194304,)"
            R"("file_shared_bytes":0,"device_bytes":0,"pss_bytes":78643200,)"
            R"("would_free_bytes":67108864},"reserved_bytes":83886080,"peak_bytes":0,)"
            R"("bound_bytes":0,"declared_bytes":0,"declared_off":false,)"
            R"("load_time_ms":412.5,"leases":0,"uses":0,"warm_uses":0,)"
            R"("loads":2,"unloads":0,"failures":0,"probability":0,"needs":["tess"],)"
            R"("conflicts":["asr"],"aliases":["reader"],"description":"reads \"text\"",)"
            R"("last_error":null,"last_used_at":"1970-01-01T00:16:49.000Z","loaded_at":null,)"
            R"("retry_at":null})");
}

TEST_F(Routes, AllComponentsAreListedAndUnloadedOnesHoldNothing) {
  const auto json = parse_json_object(get("/v1/components").body);
  ASSERT_TRUE(json);
  ASSERT_EQ((*json)["components"].size(), 2U);
  EXPECT_EQ((*json)["components"][1]["name"], "asr");
  EXPECT_EQ((*json)["components"][1]["memory"]["pss_bytes"], 0);
  EXPECT_EQ((*json)["components"][1]["last_error"], "ended with status 1");
}

TEST_F(Routes, ComponentsAreLoadedUnloadedAndPinnedByHand) {
  EXPECT_EQ(post("/v1/components/ocr/load", "{}").body,
            R"({"components":[{"name":"ocr","state":"ready","cold":true,"asked":true,)"
            R"("endpoint":"http://127.0.0.1:40123"}],"wait_ms":120.1})");
  EXPECT_EQ(post("/v1/components/ocr/load", R"({"wait":"none"})").status, 202);
  EXPECT_EQ(post("/v1/components/ocr/unload", "").body, R"({"unloaded":["ocr"],"wait_ms":0})");
  EXPECT_EQ(post("/v1/components/ocr/pin", "").body, R"({"name":"ocr","pinned":true})");
  EXPECT_EQ(post("/v1/components/ocr/unpin", "{}").body, R"({"name":"ocr","pinned":false})");
  EXPECT_EQ(post("/v1/unload", R"({"all":true})").body, R"({"unloaded":["ocr"],"wait_ms":0})");
  EXPECT_EQ(post("/v1/unload", R"({"components":["asr","ocr"]})").body,
            R"({"unloaded":["asr","ocr"],"wait_ms":0})");
}

TEST_F(Routes, UnloadingNothingInParticularIsNotUnloadingAll) {
  EXPECT_EQ(post("/v1/unload", "{}").status, 400);
  EXPECT_EQ(post("/v1/unload", R"({"components":[]})").status, 400);
  EXPECT_EQ(post("/v1/unload", R"({"components":["ocr"],"all":true})").status, 400);
  EXPECT_EQ(post("/v1/components/ocr/unload", R"({"all":true})").status, 400);
}

TEST_F(Routes, UnloadingWhatIsLeasedIsAConflict) {
  service_.refusal = refused(Errc::conflict, Reason::leased);
  EXPECT_EQ(post("/v1/components/ocr/unload", "{}").status, 409);
}

TEST_F(Routes, ALeaseIsTakenRenewedListedAndReleased) {
  EXPECT_EQ(post("/v1/leases", R"({"components":["ocr"],"owner":"editor","command":"c3"})").body,
            R"({"lease":"l7","lease_expires_at":"1970-01-01T00:01:00.000Z",)"
            R"("components":[{"name":"ocr","state":"ready","cold":true,"asked":true,)"
            R"("endpoint":"http://127.0.0.1:40123"},)"
            R"({"name":"tess","state":"ready","cold":false,"asked":false,"endpoint":null}],)"
            R"("wait_ms":130.5})");
  EXPECT_EQ(service_.last_lease().owner, "editor");
  EXPECT_EQ(service_.last_lease().command, CommandId{3});
  const HttpReply renewed = send({.method = "PUT",
                                  .path = "/v1/leases/l7",
                                  .headers = {{"Content-Type", "application/json"}},
                                  .body = R"({"lease_ms":5000})"});
  EXPECT_EQ(renewed.body, R"({"lease":"l7","lease_expires_at":"1970-01-01T00:00:05.000Z"})");
  EXPECT_EQ(get("/v1/leases").body,
            R"({"leases":[{"lease":"l7","owner":"editor","session":"","command":"c1",)"
            R"("components":["ocr"],"remaining_ms":5000,"preemptible":false}]})");
  EXPECT_EQ(send({.method = "DELETE", .path = "/v1/leases/l7"}).body, R"({"lease":"l7"})");
  service_.refusal = refused(Errc::not_found, Reason::unknown_lease);
  const HttpReply gone = send({.method = "DELETE", .path = "/v1/leases/l9"});
  EXPECT_EQ(gone.status, 404);
  EXPECT_EQ(gone.body.find("component"), std::string::npos) << gone.body;
}

TEST_F(Routes, ALeaseOnNothingIsRefused) {
  EXPECT_EQ(post("/v1/leases", R"({"components":[]})").status, 400);
  EXPECT_EQ(post("/v1/leases", R"({"components":["orc"]})").status, 404);
  EXPECT_EQ(post("/v1/leases", R"({"components":["ocr"],"lease_ms":0})").status, 400);
  EXPECT_EQ(post("/v1/leases", R"({"components":["ocr"],"command":"x"})").status, 400);
}

TEST_F(Routes, DecisionsAreFilteredAndTheLastAreKept) {
  const auto sequences = [this](const std::string& query) {
    const Json json = parse_json_object(get("/v1/decisions" + query).body).value();
    std::vector<int> found;
    for (const Json& row : json["decisions"]) found.push_back(row["sequence"].get<int>());
    return found;
  };
  EXPECT_EQ(sequences(""), (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(sequences("?limit=3"), (std::vector<int>{2, 3, 4}));
  EXPECT_EQ(sequences("?component=reader"), (std::vector<int>{1, 3}));
  EXPECT_EQ(sequences("?component=ocr&limit=1"), (std::vector<int>{3}));
  EXPECT_EQ(get("/v1/decisions?limit=some").status, 400);
}

TEST_F(Routes, StatusTellsBudgetsStatesAndTotals) {
  const Json json = parse_json_object(get("/v1/status").body).value();
  EXPECT_EQ(json["started_at"], "1970-01-01T00:16:40.000Z");
  EXPECT_EQ(json["budgets"][0]["budget_bytes"], 8589934592);
  EXPECT_EQ(json["components"]["ready"], 1);
  EXPECT_EQ(json["components"]["unloaded"], 1);
  EXPECT_EQ(json["totals"]["warm_uses"], 2);
  EXPECT_EQ(json["available_bytes"], 4294967296);
  EXPECT_EQ(json["leases"], 1);
  EXPECT_EQ(json["ready"], true);
}

TEST_F(Routes, HealthAndReadinessAreTwoThings) {
  service_.ready = false;
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/readyz").status, 503);
  service_.ready = true;
  EXPECT_EQ(get("/readyz").status, 200);
}

TEST_F(Routes, AReloadThatFailsTellsEveryProblem) {
  EXPECT_EQ(post("/v1/reload", "").body, R"({"reloaded":true,"needs_restart":[]})");
  service_.reload_error = Error{Errc::invalid, "hearth.yaml:3:1: one\nhearth.yaml:9:1: two"};
  const HttpReply reply = post("/v1/reload", "");
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(reply.body.find(R"(one\nhearth.yaml:9:1: two)"), std::string::npos) << reply.body;
}

TEST_F(Routes, AShutdownIsAccepted) {
  EXPECT_EQ(post("/v1/shutdown", "{}").status, 202);
  EXPECT_TRUE(service_.is_shut_down);
}

TEST_F(Routes, MetricsAreInTheFormatOfPrometheus) {
  const HttpReply reply = get("/metrics");
  EXPECT_TRUE(reply.header("content-type").starts_with("text/plain; version=0.0.4"));
  EXPECT_NE(reply.body.find("# TYPE hearth_loads_total counter\nhearth_loads_total 3\n"),
            std::string::npos);
  EXPECT_NE(reply.body.find("hearth_component_pss_bytes{component=\"ocr\"} 78643200\n"),
            std::string::npos);
  EXPECT_NE(reply.body.find("hearth_components{state=\"unloaded\"} 1\n"), std::string::npos);
}

TEST_F(Routes, TheOriginalsCallsKeepItsFieldNames) {
  const Json status = parse_json_object(get("/components/status").body).value();
  for (const char* name :
       {"enabled", "config_path", "memory_limit_gb", "total_components", "loaded_components",
        "loading_components", "unloaded_components", "failed_components", "loaded", "loading",
        "unloaded", "failed", "memory", "performance", "ml_prediction", "platform",
        "advanced_preloader", "stats"}) {
    EXPECT_TRUE(status.contains(name)) << name;
  }
  EXPECT_EQ(status["memory_limit_gb"], 8);
  EXPECT_EQ(status["loaded"][0], "ocr");
  EXPECT_EQ(status["memory"]["saved_mb"], 25);
  EXPECT_EQ(status["memory"]["pools"]["vision"]["limit_mb"], 1024);
  EXPECT_EQ(status["performance"]["cache_hit_rate"], 0.5);
  EXPECT_EQ(status["performance"]["load_times"]["ocr"]["average_ms"], 412.5);
  const Json metrics = parse_json_object(get("/components/metrics").body).value();
  EXPECT_EQ(metrics["efficiency_score"], 12.5);  // 100 x (1 - 75 / 100) x 0.5
  EXPECT_EQ(metrics["metrics"]["component_utilization"]["utilization_percent"], 50);
}

TEST_F(Routes, OpenApiListsEveryRoute) {
  const Json json = parse_json_object(get("/openapi.json").body, 64).value();
  EXPECT_EQ(json["openapi"], "3.1.0");
  std::size_t count = 0;
  std::set<std::string> ids;
  for (const NamedRouteGroup& named : route_groups()) {
    for (const Route& route : named.group->routes) {
      // Any method: a description names those that it can.
      std::string method(name_of(route.method == Method::other ? Method::get : route.method));
      for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
      SCOPED_TRACE(method + " " + std::string(route.pattern));
      const auto path = json["paths"].find(std::string(route.pattern));
      ASSERT_NE(path, json["paths"].end());
      ASSERT_TRUE(path->contains(method));
      ids.insert((*path)[method]["operationId"].get<std::string>());
      ++count;
    }
  }
  EXPECT_EQ(ids.size(), count);
  EXPECT_GE(count, 25U);
}

TEST_F(Routes, TheReferenceNamesEveryRoute) {
  const std::string page = [] {
    std::string text;
    FILE* file = std::fopen(HEARTH_SOURCE_DIR "/docs/api.md", "r");
    if (file == nullptr) return text;
    for (int c = 0; (c = std::fgetc(file)) != EOF;) text += static_cast<char>(c);
    std::fclose(file);
    return text;
  }();
  for (const NamedRouteGroup& named : route_groups()) {
    for (const Route& route : named.group->routes) {
      const std::string method(route.method == Method::other ? "any method"
                                                             : name_of(route.method));
      const std::string wanted = method + " " + std::string(route.pattern);
      EXPECT_NE(page.find(wanted), std::string::npos) << wanted;
    }
  }
}

}  // namespace
}  // namespace hearth
