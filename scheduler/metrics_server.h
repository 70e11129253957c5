// A MetricsServer shows metrics at http://ADDRESS/metrics.
#pragma once

#include <prometheus/collectable.h>

#include <memory>
#include <string>

#include "common/status.h"

namespace prometheus {
class Exposer;
}

namespace mozgach {

class MetricsServer {
 public:
  // `address` is HOST:PORT; port 0: any.  FAILED_PRECONDITION when it cannot be listened on.
  static absl::StatusOr<std::unique_ptr<MetricsServer>> Start(
      const std::string& address, std::shared_ptr<prometheus::Collectable> metrics);
  // Ends the scrape that is under way, if any, and stops listening.
  ~MetricsServer();

  // With the port that was chosen.
  const std::string& address() const { return address_; }

 private:
  MetricsServer() = default;

  std::string address_;
  int port_ = 0;
  std::shared_ptr<prometheus::Collectable> metrics_;
  std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace mozgach
