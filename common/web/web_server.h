// A WebServer shows pages at http://ADDRESS/…. Each page is made again for every reader.
//
// libmicrohttpd serves all connections from one thread. A connection that is silent for five
// seconds is closed, so that idle connections do not keep other readers waiting.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/status.h"

namespace mozgach {

struct WebAnswer {
  int code = 200;
  std::string content_type;
  std::string body;
};

// By path, as "/metrics". Called from the server's thread, one at a time.
using WebPages = std::map<std::string, std::function<WebAnswer()>>;

struct WebOptions {
  std::string address;                     // HOST:PORT; port 0: any
  std::vector<std::string> allowed_hosts;  // web_hosts.h
  std::string how_to_allow;                // ends the answer to a host that is not allowed
  std::function<void(const std::string& host)> refused;  // called for each such request; or null
};

class WebServer {
 public:
  // INVALID_ARGUMENT: the server cannot listen on the address.
  static absl::StatusOr<std::unique_ptr<WebServer>> Start(const WebOptions& options,
                                                          WebPages pages);
  // Closes all connections and stops listening.
  ~WebServer();

  // With the port that was chosen.
  const std::string& address() const { return address_; }

 private:
  class Site;

  WebServer();

  std::string address_;
  std::unique_ptr<Site> site_;
};

}  // namespace mozgach
