#include "scheduler/web_server.h"

#include <CivetServer.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/files.h"

namespace mozgach {
namespace {

// Who sends nothing, or slowly, keeps a thread for no longer than this.
constexpr char kPatienceMs[] = "3000";
constexpr char kThreads[] = "4";
constexpr char kRequestBytesMax[] = "8192";

// The listening thread looks whether it should end only every two seconds, or when somebody knocks.
void Knock(int port) {
  FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd.valid()) {
    (void)!::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  }
}

void Write(mg_connection* connection, const WebAnswer& answer, bool with_body) {
  const std::string head = absl::StrCat(
      "HTTP/1.1 ", answer.code, " ", mg_get_response_code_text(connection, answer.code),
      "\r\nContent-Type: ", answer.content_type, "\r\nContent-Length: ", answer.body.size(),
      "\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n");
  mg_write(connection, head.data(), head.size());
  if (with_body) mg_write(connection, answer.body.data(), answer.body.size());
}

}  // namespace

class WebServer::Handler : public CivetHandler {
 public:
  explicit Handler(WebPages pages) : pages_(std::move(pages)) {}

  bool handleGet(CivetServer*, mg_connection* connection) override {
    Write(connection, AnswerTo(connection), /*with_body=*/true);
    return true;
  }
  bool handleHead(CivetServer*, mg_connection* connection) override {
    Write(connection, AnswerTo(connection), /*with_body=*/false);
    return true;
  }
  bool handlePost(CivetServer*, mg_connection* connection) override { return Refuse(connection); }
  bool handlePut(CivetServer*, mg_connection* connection) override { return Refuse(connection); }
  bool handleDelete(CivetServer*, mg_connection* connection) override { return Refuse(connection); }
  bool handlePatch(CivetServer*, mg_connection* connection) override { return Refuse(connection); }
  bool handleOptions(CivetServer*, mg_connection* connection) override {
    return Refuse(connection);
  }

 private:
  static bool Refuse(mg_connection* connection) {
    const char* reason = "These pages are only read: GET or HEAD\n";
    Write(connection, {405, "text/plain; charset=utf-8", reason}, /*with_body=*/true);
    return true;
  }

  WebAnswer AnswerTo(mg_connection* connection) const {
    const auto page = pages_.find(mg_get_request_info(connection)->local_uri);
    if (page != pages_.end()) return page->second();
    std::string there;
    for (const auto& [path, unused] : pages_) absl::StrAppend(&there, " ", path);
    return {404, "text/plain; charset=utf-8", absl::StrCat("There is no such page; there are", there, "\n")};
  }

  const WebPages pages_;
};

WebServer::WebServer() = default;

absl::StatusOr<std::unique_ptr<WebServer>> WebServer::Start(const std::string& address,
                                                            WebPages pages) {
  std::unique_ptr<WebServer> server(new WebServer());
  try {
    server->server_ = std::make_unique<CivetServer>(
        std::vector<std::string>{"listening_ports", address, "num_threads", kThreads,
                                 "request_timeout_ms", kPatienceMs, "max_request_size",
                                 kRequestBytesMax});
    const std::vector<int> ports = server->server_->getListeningPorts();
    server->port_ = ports.empty() ? 0 : ports.front();
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot listen on ", address, "; is the port taken?  Choose another"));
  }
  server->handler_ = std::make_unique<Handler>(std::move(pages));
  server->server_->addHandler("/", server->handler_.get());
  server->address_ = absl::StrCat(address.substr(0, address.rfind(':')), ":", server->port_);
  return server;
}

WebServer::~WebServer() {
  if (server_ == nullptr) return;
  std::atomic<bool> ended = false;
  std::thread ending([&] {
    server_.reset();
    ended = true;
  });
  while (!ended) {
    Knock(port_);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ending.join();
}

}  // namespace mozgach
