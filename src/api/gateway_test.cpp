#include "api/gateway.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "api/api_testing.h"
#include "codec/json.h"
#include "runtime/files.h"

namespace hearth {
namespace {

using GatewayTest = ApiTest;

// A component that listens at a Unix socket and takes nobody in: its queue is full.
class FullSocket {
 public:
  explicit FullSocket(const std::string& path) : listener_(make()) {
    address_.sun_family = AF_UNIX;
    path.copy(address_.sun_path, sizeof address_.sun_path - 1);
    EXPECT_EQ(::bind(listener_.get(), as_generic(), sizeof address_), 0);
    EXPECT_EQ(::listen(listener_.get(), 0), 0);
    constexpr int waiting_max = 64;
    while (waiting_.size() < waiting_max) {
      Descriptor one = make();
      if (::connect(one.get(), as_generic(), sizeof address_) != 0) break;
      waiting_.push_back(std::move(one));
    }
    EXPECT_EQ(errno, EAGAIN);
  }

 private:
  static Descriptor make() {
    return Descriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  }
  sockaddr* as_generic() { return reinterpret_cast<sockaddr*>(&address_); }

  sockaddr_un address_{};
  Descriptor listener_;
  std::vector<Descriptor> waiting_;
};

TEST_F(GatewayTest, AComponentWhoseSocketIsFullIsSaidAtOnceAndNotWaitedFor) {
  const FullSocket full{folder_ / "comp.sock"};
  service_.endpoint = "unix:" + (folder_ / "comp.sock");
  const HttpReply reply = post("/v1/chat/completions", R"({"model":"ocr"})");
  EXPECT_EQ(reply.status, 502);
  const Json error = Json::parse(reply.body).at("error");
  EXPECT_EQ(error.at("code"), "unavailable");
  for (const std::string& part :
       {std::string{"ocr: "}, service_.endpoint, std::string{"Resource temporarily unavailable"}}) {
    EXPECT_NE(reply.body.find(part), std::string::npos) << reply.body;
  }
  await([this] { return service_.released == 1; });
}

}  // namespace
}  // namespace hearth
