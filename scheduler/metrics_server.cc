#include "scheduler/metrics_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <prometheus/exposer.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/files.h"

namespace mozgach {
namespace {

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

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::Start(
    const std::string& address, std::shared_ptr<prometheus::Collectable> metrics) {
  std::unique_ptr<MetricsServer> server(new MetricsServer());
  server->metrics_ = std::move(metrics);
  try {
    server->exposer_ = std::make_unique<prometheus::Exposer>(address);
    server->exposer_->RegisterCollectable(server->metrics_);
    const std::vector<int> ports = server->exposer_->GetListeningPorts();
    server->port_ = ports.empty() ? 0 : ports.front();
  } catch (const std::exception& error) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot listen on ", address, " (", error.what(), "); choose another address or port"));
  }
  server->address_ = absl::StrCat(address.substr(0, address.rfind(':')), ":", server->port_);
  return server;
}

MetricsServer::~MetricsServer() {
  if (exposer_ == nullptr) return;
  std::atomic<bool> ended = false;
  std::thread ending([&] {
    exposer_.reset();
    ended = true;
  });
  while (!ended) {
    Knock(port_);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ending.join();
}

}  // namespace mozgach
