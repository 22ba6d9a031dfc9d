#include <sys/stat.h>

#include <fstream>

#include "api/api_testing.h"

namespace hearth {
namespace {

class ServerTest : public ApiTest {
 protected:
  std::string exchange(std::string_view text) {
    if (!server_) start();
    RawConnection connection(server_->port());
    connection.send(text);
    return connection.read_to_end();
  }
  static int status_of(std::string_view reply) {
    return reply.size() > 12 ? std::atoi(std::string(reply.substr(9, 3)).c_str()) : 0;
  }
};

constexpr std::string_view close_header = "Connection: close\r\n\r\n";

std::string request(std::string_view line, std::string_view headers) {
  std::string text(line);
  text += " HTTP/1.1\r\n";
  text += headers;
  text += close_header;
  return text;
}

TEST_F(ServerTest, AForeignHostIsMisdirected) {
  EXPECT_EQ(status_of(exchange(request("GET /healthz", "Host: evil.example\r\n"))), 421);
  EXPECT_EQ(status_of(exchange(request("GET /healthz", "Host: localhost.evil.example\r\n"))), 421);
  EXPECT_EQ(status_of(exchange(request("GET /healthz", "Host: 127.evil.example\r\n"))), 421);
  EXPECT_EQ(status_of(exchange(request("GET /healthz", ""))), 400);
  EXPECT_EQ(status_of(exchange(request("GET /healthz", "Host: a\r\nHost: localhost\r\n"))), 400);
  for (const char* host :
       {"localhost", "LOCALHOST:7411", "127.0.0.1:1", "[::1]:7411", "127.1.2.3"}) {
    const std::string headers = std::string("Host: ") + host + "\r\n";
    EXPECT_EQ(status_of(exchange(request("GET /healthz", headers))), 200) << host;
  }
}

TEST_F(ServerTest, AConfiguredHostIsAccepted) {
  start({.hosts = {"hearth.lan"}});
  EXPECT_EQ(status_of(exchange(request("GET /healthz", "Host: hearth.lan:7411\r\n"))), 200);
  EXPECT_EQ(status_of(exchange(
                request("GET /healthz", "Host: localhost\r\nOrigin: http://hearth.lan\r\n"))),
            200);
}

TEST_F(ServerTest, AForeignOriginIsRefused) {
  const auto with = [&](std::string_view origin) {
    return status_of(exchange(
        request("GET /healthz", "Host: localhost\r\nOrigin: " + std::string(origin) + "\r\n")));
  };
  EXPECT_EQ(with("https://evil.example"), 403);
  EXPECT_EQ(with("null"), 403);
  EXPECT_EQ(with("http://localhost:7411"), 200);
}

TEST_F(ServerTest, AWriteMustBeJson) {
  for (const char* type :
       {"", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: application/jsonp\r\n"}) {
    const std::string headers = std::string("Host: localhost\r\nContent-Length: 0\r\n") + type;
    EXPECT_EQ(status_of(exchange(request("POST /v1/reload", headers))), 415) << type;
  }
  EXPECT_EQ(status_of(exchange(request("POST /v1/reload",
                                       "Host: localhost\r\nContent-Length: 0\r\nContent-Type: "
                                       "Application/JSON; charset=utf-8\r\n"))),
            200);
}

TEST_F(ServerTest, TheKeyIsNeededWhenThereIsOne) {
  start({.api_key = "secret"});
  const auto with = [&](const char* path, std::string headers) {
    return status_of(exchange(request(path, "Host: localhost\r\n" + headers)));
  };
  EXPECT_EQ(with("GET /v1/status", ""), 401);
  EXPECT_EQ(with("GET /v1/status", "Authorization: Bearer secre\r\n"), 401);
  EXPECT_EQ(with("GET /v1/status", "Authorization: Bearer secrets\r\n"), 401);
  EXPECT_EQ(with("GET /v1/status", "Authorization: Bearer secretsecret\r\n"), 401);
  EXPECT_EQ(with("GET /v1/status", "Authorization: Basic secret\r\n"), 401);
  EXPECT_EQ(with("GET /v1/status", "Authorization: bearer secret\r\n"), 200);
  EXPECT_EQ(with("GET /nowhere", ""), 401);
  EXPECT_EQ(with("GET /healthz", ""), 200);
  EXPECT_EQ(with("GET /readyz", ""), 200);
}

TEST_F(ServerTest, AReloadChangesTheKeyAndTheHostsAndTellsWhatWaits) {
  std::vector<std::string> waiting{"listen.http"};
  start({.api_key = "old", .on_reloaded = [&] {
           EXPECT_TRUE(server_->change_access({"desk.local"}, "new"));
           return waiting;
         }});
  const auto reload = [&](std::string_view key) {
    return exchange(request("POST /v1/reload",
                            "Host: desk.local\r\nContent-Type: application/json\r\n"
                            "Content-Length: 0\r\nAuthorization: Bearer " +
                                std::string(key) + "\r\n"));
  };
  EXPECT_EQ(status_of(reload("old")), 421);
  const std::string first =
      exchange(request("POST /v1/reload",
                       "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 0\r\n"
                       "Authorization: Bearer old\r\n"));
  EXPECT_NE(first.find(R"({"reloaded":true,"needs_restart":["listen.http"]})"), std::string::npos)
      << first;
  EXPECT_EQ(status_of(reload("old")), 401);
  EXPECT_EQ(status_of(reload("new")), 200);
}

TEST_F(ServerTest, AForeignAddressKeepsItsKeyWhenTheNewConfigurationHasNone) {
  Server open{service_, {.listen_http = "0.0.0.0:0", .api_key = "old"}};
  ASSERT_TRUE(open.start());
  EXPECT_FALSE(open.change_access({}, ""));
  RawConnection connection{open.port()};
  connection.send(request("GET /v1/status", "Host: localhost\r\n"));
  EXPECT_EQ(status_of(connection.read_to_end()), 401);
}

TEST_F(ServerTest, TheUnixSocketIsGuardedByItsMode) {
  start({.api_key = "secret"});
  struct stat status{};
  ASSERT_EQ(::stat((folder_ / "hearth.sock").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  HttpClient client(parse_http_address("unix:" + (folder_ / "hearth.sock")).value());
  const auto reply = client.send({.path = "/v1/status", .timeout = 60s});
  ASSERT_TRUE(reply) << reply.error().detail;
  EXPECT_EQ(reply->status, 200);
}

TEST_F(ServerTest, AnotherMethodIsToldWhichThereAre) {
  const HttpReply reply = send({.method = "PATCH", .path = "/v1/leases"});
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.header("allow"), "POST, GET, HEAD");
  EXPECT_EQ(send({.method = "OPTIONS", .path = "/v1/commands"}).header("allow"), "POST");
  EXPECT_EQ(send({.path = "/v1/commands"}).status, 405);
}

TEST_F(ServerTest, AnUnknownPathIsNotFoundWithNearOnes) {
  const HttpReply reply = get("/v1/comands");
  EXPECT_EQ(reply.status, 404);
  EXPECT_NE(reply.body.find(R"("near":["/v1/commands")"), std::string::npos) << reply.body;
  EXPECT_EQ(get("/v1/components/%zz").status, 400);
  EXPECT_EQ(get("/v1/components/").status, 404);
}

TEST_F(ServerTest, HeadHasTheHeaderOfGetAndNoBody) {
  const std::string reply = exchange(request("HEAD /healthz", "Host: localhost\r\n"));
  EXPECT_EQ(status_of(reply), 200);
  EXPECT_NE(reply.find("Content-Length: 15\r\n"), std::string::npos) << reply;
  EXPECT_TRUE(reply.ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, ABodyAboveAMebibyteIsTooLargeAndTheServerGoesOn) {
  std::string text =
      "POST /v1/commands HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 104857600\r\n\r\n";
  text += std::string(8 * 1024 * 1024, 'x');
  const std::string reply = exchange(text);
  EXPECT_EQ(status_of(reply), 413) << reply;
  EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(ServerTest, AnEndlessChunkedBodyIsTooLarge) {
  std::string text =
      "POST /v1/commands HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 32; ++i) text += "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  EXPECT_EQ(status_of(exchange(text)), 413);
}

TEST_F(ServerTest, AHeaderAbove16KiBIsTooLarge) {
  EXPECT_EQ(status_of(exchange(request(
                "GET /healthz", "Host: localhost\r\nX: " + std::string(20'000, 'x') + "\r\n"))),
            431);
  EXPECT_EQ(status_of(exchange("GET /" + std::string(40'000, 'x'))), 431);
}

TEST_F(ServerTest, WhatIsNotHttpIsABadRequest) {
  EXPECT_EQ(status_of(exchange("\x16\x03\x01\x02\r\n\r\n")), 400);
  EXPECT_EQ(status_of(exchange("GET /healthz HTTP/9.9\r\n\r\n")), 400);
  EXPECT_EQ(status_of(exchange(request("GET healthz", "Host: localhost\r\n"))), 404);
}

TEST_F(ServerTest, ALargeBodyIsAskedForBeforeItIsSent) {
  start();
  RawConnection connection(server_->port());
  connection.send(
      "POST /v1/commands HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Expect: 100-continue\r\nContent-Length: 13\r\n\r\n");
  EXPECT_EQ(connection.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  connection.send(R"({"text":"hi"})");
  EXPECT_NE(connection.read_until("\"c1\"").find("HTTP/1.1 200 OK"), std::string::npos);
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  std::string text;
  for (int i = 0; i < 200; ++i) {
    text +=
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n";
  }
  text += request("GET /readyz", "Host: localhost\r\n");
  const std::string reply = exchange(text);
  std::size_t at = 0;
  for (int i = 0; i < 200; ++i) {
    ASSERT_NE(at = reply.find("HTTP/1.1 ", at), std::string::npos);
    ASSERT_EQ(reply.substr(at + 9, 3), "200");
    ASSERT_NE(at = reply.find("HTTP/1.1 ", at + 1), std::string::npos);
    ASSERT_EQ(reply.substr(at + 9, 3), "404");
    ++at;
  }
  EXPECT_TRUE(reply.ends_with(R"({"status":"ready"})"));
}

TEST_F(ServerTest, ARequestInPiecesIsOneRequest) {
  start();
  RawConnection connection(server_->port());
  const std::string text = request("GET /healthz", "Host: localhost\r\n");
  for (const char c : text) connection.send({&c, 1});
  EXPECT_EQ(status_of(connection.read_to_end()), 200);
}

TEST_F(ServerTest, AnAnswerFromAnotherThreadIsSentToo) {
  start();
  service_.holds = true;
  RawConnection connection(server_->port());
  const std::string body = R"({"text":"screen"})";
  const std::string text =
      "POST /v1/commands HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  connection.send(text + text);  // the second waits its turn
  await([&] { return service_.held_count() == 1; });
  service_.answer_held();
  EXPECT_NE(connection.read_until("\"c1\"").find("HTTP/1.1 200 OK"), std::string::npos);
  await([&] { return service_.held_count() == 1; });
  service_.answer_held();
  EXPECT_NE(connection.read_until("\"c2\"").find("\"c2\""), std::string::npos);
  EXPECT_TRUE(service_.abandoned().empty());
}

TEST_F(ServerTest, AClientThatHangsUpTakesItsRequestAlong) {
  start();
  service_.holds = true;
  RawConnection connection(server_->port());
  connection.send(
      "POST /v1/commands HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 13\r\n\r\n{\"text\":\"hi\"}");
  await([&] { return service_.held_count() == 1; });
  connection.close();
  await([&] { return service_.abandoned().size() == 1; });
  EXPECT_EQ(service_.abandoned().front(), RequestId{1});
  EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(ServerTest, AnAnsweredRequestIsNotAbandonedLater) {
  start();
  RawConnection connection(server_->port());
  connection.send(
      "POST /v1/commands HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 13\r\n\r\n{\"text\":\"hi\"}");
  (void)connection.read_until("\"c1\"");
  connection.close();
  server_->stop();
  EXPECT_TRUE(service_.abandoned().empty());
}

TEST_F(ServerTest, OneConnectionTooManyIsToldSo) {
  start({.connections_limit = 1});
  RawConnection first(server_->port());
  first.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  (void)first.read_until("ok");
  const std::string reply = exchange(request("GET /healthz", "Host: localhost\r\n"));
  EXPECT_EQ(status_of(reply), 429) << reply;
  EXPECT_NE(reply.find("Retry-After: 1\r\n"), std::string::npos);
  first.clear();
  first.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(status_of(first.read_until("ok")), 200);
}

TEST_F(ServerTest, ARequestThatNeverBecomesWholeIsEnded) {
  start({.request_time_limit = 50ms});
  EXPECT_EQ(status_of(exchange("GET /healthz HTTP/1.1\r\nHost: loc")), 408);
}

TEST_F(ServerTest, AnIdleConnectionIsClosed) {
  start({.idle_time_limit = 50ms});
  RawConnection connection(server_->port());
  EXPECT_EQ(connection.read_to_end(), "");
}

TEST_F(ServerTest, ATakenPortIsNamedWithTheMend) {
  start();
  const std::string address = server_->address().substr(7);
  Server second(service_, {.listen_http = address});
  const Result<> started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::io);
  EXPECT_NE(started.error().detail.find(address), std::string::npos);
  EXPECT_NE(started.error().detail.find("listen.http"), std::string::npos);
}

TEST_F(ServerTest, ASocketInUseIsLeftAlone) {
  start();
  Server second(service_, {.listen_http = "", .listen_socket = folder_ / "hearth.sock"});
  const Result<> started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::conflict);
  EXPECT_TRUE(try_connect(parse_http_address("unix:" + (folder_ / "hearth.sock")).value(), 60s));
}

TEST_F(ServerTest, ASocketLeftOverIsReplacedAndRemovedInTheEnd) {
  const std::string path = folder_ / "left.sock";
  {
    Server first(service_, {.listen_http = "", .listen_socket = path});
    ASSERT_TRUE(first.start());
    std::filesystem::rename(path, path + ".kept");
  }
  std::filesystem::rename(path + ".kept", path);
  Server second(service_, {.listen_http = "", .listen_socket = path});
  const Result<> started = second.start();
  ASSERT_TRUE(started) << started.error().detail;
  second.stop();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ServerTest, AFileInPlaceOfTheSocketIsNotTouched) {
  const std::string path = folder_ / "file";
  std::ofstream(path) << "precious";
  Server server(service_, {.listen_http = "", .listen_socket = path});
  EXPECT_FALSE(server.start());
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(ServerTest, AForeignAddressNeedsAKey) {
  Server server(service_, {.listen_http = "0.0.0.0:0"});
  const Result<> started = server.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::invalid);
  EXPECT_NE(started.error().detail.find("api_key"), std::string::npos);
  EXPECT_FALSE(Server(service_, {.listen_http = "nonsense"}).start());
  EXPECT_FALSE(Server(service_, {.listen_http = "127.0.0.1:99999"}).start());
}

TEST_F(ServerTest, AnAnswerAfterTheEndIsDropped) {
  start();
  service_.holds = true;
  RawConnection connection(server_->port());
  connection.send(
      "POST /v1/unload HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 12\r\n\r\n{\"all\":true}");
  await([&] { return service_.held_count() == 1; });
  server_->stop();
  EXPECT_EQ(service_.abandoned().size(), 1U);
  server_.reset();
  service_.answer_held();
}

TEST_F(ServerTest, EventsArriveAsTheyAreMade) {
  start();
  RawConnection connection(server_->port());
  connection.send("GET /v1/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 41\r\n\r\n");
  (void)connection.read_until(": hello\n\n");
  await([&] { return service_.subscribed_after().has_value(); });
  EXPECT_EQ(service_.subscribed_after(), 41U);
  ASSERT_TRUE(service_.publish(43));
  const std::string text = connection.read_until("}\n\n");
  EXPECT_NE(text.find("Content-Type: text/event-stream\r\n"), std::string::npos);
  EXPECT_NE(text.find("id: 43\nevent: decision\ndata: {\"sequence\":43,"
                      "\"at\":\"1970-01-01T00:00:43.000Z\",\"kind\":\"unload_done\""),
            std::string::npos)
      << text;
  connection.close();
  await([&] { return !service_.publish(44); });
}

TEST_F(ServerTest, AnIdComesWithTheLastEventOfItsSequenceOnly) {
  start();
  RawConnection connection(server_->port());
  connection.send("GET /v1/events?after=41 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  (void)connection.read_until(": hello\n\n");
  await([&] { return service_.subscribed_after().has_value(); });
  ASSERT_TRUE(service_.publish(43, false, false));
  ASSERT_TRUE(service_.publish(43));
  const std::string text = connection.read_until("\nid: 43\n");
  EXPECT_LT(text.find("event: decision\ndata: {"), text.find("\nid: "));
}

TEST_F(ServerTest, ABoundServerLetsClientsWaitUntilItStarts) {
  server_.emplace(service_, ServerOptions{.listen_http = "127.0.0.1:0"});
  ASSERT_TRUE(server_->bind());
  RawConnection connection(server_->port());
  connection.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(server_->start());
  EXPECT_NE(connection.read_until("\r\n").find("200"), std::string::npos);
}

TEST_F(ServerTest, WithoutAPlaceToBeginTheStreamBeginsNow) {
  start();
  RawConnection connection(server_->port());
  connection.send("GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  (void)connection.read_until(": hello\n\n");
  await([&] { return service_.subscribed_after().has_value(); });
  EXPECT_EQ(service_.subscribed_after(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(get("/v1/events?after=x").status, 400);
}

TEST_F(ServerTest, ALossIsToldOnce) {
  start();
  RawConnection connection(server_->port());
  connection.send("GET /v1/events?after=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  (void)connection.read_until(": hello\n\n");
  await([&] { return service_.subscribed_after().has_value(); });
  ASSERT_TRUE(service_.publish(9, true));
  const std::string text = connection.read_until("}\n\nid: 9");
  EXPECT_NE(text.find("event: lost\ndata: {"), std::string::npos) << text;
}

TEST_F(ServerTest, AReaderThatDoesNotReadLosesEventsAndIsTold) {
  start({.stream_bytes_limit = 64 * 1024});
  RawConnection connection(server_->port());
  connection.send("GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  (void)connection.read_until(": hello\n\n");
  await([&] { return service_.subscribed_after().has_value(); });
  // More than the buffers of two sockets can take.
  for (std::uint64_t i = 1; i <= 100'000; ++i) ASSERT_TRUE(service_.publish(i));
  EXPECT_NE(connection.read_until("event: lost\n").find("event: lost\n"), std::string::npos);
}

TEST_F(ServerTest, ASilentStreamIsKeptAlive) {
  start({.keep_alive_interval = 20ms});
  RawConnection connection(server_->port());
  connection.send("GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_NE(connection.read_until(": still here\n\n").find(": still here"), std::string::npos);
}

}  // namespace
}  // namespace hearth
