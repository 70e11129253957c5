#include "security/door_probe.h"

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

DoorState Knock(int family, const sockaddr* peer, socklen_t size, Milliseconds patience) {
  const FileDescriptor fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return DoorState::kSilent;
  int error = ::connect(fd.get(), peer, size) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    pollfd answer{fd.get(), POLLOUT, 0};
    socklen_t length = sizeof(error);
    if (::poll(&answer, 1, static_cast<int>(patience.count())) != 1 ||
        ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
      return DoorState::kSilent;
    }
  }
  if (error == 0) return DoorState::kListens;
  const bool nobody = error == ECONNREFUSED || error == ENOENT;  // no such socket
  return nobody ? DoorState::kRefuses : DoorState::kSilent;
}

DoorState LookAtSocket(const std::string& path, Milliseconds patience) {
  sockaddr_un peer{};
  peer.sun_family = AF_UNIX;
  std::memcpy(peer.sun_path, path.data(), path.size());
  return Knock(AF_UNIX, reinterpret_cast<const sockaddr*>(&peer), sizeof(peer), patience);
}

}  // namespace

DoorState LookAtDoor(const std::string& address, Milliseconds patience) {
  if (IsUnixAddress(address)) return LookAtSocket(SocketPath(address), patience);
  const std::string port = address.substr(address.rfind(':') + 1);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(HostOf(address).c_str(), port.c_str(), &hints, &found) != 0) {
    return DoorState::kSilent;
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
  DoorState state = DoorState::kSilent;
  // A name may mean several: one that listens is enough.
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    const DoorState seen = Knock(one->ai_family, one->ai_addr, one->ai_addrlen, patience);
    if (seen == DoorState::kListens) return seen;
    if (seen == DoorState::kRefuses) state = seen;
  }
  return state;
}

}  // namespace mozgach
