#include "common/web/web_hosts.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace mozgach {
namespace {

constexpr size_t kNameBytesMax = 253;

// In small letters, without port, brackets and the point at the end. A malformed one stays as it
// is.
std::string NameOf(std::string_view host) {
  if (!host.empty() && host.front() == '[') {
    const size_t end = host.find(']');
    const bool well_formed = end != host.npos && (end + 1 == host.size() || host[end + 1] == ':');
    if (well_formed) host = host.substr(1, end - 1);
  } else if (const size_t colon = host.rfind(':'); colon != host.npos && host.find(':') == colon) {
    host = host.substr(0, colon);
  }
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  return absl::AsciiStrToLower(absl::string_view(host.data(), host.size()));
}

bool IsAddress(const std::string& name) {
  unsigned char bytes[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, name.c_str(), bytes) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

}  // namespace

WebHosts::WebHosts(const std::string& listen, const std::vector<std::string>& allowed) {
  names_ = {"localhost", NameOf(listen)};
  char own[HOST_NAME_MAX + 1] = {};
  if (::gethostname(own, HOST_NAME_MAX) == 0 && own[0] != '\0') {
    const std::string name = NameOf(own);
    names_.insert(name);
    names_.insert(name.substr(0, name.find('.')));
  }
  for (const std::string& host : allowed) names_.insert(NameOf(host));
}

bool WebHosts::Allows(std::string_view host) const {
  const std::string name = NameOf(host);
  return names_.count("*") > 0 || names_.count(name) > 0 || IsAddress(name) ||
         absl::EndsWith(name, ".localhost");
}

absl::Status CheckAllowedHosts(const std::vector<std::string>& allowed) {
  const auto plain = [](char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_';
  };
  for (const std::string& host : allowed) {
    if (host == "*" || IsAddress(host)) continue;
    if (!host.empty() && host.size() <= kNameBytesMax &&
        std::all_of(host.begin(), host.end(), plain)) {
      continue;
    }
    return absl::InvalidArgumentError(
        absl::StrCat("'", absl::CHexEscape(host.substr(0, 80)),
                     "' is not the name of a host; write it without a port, like "
                     "gpu1.example.org, or * for every name"));
  }
  return absl::OkStatus();
}

}  // namespace mozgach
