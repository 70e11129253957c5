// Endpoints without TLS: loopback, Unix sockets, and the web pages.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "mozgach/v1/fleet_service.grpc.pb.h"
#include "scheduler/daemon/listener.h"
#include "security/channel.h"
#include "security/token.h"
#include "tests/scheduler/service.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class LocalEndpointsTest : public Service {
 protected:
  DaemonOptions OnSocket(const std::string& name) {
    DaemonOptions options = Options();
    options.data = directory_.path() / (name + ".data");
    options.listen = absl::StrCat("unix:", (directory_.path() / name).string());
    return options;
  }
  // A connection to the web pages, on which `bytes` have been sent.
  FileDescriptor Dial(const std::string& bytes) {
    FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    const std::string address = daemon_->http_address();
    peer.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&peer), sizeof(peer)), 0);
    (void)!::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return fd;
  }
  std::string Ask(const std::string& bytes) {
    const FileDescriptor fd = Dial(bytes);
    std::string answer;
    char buffer[4096];
    for (ssize_t got; (got = ::read(fd.get(), buffer, sizeof(buffer))) > 0;) {
      answer.append(buffer, static_cast<size_t>(got));
    }
    return answer;
  }
};

TEST_F(LocalEndpointsTest, ASocketIsItsOwnersOnlyAndOpensToThem) {
  const DaemonOptions options = OnSocket("s.sock");
  auto daemon = Daemon::Start(options, Clock::System());
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  EXPECT_EQ((*daemon)->grpc_address(), options.listen);
  struct stat info;
  ASSERT_EQ(::stat((directory_.path() / "s.sock").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const auto credentials = CredentialsFor({.address = options.listen});
  const auto fleet = v1::FleetService::NewStub(grpc::CreateChannel(options.listen, *credentials));
  DeadlineContext deadline;
  v1::WhoAmIResponse who;
  const grpc::Status status = fleet->WhoAmI(deadline, v1::WhoAmIRequest(), &who);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(who.local());
}

TEST_F(LocalEndpointsTest, ASocketInUseIsNotTakenAwayAndALeftOneIsNotInTheWay) {
  const DaemonOptions options = OnSocket("s.sock");
  auto daemon = Daemon::Start(options, Clock::System());
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  DaemonOptions other = options;
  other.data = directory_.path() / "other.data";
  const auto second = Daemon::Start(other, Clock::System());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition) << second.status();
  daemon->reset();
  // As a program leaves it that was killed.
  FileDescriptor left(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  (directory_.path() / "s.sock").string().copy(name.sun_path, sizeof(name.sun_path) - 1);
  ASSERT_EQ(::bind(left.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
  left.Close();
  EXPECT_TRUE(Daemon::Start(other, Clock::System()).ok());
}

TEST_F(LocalEndpointsTest, AFileThatIsNoSocketIsSaidSoAndStays) {
  const DaemonOptions options = OnSocket("thesis.txt");
  ASSERT_TRUE(WriteFileAtomically(directory_.path() / "thesis.txt", "years").ok());
  const auto daemon = Daemon::Start(options, Clock::System());
  EXPECT_EQ(daemon.status().code(), absl::StatusCode::kFailedPrecondition) << daemon.status();
  EXPECT_THAT(std::string(daemon.status().message()), HasSubstr("is not a socket"));
  EXPECT_EQ(ReadFile(directory_.path() / "thesis.txt").value(), "years");
}

TEST_F(LocalEndpointsTest, OtherHostsAreNotListenedToInPlaintext) {
  DaemonOptions options = Options();
  options.data = directory_.path() / "other";
  options.listen = "0.0.0.0:0";
  const auto open = Daemon::Start(options, Clock::System());
  EXPECT_EQ(open.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(open.status().message()),
              AllOf(HasSubstr("mozgachctl fleet init"), HasSubstr("--insecure-plaintext")));
  options.listen = "127.0.0.1:0";
  options.http = "0.0.0.0:0";
  const auto web = Daemon::Start(options, Clock::System());
  EXPECT_THAT(std::string(web.status().message()), StartsWith("--http 0.0.0.0:0"));
  EXPECT_FALSE(std::filesystem::exists(options.data));
  EXPECT_TRUE(CheckListen("--listen", "0.0.0.0:7108", false, true).ok());
  EXPECT_TRUE(CheckListen("--listen", "0.0.0.0:7108", true, false).ok());
}

TEST_F(LocalEndpointsTest, ATokenThatCameInPlaintextIsRefused) {
  DeadlineContext deadline;
  deadline.context.AddMetadata("authorization", "Bearer " + NewToken("alice"));
  v1::SubmitResponse response;
  const grpc::Status status = jobs_->Submit(deadline, v1::SubmitRequest(), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(status.error_message(), HasSubstr("revoke it"));
}

TEST_F(LocalEndpointsTest, AnActorIsOneShortLine) {
  for (const std::string& actor :
       {std::string(257, 'a'), std::string("a\nb"), std::string("\0", 1)}) {
    DeadlineContext deadline;
    v1::CancelRequest request;
    request.mutable_selector()->set_all(true);
    request.set_actor(actor);
    v1::CancelResponse response;
    EXPECT_EQ(jobs_->Cancel(deadline, request, &response).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT);
  }
}

TEST_F(LocalEndpointsTest, ThePagesAreOnlyRead) {
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE",
                             "MKCOL", "PROPFIND", "COPY", "BREW"}) {
    for (const char* path : {"/", "/metrics", "/health", "/../mozgach.db", "/x"}) {
      const std::string answer =
          Ask(absl::StrCat(method, " ", path,
                           " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
                           "Connection: close\r\n\r\nx"));
      EXPECT_THAT(answer, Not(StartsWith("HTTP/1.1 2"))) << method << " " << path;
    }
  }
  EXPECT_THAT(Ask("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"),
              HasSubstr(" 405 "));
  EXPECT_THAT(Ask("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 200"));
}

TEST_F(LocalEndpointsTest, NoPageIsAFile) {
  for (const char* path : {"/../data/mozgach.db", "/%2e%2e/data/mozgach.db", "//etc/passwd",
                           "/..%2fdata%2fmozgach.db", "/metrics/../../etc/passwd", "*"}) {
    const std::string answer = Ask(
        absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
    EXPECT_THAT(answer, Not(StartsWith("HTTP/1.1 2"))) << path;
  }
}

TEST_F(LocalEndpointsTest, ARequestWithoutEndAndReadersWhoSayNothingHoldNobodyUp) {
  EXPECT_THAT(Ask("GET /" + std::string(100000, 'a') + " HTTP/1.1\r\n\r\n"),
              Not(StartsWith("HTTP/1.1 2")));
  std::vector<FileDescriptor> silent;
  for (int i = 0; i < 8; ++i) silent.push_back(Dial("GET /hea"));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(Ask("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 200"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

}  // namespace
}  // namespace mozgach
