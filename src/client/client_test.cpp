#include "client/client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace hearth {
namespace {

// One answer to one connection.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd_, 1), 0);
    socklen_t size = sizeof address;
    (void)::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this, answer = std::move(answer)] {
      const int client = ::accept(fd_, nullptr, nullptr);
      if (client < 0) return;
      std::string text(65536, '\0');
      const ssize_t got = ::recv(client, text.data(), text.size(), 0);
      request_ = text.substr(0, got > 0 ? static_cast<std::size_t>(got) : 0);
      (void)::send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
      ::close(client);
    });
  }
  ~OneAnswer() {
    (void)::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  OneAnswer(const OneAnswer&) = delete;
  OneAnswer& operator=(const OneAnswer&) = delete;
  [[nodiscard]] const std::string& url() const { return url_; }
  // After the answer has been read.
  [[nodiscard]] const std::string& request() const { return request_; }

 private:
  int fd_;
  std::string url_;
  std::string request_;
  std::thread thread_;
};

class ClientTest : public testing::Test {
 protected:
  ClientTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hearth-XXXXXX").string();
    state_ = ::mkdtemp(pattern.data());
    (void)::unsetenv("HEARTH_URL");
    (void)::unsetenv("HEARTH_API_KEY");
  }
  ~ClientTest() override { std::filesystem::remove_all(state_); }
  std::string state_;
};

TEST_F(ClientTest, FindsTheDaemonByItsAddressFile) {
  OneAnswer daemon("HTTP/1.1 409 Conflict\r\nContent-Length: 16\r\n\r\n{\"detail\":\"why\"}");
  std::ofstream(state_ + "/address.json")
      << R"({"http":")" << daemon.url() << R"(","socket":"/nonexistent.sock","pid":1})";
  auto client = Client::find({.state_dir = state_, .api_key = "k"});
  ASSERT_TRUE(client) << client.error().detail;
  EXPECT_EQ(client->address(), daemon.url());
  const auto response = client->post("/v1/unload", R"({"all":true})");
  ASSERT_TRUE(response) << response.error().detail;
  EXPECT_EQ(response->status, 409);
  EXPECT_FALSE(response->is_ok());
  EXPECT_EQ(problem_text(*response), "why");
  EXPECT_NE(daemon.request().find("Content-Type: application/json\r\n"), std::string::npos);
  EXPECT_NE(daemon.request().find("Authorization: Bearer k\r\n"), std::string::npos);
}

TEST_F(ClientTest, TheUrlGoesBeforeTheAddressFile) {
  std::ofstream(state_ + "/address.json") << R"({"http":"http://127.0.0.1:1"})";
  auto client = Client::find({.url = "http://127.0.0.1:2", .state_dir = state_});
  ASSERT_TRUE(client);
  EXPECT_EQ(client->address(), "http://127.0.0.1:2");
  EXPECT_FALSE(Client::find({.url = "https://x"}));
}

TEST_F(ClientTest, NoDaemonIsToldWithTheMend) {
  auto client = Client::find({.state_dir = state_});
  ASSERT_TRUE(client);
  const auto response = client->get("/v1/status");
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::unavailable);
  EXPECT_NE(response.error().detail.find("hearth serve"), std::string::npos);
}

TEST_F(ClientTest, EventsAreTakenApart) {
  OneAnswer daemon(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\n"
      "id: 5\nevent: decision\ndata: {\"a\":1}\n\nevent: lost\ndata: {}\n\n"
      "id: 6\nevent: decision\ndata: {}\n\n");
  auto client = Client::find({.url = daemon.url()});
  ASSERT_TRUE(client);
  std::vector<StreamEvent> events;
  const Result<> ended = client->events(4, [&](const StreamEvent& event) {
    events.push_back(event);
    return true;
  });
  ASSERT_TRUE(ended) << ended.error().detail;
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].id, "5");
  EXPECT_EQ(events[0].name, "decision");
  EXPECT_EQ(events[0].data, R"({"a":1})");
  EXPECT_EQ(events[1].name, "lost");
  EXPECT_NE(daemon.request().find("Last-Event-ID: 4\r\n"), std::string::npos);
}

TEST_F(ClientTest, ARefusedStreamIsAnError) {
  OneAnswer daemon("HTTP/1.1 401 Unauthorized\r\nContent-Length: 16\r\n\r\n{\"detail\":\"key\"}");
  auto client = Client::find({.url = daemon.url()});
  ASSERT_TRUE(client);
  const Result<> ended = client->events({}, [](const StreamEvent&) { return true; });
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::denied);
  EXPECT_EQ(ended.error().detail, "key");
}

}  // namespace
}  // namespace hearth
