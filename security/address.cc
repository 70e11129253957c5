#include "security/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace mozgach {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr size_t kSocketPathMax = 107;
constexpr size_t kAddressMax = 300;

bool IsInHost(char c) {
  return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_' || c == ':' || c == '%';
}

}  // namespace

bool IsUnixAddress(std::string_view address) { return address.substr(0, kUnix.size()) == kUnix; }

bool IsLocalAddress(std::string_view address) {
  if (IsUnixAddress(address)) return true;
  const std::string host = HostOf(address);
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  return host == "localhost" || host == "::1";
}

absl::Status CheckAddress(std::string_view address, int port_min) {
  const auto wrong = [&](const char* what) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", absl::CHexEscape(std::string(address.substr(0, 80))), "' is not an address: ", what));
  };
  if (std::any_of(address.begin(), address.end(), absl::ascii_iscntrl)) {
    return wrong("there is a control character in it");
  }
  if (IsUnixAddress(address)) {
    const size_t size = address.size() - kUnix.size();
    if (size >= 1 && size <= kSocketPathMax) return absl::OkStatus();
    return wrong("a socket's path has 1 to 107 bytes, as unix:/run/mozgach.sock");
  }
  const size_t colon = address.rfind(':');
  int port = 0;
  if (address.size() > kAddressMax || colon == address.npos || colon == 0 ||
      !absl::SimpleAtoi(std::string(address.substr(colon + 1)), &port) || port < port_min ||
      port > 65535) {
    return wrong("it is HOST:PORT, like 127.0.0.1:7108, or unix:PATH");
  }
  const std::string host = HostOf(address);
  if (host.empty() || !std::all_of(host.begin(), host.end(), IsInHost)) {
    return wrong("it is HOST:PORT, like 127.0.0.1:7108, or unix:PATH");
  }
  return absl::OkStatus();
}

std::string HostOf(std::string_view address) {
  std::string_view host = address.substr(0, address.rfind(':'));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return std::string(host);
}

std::string SocketPath(std::string_view address) {
  return std::string(address.substr(kUnix.size()));
}

}  // namespace mozgach
