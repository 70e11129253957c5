// A WebServer shows pages at http://ADDRESS/…, each made anew for every reader.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "common/status.h"

class CivetServer;

namespace mozgach {

struct WebAnswer {
  int code = 200;
  std::string content_type;
  std::string body;
};

// By path, as "/metrics".  Called from the server's threads, several at a time.
using WebPages = std::map<std::string, std::function<WebAnswer()>>;

class WebServer {
 public:
  // `address` is HOST:PORT; port 0: any.  INVALID_ARGUMENT when it cannot be listened on.
  static absl::StatusOr<std::unique_ptr<WebServer>> Start(const std::string& address,
                                                          WebPages pages);
  // Ends the answers that are under way, if any, and stops listening.
  ~WebServer();

  // With the port that was chosen.
  const std::string& address() const { return address_; }

 private:
  class Handler;

  WebServer();

  std::string address_;
  int port_ = 0;
  std::unique_ptr<Handler> handler_;
  std::unique_ptr<CivetServer> server_;
};

}  // namespace mozgach
