#include "api/relay_testing.h"

namespace hearth {
namespace {

class RelayWishesTest : public RelayTest {
 protected:
  HttpReply ask(std::string_view path, std::string_view body) {
    return send({.method = "POST", .path = std::string(path), .body = std::string(body)});
  }
  void unload() {
    service_.change_status = [](DaemonStatus& status) {
      for (ComponentRow& row : status.components) {
        row.view.state = State::unloaded;
        row.endpoint.clear();
      }
    };
  }
  std::atomic<int> asked_ = 0;  // of the component
  FakeComponent::Serve count_and_answer() {
    return [this](FakeComponent::Peer& peer, int) {
      peer.read_until("}");
      ++asked_;
      peer.send(answer_with(R"({"from":"the component"})"));
    };
  }
};

TEST_F(RelayWishesTest, AQuestionAboutOneIsAnsweredByItWithoutALease) {
  serve(count_and_answer());
  service_.change_status = [this](DaemonStatus& status) {
    for (ComponentRow& row : status.components) row.endpoint = component_->url();
  };
  for (const char* body : {R"({"model":"reader"})", R"({"name":"ocr","verbose":true})"}) {
    const HttpReply reply = ask("/api/show", body);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, R"({"from":"the component"})");
  }
  EXPECT_EQ(service_.lease_count(), 0);
}

TEST_F(RelayWishesTest, AQuestionAboutOneThatIsNotThereWakesNothing) {
  serve(count_and_answer());
  unload();
  const HttpReply reply = ask("/api/show", R"({"model":"ocr"})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(Json::parse(reply.body).at("model_info").at("general.name"), "ocr");
  EXPECT_EQ(asked_, 0);
  EXPECT_EQ(service_.lease_count(), 0);
}

TEST_F(RelayWishesTest, AServerThatRunsByItselfIsAskedThoughTheModelIsNotLoaded) {
  serve(count_and_answer());
  unload();
  names().its_server = component_->url();
  EXPECT_EQ(ask("/api/show", R"({"model":"ocr"})").body, R"({"from":"the component"})");
}

TEST_F(RelayWishesTest, WhoDoesNotKnowThePathOrDoesNotListenIsAnsweredFor) {
  serve([](FakeComponent::Peer& peer, int) {
    peer.read_until("}");
    peer.send("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}");
  });
  for (const bool listens : {true, false}) {
    service_.change_status = [&](DaemonStatus& status) {
      for (ComponentRow& row : status.components) {
        row.endpoint = listens ? component_->url() : "http://127.0.0.1:1";
      }
    };
    const HttpReply reply = ask("/api/show", R"({"model":"ocr"})");
    EXPECT_EQ(reply.status, 200) << listens;
    EXPECT_EQ(Json::parse(reply.body).at("model_info").at("general.name"), "ocr");
  }
  // Of a server that runs by itself, "not found" is an answer.
  names().its_server = component_->url();
  unload();
  EXPECT_EQ(ask("/api/show", R"({"model":"ocr"})").status, 404);
}

TEST_F(RelayWishesTest, AnUnloadIsNoRequestOfTheModel) {
  serve(count_and_answer());
  for (const char* path : {"/api/generate", "/api/chat"}) {
    const HttpReply reply = ask(path, R"({"model":"ocr","keep_alive":0})");
    EXPECT_EQ(reply.status, 200);
    const Json body = Json::parse(reply.body);
    EXPECT_EQ(body.at("done_reason"), "unload");
    EXPECT_EQ(body.at("model"), "ocr");
    EXPECT_EQ(body.contains("message"), std::string_view{path} == "/api/chat");
  }
  EXPECT_EQ(asked_, 0);
  EXPECT_EQ(service_.lease_count(), 0);
  ASSERT_EQ(service_.kept.size(), 2U);
  EXPECT_EQ(service_.kept[0], std::pair(FakeService::ocr, Duration{0}));
}

TEST_F(RelayWishesTest, ALoadIsNoRequestOfTheModelEither) {
  serve(count_and_answer());
  const HttpReply reply = ask("/api/chat", R"({"model":"ocr","messages":[],"keep_alive":"5m"})");
  EXPECT_EQ(Json::parse(reply.body).at("done_reason"), "load");
  EXPECT_EQ(asked_, 0);
  EXPECT_EQ(service_.lease_count(), 1);
  ASSERT_EQ(service_.kept.size(), 1U);
  EXPECT_EQ(service_.kept[0].second, 5min);
}

TEST_F(RelayWishesTest, WhoAsksForAnAnswerGetsIt) {
  serve(count_and_answer());
  for (const char* body : {R"({"model":"ocr","prompt":"a","keep_alive":0})",
                           R"({"keep_alive":0,"model":"ocr","messages":[{"role":"user"}]})",
                           R"({"model":"ocr","images":["aGk="],"keep_alive":0})"}) {
    EXPECT_EQ(ask("/api/generate", body).body, R"({"from":"the component"})") << body;
  }
  // A body that comes in two pieces is waited for.
  RawConnection raw(server_->port());
  const std::string whole = chat(R"({"model":"ocr", "prompt":"a"})", "", "/api/generate");
  raw.send(whole.substr(0, whole.size() - 14));
  std::this_thread::sleep_for(20ms);
  raw.send(whole.substr(whole.size() - 14));
  EXPECT_NE(raw.read_until("component\"}").find("the component"), std::string::npos);
  // One that is long is not kept for it.
  const std::string filler(10'000, ' ');
  const std::string body = R"({"model":"ocr",)" + filler + R"("prompt":"a"})";
  EXPECT_EQ(ask("/api/generate", body).body, R"({"from":"the component"})");
}

TEST_F(RelayWishesTest, APageOfAnotherSiteUnloadsNothing) {
  start();
  for (const auto& [site, status] :
       {std::pair{"cross-site", 403}, {"same-site", 403}, {"same-origin", 200}, {"none", 200}}) {
    const HttpReply reply = send({.path = "/unload", .headers = {{"Sec-Fetch-Site", site}}});
    EXPECT_EQ(reply.status, status) << site;
  }
  EXPECT_EQ(send({.path = "/unload"}).status, 200) << "a program says nothing of sites";
}

TEST_F(RelayWishesTest, AnybodyMaySeeThatItListens) {
  ServerOptions options;
  options.api_key = "secret";
  start(std::move(options));
  EXPECT_EQ(send({.path = "/"}).body, "Hearth is running");
  EXPECT_EQ(send({.method = "HEAD", .path = "/"}).status, 200);
}

}  // namespace
}  // namespace hearth
