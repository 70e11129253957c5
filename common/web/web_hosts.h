// By which names a web server may be called.  A page on the internet can give its own name the
// address of this host (DNS rebinding); a browser would then let it read what the server says, but
// still sends the page's name in `Host`.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace mozgach {

class WebHosts {
 public:
  // Allows the host of `listen` (HOST:PORT), localhost, this host's name, every IP address (a
  // browser sends one only to a page of that address), and `allowed`; "*" allows every name.
  WebHosts(const std::string& listen, const std::vector<std::string>& allowed);

  // `host` is the value of a Host header, with or without a port.
  bool Allows(std::string_view host) const;

 private:
  std::set<std::string> names_;
};

// INVALID_ARGUMENT: an entry is neither the name of a host, without a port, nor "*".
absl::Status CheckAllowedHosts(const std::vector<std::string>& allowed);

}  // namespace mozgach
