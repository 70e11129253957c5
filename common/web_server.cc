#include "common/web_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <list>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/terminal_text.h"
#include "common/utf8.h"
#include "common/web_hosts.h"
#include "common/web_listener.h"
#include "common/web_request.h"

namespace mozgach {
namespace {

using std::chrono::milliseconds;
using Time = std::chrono::steady_clock::time_point;

constexpr milliseconds kHeadPatience{5000};   // from the first byte or none on, however slow
constexpr milliseconds kBodyPatience{30000};  // for the reader of an answer
constexpr milliseconds kLingerPatience{1000};
constexpr milliseconds kAcceptPause{100};  // when there are no more descriptors
constexpr size_t kHeadBytesMax = 8192;
constexpr size_t kConnectionsMax = 256;
constexpr char kText[] = "text/plain; charset=utf-8";

const char* ReasonOf(int code) {
  switch (code) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 421:
      return "Misdirected Request";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Internal Server Error";
  }
}

std::string Bytes(const WebAnswer& answer, bool with_body) {
  return absl::StrCat(
      "HTTP/1.1 ", answer.code, " ", ReasonOf(answer.code), "\r\nContent-Type: ",
      answer.content_type, "\r\nContent-Length: ", answer.body.size(),
      answer.code == 405 ? "\r\nAllow: GET, HEAD" : "",
      "\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
      with_body ? answer.body : "");
}

// Reads a head, writes an answer, then waits a moment for the other side to close: a close with
// unread bytes would take the answer back.
struct Connection {
  enum class State { kReading, kWriting, kLingering, kOver };

  FileDescriptor fd;
  State state = State::kReading;
  Time deadline;
  std::string in;
  std::string out;
  size_t sent = 0;
};

}  // namespace

class WebServer::Loop {
 public:
  Loop(const WebOptions& options, WebPages pages, FileDescriptor listener, FileDescriptor stopped)
      : options_(options),
        hosts_(options.address, options.allowed_hosts),
        pages_(std::move(pages)),
        listener_(std::move(listener)),
        stopped_(std::move(stopped)) {}

  void Run() {
    std::vector<pollfd> polled;
    do {
      polled = {{stopped_.get(), POLLIN, 0}, {listener_.get(), AcceptEvents(), 0}};
      for (const Connection& connection : connections_) {
        const bool writes = connection.state == Connection::State::kWriting;
        polled.push_back({connection.fd.get(), static_cast<short>(writes ? POLLOUT : POLLIN), 0});
      }
      ::poll(polled.data(), polled.size(), MillisToWait());
      auto events = polled.begin() + 2;
      for (Connection& connection : connections_) {
        if ((events++)->revents != 0) Step(connection);
      }
      if (polled[1].revents != 0) Accept();
      CloseFinished();
    } while (polled[0].revents == 0);
  }

 private:
  static Time Now() { return std::chrono::steady_clock::now(); }

  short AcceptEvents() const { return Now() < no_accept_before_ ? 0 : POLLIN; }

  int MillisToWait() const {
    if (connections_.empty() && no_accept_before_ == Time()) return -1;
    Time next = no_accept_before_ > Now() ? no_accept_before_ : Time::max();
    for (const Connection& connection : connections_) next = std::min(next, connection.deadline);
    if (next == Time::max()) return -1;
    const auto left = std::chrono::duration_cast<milliseconds>(next - Now()).count();
    return static_cast<int>(std::max<int64_t>(left, 0)) + 1;
  }

  void Accept() {
    for (size_t i = 0; i < kConnectionsMax; ++i) {
      FileDescriptor fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!fd.valid()) {
        if (errno == EMFILE || errno == ENFILE) no_accept_before_ = Now() + kAcceptPause;
        return;
      }
      if (connections_.size() >= kConnectionsMax) DropOldest();
      Connection& connection = connections_.emplace_back();
      connection.fd = std::move(fd);
      connection.deadline = Now() + kHeadPatience;
      Step(connection);
    }
  }

  // Of those that have not asked for anything, if there are any.
  void DropOldest() {
    auto oldest = std::find_if(connections_.begin(), connections_.end(), [](const Connection& each) {
      return each.state != Connection::State::kWriting;
    });
    connections_.erase(oldest == connections_.end() ? connections_.begin() : oldest);
  }

  void CloseFinished() {
    const Time now = Now();
    connections_.remove_if([&](const Connection& connection) {
      return connection.state == Connection::State::kOver || connection.deadline <= now;
    });
  }

  void Step(Connection& connection) {
    if (connection.state == Connection::State::kReading) Read(connection);
    if (connection.state == Connection::State::kWriting) Write(connection);
    if (connection.state == Connection::State::kLingering) Drain(connection);
  }

  void Read(Connection& connection) {
    char bytes[kHeadBytesMax];
    const ssize_t got = ::recv(connection.fd.get(), bytes, sizeof(bytes), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      connection.state = Connection::State::kOver;
      return;
    }
    connection.in.append(bytes, static_cast<size_t>(got));
    const size_t end = EndOfHead(connection.in);
    if (end == std::string::npos && connection.in.size() < kHeadBytesMax) return;
    connection.out = Answer(std::string_view(connection.in).substr(0, end), end);
    connection.state = Connection::State::kWriting;
    connection.deadline = Now() + kBodyPatience;
  }

  void Write(Connection& connection) {
    while (connection.sent < connection.out.size()) {
      const ssize_t sent = ::send(connection.fd.get(), connection.out.data() + connection.sent,
                                  connection.out.size() - connection.sent, MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) return;
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) {
        connection.state = Connection::State::kOver;
        return;
      }
      connection.sent += static_cast<size_t>(sent);
    }
    ::shutdown(connection.fd.get(), SHUT_WR);
    connection.state = Connection::State::kLingering;
    connection.deadline = Now() + kLingerPatience;
  }

  static void Drain(Connection& connection) {
    char bytes[kHeadBytesMax];
    const ssize_t got = ::recv(connection.fd.get(), bytes, sizeof(bytes), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
      connection.state = Connection::State::kOver;
    }
  }

  // `end` is npos: the head is too long.
  std::string Answer(std::string_view head, size_t end) const {
    if (end == std::string::npos || end > kHeadBytesMax) {
      return Bytes({431, kText, "The head of the request has more than 8192 bytes\n"}, true);
    }
    WebRequest request;
    const int code = ReadHead(head, &request);
    if (code != 200) return Bytes({code, kText, "This is no request of HTTP/1.1\n"}, true);
    if (request.has_host && !hosts_.Allows(request.host)) return RefuseHost(request);
    if (request.method != "GET" && request.method != "HEAD") {
      return Bytes({405, kText, "These pages are only read: GET or HEAD\n"}, true);
    }
    return Bytes(Page(request.path), request.method == "GET");
  }

  std::string RefuseHost(const WebRequest& request) const {
    const std::string shown = EscapeLine(Abbreviate(request.host, 100));
    if (options_.refused != nullptr) options_.refused(shown);
    return Bytes({421, kText,
                  absl::StrCat("This server is not called '", shown, "'. ", options_.how_to_allow,
                               "\n")},
                 request.method != "HEAD");
  }

  WebAnswer Page(const std::string& path) const {
    const auto page = pages_.find(path);
    if (page != pages_.end()) return page->second();
    std::string there;
    for (const auto& [name, unused] : pages_) absl::StrAppend(&there, " ", name);
    return {404, kText, absl::StrCat("There is no such page; there are", there, "\n")};
  }

  const WebOptions options_;
  const WebHosts hosts_;
  const WebPages pages_;
  const FileDescriptor listener_;
  const FileDescriptor stopped_;
  std::list<Connection> connections_;  // the oldest first
  Time no_accept_before_;
};

absl::StatusOr<std::unique_ptr<WebServer>> WebServer::Start(const WebOptions& options,
                                                            WebPages pages) {
  RETURN_IF_ERROR(CheckAllowedHosts(options.allowed_hosts));
  ASSIGN_OR_RETURN(FileDescriptor listener, ListenOn(options.address));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return SystemError(errno, "make a pipe");
  std::unique_ptr<WebServer> server(new WebServer());
  FileDescriptor stopped(ends[0]);
  server->stop_ = FileDescriptor(ends[1]);
  server->address_ = AddressWithPort(options.address, listener.get());
  auto loop = std::make_unique<Loop>(options, std::move(pages), std::move(listener), std::move(stopped));
  server->thread_ = std::thread([loop = std::move(loop)] { loop->Run(); });
  return server;
}

WebServer::~WebServer() {
  stop_.Close();
  if (thread_.joinable()) thread_.join();
}

}  // namespace mozgach
