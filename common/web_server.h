// A WebServer shows pages at http://ADDRESS/…, each made anew for every reader.
//
// One thread serves all connections, so that those that say nothing, or say it slowly, keep nobody
// waiting: they are closed after a few seconds, and the oldest of them as soon as there are many.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/files.h"
#include "common/status.h"

namespace mozgach {

struct WebAnswer {
  int code = 200;
  std::string content_type;
  std::string body;
};

// By path, as "/metrics".  Called from the server's thread, one at a time.
using WebPages = std::map<std::string, std::function<WebAnswer()>>;

struct WebOptions {
  std::string address;                     // HOST:PORT; port 0: any
  std::vector<std::string> allowed_hosts;  // web_hosts.h
  std::string how_to_allow;                // ends the answer to a host that is not allowed
  std::function<void(const std::string& host)> refused;  // called for each such request; or null
};

class WebServer {
 public:
  // INVALID_ARGUMENT when the address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<WebServer>> Start(const WebOptions& options, WebPages pages);
  // Ends all connections and stops listening.
  ~WebServer();

  // With the port that was chosen.
  const std::string& address() const { return address_; }

 private:
  class Loop;

  WebServer() = default;

  std::string address_;
  FileDescriptor stop_;  // closed by the destructor: the thread ends
  std::thread thread_;
};

}  // namespace mozgach
