#include "common/web/web_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/web/web_hosts.h"

namespace mozgach {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class WebServerTest : public ::testing::Test {
 protected:
  WebServerTest() {
    auto server =
        WebServer::Start({.address = "127.0.0.1:0",
                          .allowed_hosts = {"Monitor.Example.org"},
                          .how_to_allow = "Allow it",
                          .refused = [this](const std::string& host) { refused_.push_back(host); }},
                         {{"/health",
                           [] {
                             return WebAnswer{200, "text/plain", "well\n"};
                           }},
                          {"/large", [] {
                             return WebAnswer{200, "text/plain", std::string(8 << 20, 'x')};
                           }}});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  FileDescriptor Dial(const std::string& bytes) {
    FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    const std::string address = server_->address();
    peer.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&peer), sizeof(peer)), 0);
    if (!bytes.empty()) (void)!::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return fd;
  }
  static std::string ReadAll(int fd) {
    std::string answer;
    char buffer[65536];
    for (ssize_t got; (got = ::read(fd, buffer, sizeof(buffer))) > 0;) {
      answer.append(buffer, static_cast<size_t>(got));
    }
    return answer;
  }
  std::string Ask(const std::string& bytes) {
    const FileDescriptor fd = Dial(bytes);
    return ReadAll(fd.get());
  }
  std::string AskHost(const std::string& host) {
    return Ask(absl::StrCat("GET /health HTTP/1.1\r\nHost: ", host, "\r\n\r\n"));
  }

  std::vector<std::string> refused_;
  std::unique_ptr<WebServer> server_;
};

TEST_F(WebServerTest, AnswersGetAndHeadOfItsPagesOnly) {
  EXPECT_THAT(AskHost("localhost"), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                                          HasSubstr("\r\n\r\nwell\n"), HasSubstr("nosniff")));
  EXPECT_THAT(Ask("HEAD /health?x=/y HTTP/1.1\r\nhost: localhost\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 200"), Not(HasSubstr("well"))));
  EXPECT_THAT(Ask("GET /health HTTP/1.0\n\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Ask("GET /etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n"),
              StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Ask("POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody"),
              AllOf(StartsWith("HTTP/1.1 405"), HasSubstr("Allow: GET, HEAD")));
  EXPECT_EQ(Ask("GET /large HTTP/1.0\r\n\r\n").size() >> 20, 8u);
}

TEST_F(WebServerTest, RefusesMalformedRequests) {
  for (const char* bytes :
       {"GET\r\n\r\n", "GET /health HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02 x\n\n"}) {
    EXPECT_THAT(Ask(bytes), Not(HasSubstr("200 OK"))) << bytes;
  }
  EXPECT_THAT(Ask("GET /health HTTP/1.1\r\nX: " + std::string(9000, 'x')),
              StartsWith("HTTP/1.1 4"));
}

TEST_F(WebServerTest, IdleAndSlowConnectionsKeepNobodyWaiting) {
  std::vector<FileDescriptor> idle;
  for (int i = 0; i < 400; ++i) idle.push_back(Dial(i % 2 == 0 ? "" : "GET /hea"));
  for (int i = 0; i < 3; ++i) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_THAT(AskHost("localhost"), StartsWith("HTTP/1.1 200"));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
  }
  // A reader of a long answer that stops reading does not stop the others.
  const FileDescriptor lazy = Dial("GET /large HTTP/1.0\r\n\r\n");
  EXPECT_THAT(AskHost("localhost"), StartsWith("HTTP/1.1 200"));
}

TEST_F(WebServerTest, ClosesASilentConnection) {
  const FileDescriptor silent = Dial("GET /hea");
  const auto start = std::chrono::steady_clock::now();
  ReadAll(silent.get());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(12));
}

TEST_F(WebServerTest, RefusesAForeignHost) {
  for (const char* host :
       {"evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example",
        "monitor.example.org.evil.example", "", "evil.example\x1b[31m", "[::1].evil"}) {
    EXPECT_THAT(AskHost(host),
                AllOf(StartsWith("HTTP/1.1 421"), HasSubstr("Allow it"), Not(HasSubstr("\x1b"))))
        << host;
  }
  EXPECT_THAT(Ask("POST /health HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
              StartsWith("HTTP/1.1 421"));
  EXPECT_EQ(refused_.size(), 9u);
  for (const char* host :
       {"localhost", "LOCALHOST:7109", "a.localhost", "127.0.0.1", "127.0.0.1:1", "[::1]:7109",
        "10.0.0.2:7109", "monitor.example.org", "MONITOR.example.org.:80"}) {
    EXPECT_THAT(AskHost(host), StartsWith("HTTP/1.1 200")) << host;
  }
  char own[256] = {};
  ASSERT_EQ(::gethostname(own, sizeof(own) - 1), 0);
  EXPECT_THAT(AskHost(own), StartsWith("HTTP/1.1 200"));
}

TEST(WebHostsTest, ChecksTheNamesThatAreAllowed) {
  EXPECT_TRUE(CheckAllowedHosts({"gpu1", "gpu1.example.org", "10.0.0.1", "::1", "*"}).ok());
  for (const char* host : {"", "gpu1:7109", "http://gpu1", "gpu 1", "*.example.org"}) {
    EXPECT_FALSE(CheckAllowedHosts({host}).ok()) << host;
  }
  EXPECT_TRUE(WebHosts("0.0.0.0:1", {"*"}).Allows("anything.example"));
  EXPECT_TRUE(WebHosts("gpu1.lan:7109", {}).Allows("gpu1.lan:7109"));
}

TEST(WebServerStartTest, SaysThatAPortIsTaken) {
  auto first = WebServer::Start({.address = "127.0.0.1:0"}, {});
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = WebServer::Start({.address = (*first)->address()}, {});
  EXPECT_TRUE(absl::IsInvalidArgument(second.status()));
  EXPECT_THAT(std::string(second.status().message()),
              AllOf(HasSubstr((*first)->address()), HasSubstr("another program listens there")));
}

}  // namespace
}  // namespace mozgach
