#include "security/endpoint_probe.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "common/files.h"
#include "security/address.h"

namespace mozgach {
namespace {

constexpr char kGrpcPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
constexpr size_t kFrameHead = 9;
constexpr size_t kFrameType = 3;
constexpr char kSettings = 4;

// Whether the first bytes are those of an HTTP/2 server: a frame of settings.
EndpointState Listen(const FileDescriptor& fd, Milliseconds timeout) {
  const size_t size = sizeof(kGrpcPreface) - 1;
  if (::send(fd.get(), kGrpcPreface, size, MSG_NOSIGNAL) != static_cast<ssize_t>(size)) {
    return EndpointState::kEndsCall;
  }
  pollfd answer{fd.get(), POLLIN, 0};
  if (::poll(&answer, 1, static_cast<int>(timeout.count())) != 1) return EndpointState::kHangs;
  char head[kFrameHead] = {};
  const ssize_t got = ::recv(fd.get(), head, sizeof(head), 0);
  const bool settings =
      got == static_cast<ssize_t>(kFrameHead) && head[0] == 0 && head[kFrameType] == kSettings;
  return settings ? EndpointState::kSpeaksGrpc : EndpointState::kEndsCall;
}

// Connects, and listens for an answer if `asks`.
EndpointState Knock(int family, const sockaddr* peer, socklen_t size, Milliseconds timeout,
                    bool asks) {
  const FileDescriptor fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return EndpointState::kSilent;
  int error = ::connect(fd.get(), peer, size) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    pollfd answer{fd.get(), POLLOUT, 0};
    socklen_t length = sizeof(error);
    if (::poll(&answer, 1, static_cast<int>(timeout.count())) != 1 ||
        ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
      return EndpointState::kSilent;
    }
  }
  if (error == EAGAIN) return EndpointState::kHangs;  // the backlog of a Unix socket is full
  if (error == 0) return asks ? Listen(fd, timeout) : EndpointState::kHangs;
  const bool nobody = error == ECONNREFUSED || error == ENOENT;  // no such socket
  return nobody ? EndpointState::kRefuses : EndpointState::kSilent;
}

EndpointState KnockAtSocket(const std::string& path, Milliseconds timeout, bool asks) {
  sockaddr_un peer{};
  peer.sun_family = AF_UNIX;
  std::memcpy(peer.sun_path, path.data(), path.size());
  return Knock(AF_UNIX, reinterpret_cast<const sockaddr*>(&peer), sizeof(peer), timeout, asks);
}

EndpointState KnockAt(const std::string& address, Milliseconds timeout, bool asks) {
  if (IsUnixAddress(address)) return KnockAtSocket(SocketPath(address), timeout, asks);
  const std::string port = address.substr(address.rfind(':') + 1);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int looked_up = ::getaddrinfo(HostOf(address).c_str(), port.c_str(), &hints, &found);
  if (looked_up == EAI_NONAME) return EndpointState::kNoHost;
  if (looked_up != 0) return EndpointState::kSilent;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
  EndpointState state = EndpointState::kRefuses;
  // A name may have several addresses: one that takes the connection is enough.
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    const EndpointState seen = Knock(one->ai_family, one->ai_addr, one->ai_addrlen, timeout, asks);
    if (seen != EndpointState::kRefuses && seen != EndpointState::kSilent) return seen;
    if (seen == EndpointState::kSilent && one->ai_family == found->ai_family) state = seen;
  }
  return state;
}

}  // namespace

EndpointState ProbeEndpoint(const std::string& address, Milliseconds timeout) {
  return KnockAt(address, timeout, /*asks=*/true);
}

bool IsRefused(const std::string& address, Milliseconds timeout) {
  const EndpointState state = KnockAt(address, timeout, /*asks=*/false);
  return state == EndpointState::kRefuses || state == EndpointState::kNoHost;
}

}  // namespace mozgach
