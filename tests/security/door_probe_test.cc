#include "security/door_probe.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

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
  std::string Of(const std::string& host) const { return host + ":" + port_; }

 private:
  const FileDescriptor fd_;
  std::string port_;
};

TEST(DoorProbeTest, ADoorListensOrRefuses) {
  Port port;
  EXPECT_EQ(LookAtDoor(port.Of("127.0.0.1")), DoorState::kRefuses);
  port.Listen();
  EXPECT_EQ(LookAtDoor(port.Of("127.0.0.1")), DoorState::kListens);
}

TEST(DoorProbeTest, OneOfTheAddressesOfANameIsEnough) {
  Port port;
  port.Listen();
  EXPECT_EQ(LookAtDoor(port.Of("localhost")), DoorState::kListens);
}

TEST(DoorProbeTest, ASocketThatThereIsNotIsNobodys) {
  const TemporaryDirectory directory;
  EXPECT_EQ(LookAtDoor("unix:" + (directory.path() / "s.sock").string()), DoorState::kRefuses);
}

}  // namespace
}  // namespace mozgach
