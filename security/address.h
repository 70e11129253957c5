// Addresses on which programs listen and which they call: HOST:PORT or unix:/path.
#pragma once

#include <string>
#include <string_view>

#include "common/status.h"

namespace mozgach {

bool IsUnixAddress(std::string_view address);
// True where nobody but this machine is at the other end: unix:…, localhost, 127.x.y.z and [::1].
// A name is never looked up: it could come to mean something else.
bool IsLocalAddress(std::string_view address);

// OK for unix:PATH with a path of 1 to 107 bytes (the system's bound), and for HOST:PORT with a
// port from `port_min` to 65535.  INVALID_ARGUMENT says what is wrong.
absl::Status CheckAddress(std::string_view address, int port_min);

// What stands before the port, an IPv6 address without its brackets.
std::string HostOf(std::string_view address);

// The path behind "unix:".  REQUIRES: IsUnixAddress(address).
std::string SocketPath(std::string_view address);

}  // namespace mozgach
