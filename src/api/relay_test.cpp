#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "api/relay_testing.h"
#include "codec/json.h"

namespace hearth {
namespace {

TEST_F(RelayTest, TheComponentGetsTheRequestAsItWasAndTheClientTheAnswer) {
  std::string seen;
  serve([&](FakeComponent::Peer& peer, int) {
    seen = peer.read_until("}");
    peer.send(answer_with(R"({"id":1})"));
  });
  const HttpReply reply = send({.method = "POST",
                                .path = "/v1/chat/completions?a=b",
                                .headers = {{"Content-Type", "application/json"},
                                            {"Authorization", "Bearer sk-1"},
                                            {"Connection", "X-Drop"},
                                            {"X-Drop", "1"},
                                            {"X-Hearth-Session", "s"}},
                                .body = R"({"model":"reader","messages":[]})"});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"id":1})");
  EXPECT_EQ(reply.header("x-hearth-component"), "ocr");
  EXPECT_EQ(reply.header("x-hearth-state"), "cold");
  EXPECT_TRUE(seen.starts_with("POST /v1/chat/completions?a=b HTTP/1.1\r\n")) << seen;
  EXPECT_TRUE(seen.ends_with("\r\n\r\n{\"model\":\"reader\",\"messages\":[]}")) << seen;
  EXPECT_NE(seen.find("\r\nAuthorization: Bearer sk-1\r\n"), std::string::npos);
  EXPECT_EQ(seen.find("X-Drop"), std::string::npos);
  EXPECT_EQ(seen.find("X-Hearth"), std::string::npos);
  await([this] { return service_.released == 1; });
  EXPECT_TRUE(service_.last_lease().is_use);
  EXPECT_TRUE(service_.last_lease().ends_with_answer);
  EXPECT_EQ(service_.last_lease().session, "s");
}

TEST_F(RelayTest, OneConnectionServesOneRequestAfterTheOtherOnBothSides) {
  std::atomic<int> connections = 0;
  serve([&](FakeComponent::Peer& peer, int) {
    ++connections;
    while (!peer.read_until("}").empty()) {
      peer.clear();
      peer.send(answer_with("{}"));
    }
  });
  RawConnection client(server_->port());
  for (int i = 0; i < 3; ++i) {
    client.clear();
    client.send(chat(R"({"model":"ocr"})"));
    client.read_until("\r\n\r\n{}");
  }
  // Two at once: the second waits for the first.
  client.clear();
  client.send(chat(R"({"model":"ocr"})") + chat(R"({"model":"nobody"})"));
  client.read_until("model_not_found");
  EXPECT_EQ(connections, 1);
}

TEST_F(RelayTest, AUsedConnectionThatTheComponentHasClosedIsMadeAnew) {
  serve([&](FakeComponent::Peer& peer, int number) {
    peer.read_until("}");
    peer.send(answer_with(number == 0 ? R"({"first":1})" : R"({"second":1})"));
    peer.clear();
    // The next request comes, and is not answered: only the first of all connections does that.
    if (number == 0) peer.read_until("}");
  });
  RawConnection client(server_->port());
  client.send(chat(R"({"model":"ocr"})"));
  client.read_until("first");
  client.send(chat(R"({"model":"ocr"})"));
  client.read_until("second");
}

TEST_F(RelayTest, AStreamArrivesPieceByPiece) {
  std::mutex mutex;
  std::condition_variable condition;
  int allowed = 0;
  serve([&](FakeComponent::Peer& peer, int) {
    peer.read_until("}");
    peer.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 1; i <= 3; ++i) {
      std::unique_lock lock(mutex);
      condition.wait(lock, [&] { return allowed >= i; });
      peer.send("9\r\ndata: " + std::to_string(i) + "\n\n\r\n");
    }
    peer.send("0\r\n\r\n");
  });
  RawConnection client(server_->port());
  client.send(chat(R"({"model":"ocr","stream":true})"));
  client.read_until("\r\n\r\n");
  for (int i = 1; i <= 3; ++i) {
    {
      const std::lock_guard lock(mutex);
      allowed = i;
    }
    condition.notify_all();
    client.read_until("9\r\ndata: " + std::to_string(i) + "\n\n\r\n");
  }
  client.read_until("0\r\n\r\n");
}

TEST_F(RelayTest, AModelThatComesLastInALargeBodyIsFound) {
  std::size_t got = 0;
  serve([&](FakeComponent::Peer& peer, int) {
    got = peer.read_until("\"model\":\"ocr\"}").size();
    peer.send(answer_with("{}"));
  });
  const std::string body = "{\"input\":\"" + std::string(20'000'000, 'x') + "\",\"model\":\"ocr\"}";
  RawConnection client(server_->port());
  client.send(chat(body, "", "/v1/embeddings"));
  client.read_until("\r\n\r\n{}");
  EXPECT_GT(got, body.size());
}

TEST_F(RelayTest, AClientThatWaitsToBeToldSendsItsBody) {
  serve(answer_ok);
  RawConnection client(server_->port());
  client.send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 15\r\n"
      "Expect: 100-continue\r\n\r\n");
  client.read_until("HTTP/1.1 100 Continue\r\n\r\n");
  client.send(R"({"model":"ocr"})");
  client.read_until(R"({"ok":true})");
}

TEST_F(RelayTest, AFormIsPassedOnWithItsFile) {
  std::string seen;
  serve([&](FakeComponent::Peer& peer, int) {
    seen = peer.read_until("--xyz--");
    peer.send(answer_with("{}"));
  });
  const std::string form =
      "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF\r\n"
      "--xyz\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nocr\r\n--xyz--";
  const HttpReply reply = send({.method = "POST",
                                .path = "/v1/audio/transcriptions",
                                .headers = {{"Content-Type", "multipart/form-data; boundary=xyz"}},
                                .body = form});
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_TRUE(seen.ends_with(form));
  EXPECT_EQ(service_.signals(), std::vector<std::string>{"audio_arrived"});
}

TEST_F(RelayTest, AnyPathOfAComponentIsReachedByItsName) {
  std::string seen;
  serve([&](FakeComponent::Peer& peer, int) {
    seen = peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 204 No Content\r\n\r\n");
  });
  EXPECT_EQ(send({.method = "PATCH", .path = "/upstream/reader/a/b%2Fc?d=e"}).status, 204);
  EXPECT_TRUE(seen.starts_with("PATCH /a/b%2Fc?d=e HTTP/1.1\r\n")) << seen;
}

TEST_F(RelayTest, APathWithoutARestIsTheRoot) {
  std::string seen;
  serve([&](FakeComponent::Peer& peer, int) {
    seen = peer.read_until("\r\n\r\n");
    peer.send(answer_with("{}"));
  });
  EXPECT_EQ(send({.path = "/upstream/ocr?x=1"}).status, 200);
  EXPECT_TRUE(seen.starts_with("GET /?x=1 HTTP/1.1\r\n")) << seen;
}

TEST_F(RelayTest, AnUpgradeBecomesATunnel) {
  std::string seen;
  serve([&](FakeComponent::Peer& peer, int) {
    seen = peer.read_until("\r\n\r\n");
    peer.clear();
    peer.send(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\n\r\nhello");
    peer.read_until("ping");
    peer.send("pong");
    peer.read_to_end();
  });
  RawConnection client(server_->port());
  client.send(
      "GET /v1/realtime?model=ocr HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
      "Upgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n");
  client.read_until("hello");
  client.send("ping");
  client.read_until("pong");
  EXPECT_NE(seen.find("Upgrade: websocket\r\n"), std::string::npos);
  EXPECT_NE(seen.find("Connection: Upgrade\r\n"), std::string::npos);
  client.close();
  await([this] { return service_.released == 1; });
}

TEST_F(RelayTest, AClientThatHangsUpEndsTheExchange) {
  std::atomic<bool> is_ended = false;
  serve([&](FakeComponent::Peer& peer, int) {
    peer.read_until("}");
    is_ended = peer.read_to_end();
  });
  RawConnection client(server_->port());
  client.send(chat(R"({"model":"ocr"})"));
  await([this] { return service_.lease_count() == 1; });
  client.close();
  await([&] { return is_ended.load(); });
  await([this] { return service_.released == 1; });
}

TEST_F(RelayTest, AClientThatHangsUpWhileItWaitsIsTakenOutOfTheQueue) {
  service_.holds = true;
  serve(answer_ok);
  RawConnection client(server_->port());
  client.send(chat(R"({"model":"ocr"})"));
  await([this] { return service_.held_count() == 1; });
  client.close();
  await([this] { return service_.abandoned().size() == 1; });
  EXPECT_EQ(service_.released, 0);
}

TEST_F(RelayTest, OnlySoManyAreInAtATimeAndTheOthersGoInInOrder) {
  std::atomic<int> inside = 0;
  std::atomic<int> inside_max = 0;
  serve([&](FakeComponent::Peer& peer, int) {
    while (!peer.read_until("}").empty()) {
      peer.clear();
      inside_max = std::max(inside_max.load(), ++inside);
      ::poll(nullptr, 0, 2);
      --inside;
      peer.send(answer_with("{}"));
    }
  });
  names().limit(FakeService::ocr, 2);
  std::vector<std::jthread> clients;
  std::atomic<int> served = 0;
  for (int i = 0; i < 10; ++i) {
    clients.emplace_back([this, &served] {
      const HttpReply reply = post("/v1/chat/completions", R"({"model":"ocr"})");
      if (reply.status == 200) ++served;
    });
  }
  clients.clear();
  EXPECT_EQ(served, 10);
  EXPECT_LE(inside_max, 2);
}

TEST_F(RelayTest, AComponentThatIsToBeWarmedOnlyIsNotSpokenTo) {
  serve(answer_ok);
  const HttpReply reply =
      send({.method = "POST",
            .path = "/v1/chat/completions",
            .headers = {{"Content-Type", "application/json"}, {"X-Hearth-Preload", "only"}},
            .body = R"({"model":"ocr"})"});
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(reply.body, R"({"component":"ocr","preload":true})");
  EXPECT_EQ(service_.lease_count(), 0);
}

TEST_F(RelayTest, AutoIsWhatTheLastThingSaidAsksFor) {
  serve([&](FakeComponent::Peer& peer, int) {
    peer.read_until("auto");
    peer.send(answer_with("{}"));
  });
  const HttpReply reply =
      post("/v1/chat/completions",
           R"({"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"?"},
          {"role":"user","content":[{"type":"text","text":"read my screen"}]}],"model":"auto"})");
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.header("x-hearth-component"), "ocr");
  EXPECT_EQ(service_.last_command().text, "read my screen");
  EXPECT_EQ(service_.lease_count(), 0) << "what auto chose is no use";
  EXPECT_TRUE(service_.last_command().ends_with_answer);
  EXPECT_EQ(post("/v1/chat/completions", R"({"model":"auto","prompt":"hello"})").status, 404);
  EXPECT_EQ(post("/v1/chat/completions", R"({"model":"auto"})").status, 400);
}

// What is wrong with a request is told in the shape of the API that it is for.
TEST_F(RelayTest, AModelThatIsNotThereIsToldWithNearOnes) {
  start();
  const HttpReply openai = post("/v1/chat/completions", R"({"model":"ocrr"})");
  EXPECT_EQ(openai.status, 404);
  EXPECT_EQ(error_of(openai).at("code"), "model_not_found");
  EXPECT_EQ(error_of(openai).at("near").at(0), "ocr");
  const HttpReply anthropic = post("/v1/messages", R"({"model":"ocrr"})");
  EXPECT_EQ(anthropic.status, 404);
  EXPECT_EQ(error_of(anthropic).at("type"), "not_found_error");
  const HttpReply ollama = post("/api/chat", R"({"model":"ocrr"})");
  EXPECT_EQ(ollama.status, 404);
  EXPECT_EQ(error_of(ollama), "no component `ocrr`; did you mean `ocr`?");
  const HttpReply upstream = get("/upstream/ocrr/x");
  EXPECT_EQ(upstream.status, 404);
  EXPECT_EQ(upstream.header("content-type"), "application/problem+json");
}

TEST_F(RelayTest, AModelThatIsNoTextIsRefused) {
  start();
  for (const char* body : {R"({"model":12})", R"({"model":null})", R"({"model":["ocr"]})", "{}", "",
                           "[]", "model=ocr"}) {
    const HttpReply reply = post("/v1/chat/completions", body);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_FALSE(error_of(reply).at("message").get<std::string>().empty()) << body;
  }
}

TEST_F(RelayTest, ABodyThatDoesNotNameItsModelInTimeIsTooLarge) {
  start({.gateway = {.kept_max = Bytes{100'000}}});
  RawConnection client(server_->port());
  const std::string body = "{\"x\":\"" + std::string(300'000, 'x') + "\",\"model\":\"ocr\"}";
  client.send(chat(body));
  EXPECT_TRUE(client.read_to_end().starts_with("HTTP/1.1 413 ")) << client.read_to_end();
}

TEST_F(RelayTest, ABodyThatStopsComingBeforeItNamesItsModelIsGivenUp) {
  start({.request_time_limit = 40ms});
  RawConnection client(server_->port());
  client.send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{");
  EXPECT_TRUE(client.read_to_end().starts_with("HTTP/1.1 408 "));
}

TEST_F(RelayTest, WhatAutoChoosesCanBeWarmedOnly) {
  start();
  const HttpReply reply = send({.method = "POST",
                                .path = "/v1/chat/completions",
                                .headers = {{"X-Hearth-Preload", "only"}},
                                .body = R"({"model":"auto","prompt":"read my screen"})"});
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(reply.body, R"({"component":"ocr","preload":true})");
  EXPECT_FALSE(service_.last_command().waits);
}

TEST_F(RelayTest, WhatCouldSmuggleARequestIsRefused) {
  start();
  for (const char* headers :
       {"Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Content-Length: +5\r\n",
        "Content-Length : 5\r\n"}) {
    RawConnection client(server_->port());
    client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n" + std::string(headers) +
                "\r\nhello");
    EXPECT_TRUE(client.read_to_end().starts_with("HTTP/1.1 400 ")) << headers;
  }
}

TEST_F(RelayTest, ARefusalOfTheDaemonIsToldWithWhenToComeAgain) {
  action::Reply refusal;
  refusal.code = Errc::exhausted;
  refusal.reason = Reason::queue_full;
  service_.refusal = refusal;
  service_.refusal_detail = "the queue is full";
  start();
  const HttpReply reply = post("/v1/chat/completions", R"({"model":"ocr"})");
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(error_of(reply).at("message"), "the queue is full");
  EXPECT_FALSE(reply.header("retry-after").empty());
}

TEST_F(RelayTest, AComponentThatDoesNotListenIsABadGateway) {
  service_.endpoint = "http://127.0.0.1:1";
  start();
  const HttpReply reply = post("/v1/chat/completions", R"({"model":"ocr"})");
  EXPECT_EQ(reply.status, 502);
  EXPECT_NE(error_of(reply).at("message").get<std::string>().find("ocr"), std::string::npos);
  await([this] { return service_.released == 1; });
}

TEST_F(RelayTest, AComponentThatSaysWhatIsNotHttpIsABadGateway) {
  for (const char* garbage :
       {"hello\r\n\r\n", "", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nx",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"}) {
    component_.reset();
    server_.reset();
    serve([&](FakeComponent::Peer& peer, int) {
      peer.read_until("}");
      peer.send(garbage);
    });
    const HttpReply reply = post("/v1/chat/completions", R"({"model":"ocr"})");
    EXPECT_EQ(reply.status, 502) << garbage;
    EXPECT_NE(error_of(reply).at("message").get<std::string>().find("hearth logs ocr"),
              std::string::npos);
  }
}

TEST_F(RelayTest, AComponentThatNeverAnswersTimesOut) {
  serve([&](FakeComponent::Peer& peer, int) { peer.read_to_end(); },
        {.gateway = {.answer_time_max = 50ms}, .request_time_limit = 40ms});
  const HttpReply reply = post("/v1/chat/completions", R"({"model":"ocr"})");
  EXPECT_EQ(reply.status, 504);
  EXPECT_EQ(error_of(reply).at("type"), "server_error");
}

TEST_F(RelayTest, AComponentThatDiesInTheMiddleOfAStreamIsToldInTheStream) {
  serve([&](FakeComponent::Peer& peer, int) {
    peer.read_until("}");
    peer.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n");
  });
  RawConnection client(server_->port());
  client.send(chat(R"({"model":"ocr","stream":true})"));
  const std::string got = client.read_to_end();
  EXPECT_NE(got.find("data: {\"error\":{\"message\":\"ocr: it ended in the middle"),
            std::string::npos)
      << got;
  EXPECT_TRUE(got.ends_with("\r\n0\r\n\r\n"));
}

TEST_F(RelayTest, AComponentThatDiesInTheMiddleOfAnythingElseBreaksTheAnswerOff) {
  serve([&](FakeComponent::Peer& peer, int) {
    peer.read_until("}");
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  });
  RawConnection client(server_->port());
  client.send(chat(R"({"model":"ocr"})"));
  EXPECT_TRUE(client.read_to_end().ends_with("half"));
}

TEST_F(RelayTest, AStreamThatWaitsForItsLoadIsKeptAliveWhenAsked) {
  service_.holds = true;
  serve(
      [&](FakeComponent::Peer& peer, int) {
        peer.read_until("}");
        peer.send(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            "Content-Length: 9\r\n\r\ndata: 1\n\n");
      },
      {.request_time_limit = 40ms});
  RawConnection client(server_->port());
  client.send(chat(R"({"model":"ocr","stream":true})", "X-Hearth-Keep-Alive-Ms: 20\r\n"));
  client.read_until(": loading ocr\n\n");
  service_.answer_held();
  const std::string got = client.read_until("0\r\n\r\n");
  EXPECT_NE(got.find("9\r\ndata: 1\n\n\r\n0\r\n\r\n"), std::string::npos) << got;
  EXPECT_EQ(got.find("HTTP/1.1", 5), std::string::npos) << "one head only";
}

TEST_F(RelayTest, AnErrorOfTheComponentBecomesAnEventOfAStreamThatHasBegun) {
  service_.holds = true;
  serve(
      [&](FakeComponent::Peer& peer, int) {
        peer.read_until("}");
        peer.send("HTTP/1.1 500 Oh\r\nContent-Length: 21\r\n\r\n{\"error\":\n{\"a\":\"b\"}}\n");
      },
      {.request_time_limit = 40ms});
  RawConnection client(server_->port());
  client.send(chat(R"({"model":"ocr","stream":true})", "X-Hearth-Keep-Alive-Ms: 20\r\n"));
  client.read_until(": loading ocr\n\n");
  service_.answer_held();
  const std::string got = client.read_until("0\r\n\r\n");
  EXPECT_NE(got.find("data: {\"error\": {\"a\":\"b\"}} \n\n"), std::string::npos) << got;
}

TEST_F(RelayTest, AClientThatDoesNotReadSlowsItsComponentDown) {
  std::atomic<std::size_t> sent = 0;
  serve([&](FakeComponent::Peer& peer, int) {
    peer.read_until("}");
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n");
    const std::string piece(100'000, 'x');
    for (int i = 0; i < 2000; ++i) {
      peer.send(piece);
      sent += piece.size();
    }
  });
  RawConnection client(server_->port());
  client.send(chat(R"({"model":"ocr"})", "Connection: close\r\n"));
  client.read_until("\r\n\r\n");
  std::size_t before = 1;
  while (sent != before) {
    before = sent;
    ::poll(nullptr, 0, 100);
  }
  EXPECT_LT(sent, 50'000'000U);
  EXPECT_GT(client.read_to_end().size(), 200'000'000U);
}

TEST_F(RelayTest, EachRequestIsCountedOnceByHowItEnded) {
  std::atomic<bool> is_held = false;
  serve([&](FakeComponent::Peer& peer, int number) {
    if (number == 0) return answer_ok(peer, number);
    peer.read_until("}");
    if (number == 1) return peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    is_held = true;
    (void)peer.read_to_end();
  });
  const auto count = [this](const std::string& outcome) {
    const std::string all = get("/metrics").body;
    const std::string name = "\nhearth_gateway_requests_" + outcome + " ";
    return std::stoi(all.substr(all.find(name) + name.size()));
  };
  const auto ended = [&](const std::string& outcome) {
    return count("total{outcome=\"" + outcome + "\"}");
  };
  EXPECT_EQ(post("/v1/chat/completions", R"({"model":"ocr"})").status, 200);
  EXPECT_EQ(post("/v1/chat/completions", R"({"model":"orc"})").status, 404);
  EXPECT_EQ(post("/v1/chat/completions", R"({"model":7})").status, 400);
  RawConnection broken(server_->port());
  broken.send(chat(R"({"model":"ocr"})"));
  (void)broken.read_to_end();
  RawConnection leaving(server_->port());
  leaving.send(chat(R"({"model":"ocr"})"));
  await([&] { return is_held.load(); });
  EXPECT_EQ(count("in_flight"), 1);
  leaving.close();
  await([&] { return ended("abandoned") == 1; });
  EXPECT_EQ(ended("answered"), 1);
  EXPECT_EQ(ended("unknown"), 1);
  EXPECT_EQ(ended("malformed"), 1);
  EXPECT_EQ(ended("broken_off"), 1);
  EXPECT_EQ(ended("failed"), 0);
  EXPECT_EQ(count("in_flight"), 0);
}

TEST_F(RelayTest, ItsOwnKeyIsNotPassedOn) {
  std::string seen;
  serve(
      [&](FakeComponent::Peer& peer, int) {
        seen = peer.read_until("}");
        peer.send(answer_with("{}"));
      },
      {.api_key = "secret"});
  const auto with = [&](std::string name, std::string value) {
    return send({.method = "POST",
                 .path = "/v1/messages",
                 .headers = {{"Content-Type", "application/json"}, {name, value}},
                 .body = R"({"model":"ocr"})"});
  };
  EXPECT_EQ(with("X-Other", "1").status, 401);
  EXPECT_EQ(error_of(with("X-Api-Key", "wrong")).at("type"), "authentication_error");
  EXPECT_EQ(with("X-Api-Key", "secret").status, 200);
  EXPECT_EQ(seen.find("secret"), std::string::npos) << seen;
  EXPECT_EQ(with("Authorization", "Bearer secret").status, 200);
  EXPECT_EQ(seen.find("secret"), std::string::npos) << seen;
}

TEST_F(RelayTest, ModelsAreListedWithTheirAliases) {
  const HttpReply reply = get("/v1/models");
  EXPECT_EQ(reply.status, 200);
  std::vector<std::string> ids;
  const Json listed = Json::parse(reply.body);
  for (const Json& model : listed.at("data")) ids.push_back(model.at("id"));
  EXPECT_EQ(ids, (std::vector<std::string>{"asr", "ocr", "reader", "tess", "translate"}));
  EXPECT_EQ(Json::parse(get("/v1/models/reader").body).at("id"), "reader");
  EXPECT_EQ(get("/v1/models/nobody").status, 404);
}

}  // namespace
}  // namespace hearth
