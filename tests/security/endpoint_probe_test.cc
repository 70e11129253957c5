#include "security/endpoint_probe.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <thread>
#include <utility>

#include "common/files.h"
#include "tests/registry/temporary_directory.h"

namespace mozgach {
namespace {

// A socket on a port of loopback that is its own; it listens when it is told to.
class Port {
 public:
  Port() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(own);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&own), size), 0);
    EXPECT_EQ(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&own), &size), 0);
    port_ = std::to_string(ntohs(own.sin_port));
  }

  void Listen() { EXPECT_EQ(::listen(fd_.get(), 1), 0); }
  // Takes one connection, says `answer` after the first bytes, and hangs up.
  void AnswerOnce(const std::string& answer) {
    const FileDescriptor peer(::accept(fd_.get(), nullptr, nullptr));
    char bytes[64];
    EXPECT_GT(::recv(peer.get(), bytes, sizeof(bytes), 0), 0);
    EXPECT_EQ(::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(answer.size()));
  }
  std::string Of(const std::string& host) const { return host + ":" + port_; }

 private:
  const FileDescriptor fd_;
  std::string port_;
};

constexpr Milliseconds kShort{200};

TEST(EndpointProbeTest, RefusesUntilSomethingListens) {
  Port port;
  EXPECT_EQ(ProbeEndpoint(port.Of("127.0.0.1")), EndpointState::kRefuses);
  EXPECT_TRUE(IsRefused(port.Of("127.0.0.1")));
  EXPECT_TRUE(IsRefused(port.Of("localhost")));
  port.Listen();
  EXPECT_FALSE(IsRefused(port.Of("127.0.0.1")));
  EXPECT_EQ(ProbeEndpoint(port.Of("127.0.0.1"), kShort), EndpointState::kHangs) << "nobody answers";
}

TEST(EndpointProbeTest, TellsGrpcFromSomethingElse) {
  const std::string settings("\0\0\0\4\0\0\0\0\0", 9);
  const std::string alert("\x15\x03\x01\0\x02\x02\x46", 7);
  const std::string http = "HTTP/1.1 400 Bad Request\r\n\r\n";
  for (const auto& [answer, state] :
       {std::pair(settings, EndpointState::kSpeaksGrpc), std::pair(alert, EndpointState::kEndsCall),
        std::pair(http, EndpointState::kEndsCall),
        std::pair(std::string(), EndpointState::kEndsCall)}) {
    Port port;
    port.Listen();
    std::thread server([&] { port.AnswerOnce(answer); });
    EXPECT_EQ(ProbeEndpoint(port.Of("127.0.0.1")), state) << answer;
    server.join();
  }
}

TEST(EndpointProbeTest, NamesThatDoNotExist) {
  EXPECT_EQ(ProbeEndpoint("there.is.no.such.host.invalid:1"), EndpointState::kNoHost);
  EXPECT_TRUE(IsRefused("there.is.no.such.host.invalid:1"));
}

TEST(EndpointProbeTest, OneOfTheAddressesOfANameIsEnough) {
  Port port;
  port.Listen();
  EXPECT_EQ(ProbeEndpoint(port.Of("localhost"), kShort), EndpointState::kHangs);
}

TEST(EndpointProbeTest, ASocketThatThereIsNotIsNobodys) {
  const TemporaryDirectory directory;
  EXPECT_EQ(ProbeEndpoint("unix:" + (directory.path() / "s.sock").string()),
            EndpointState::kRefuses);
}

}  // namespace
}  // namespace mozgach
