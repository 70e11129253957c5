// What a worker tells Prometheus.  Used from the worker's own thread; `Serve` answers on threads of
// its own.
#pragma once

#include <prometheus/registry.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "common/web/web_server.h"
#include "worker/session/session.h"

namespace mozgach {

class WorkerMetrics {
 public:
  WorkerMetrics(const std::string& worker, const std::string& version);
  ~WorkerMetrics();

  // Opens http://ADDR:PORT/metrics; port 0 takes a free one.  Returns the address it listens on.
  // Loopback unless `address` says otherwise: the pages have no password.
  // `allowed_hosts`: other names by which it may be called (web_hosts.h).
  absl::StatusOr<std::string> Serve(const std::string& address,
                                    const std::vector<std::string>& allowed_hosts);

  // Takes over what the session knows; series of jobs that are gone are removed.
  void Update(const Session& session, Milliseconds monotonic_now, WallTime now);

  // From any thread.
  void Uploaded(uint64_t bytes) { uploaded_bytes_ += bytes; }

 private:
  struct Series;  // series of one domain
  struct Families;

  void UpdateJobs(const Session& session);

  const std::shared_ptr<prometheus::Registry> registry_;
  const std::unique_ptr<Families> families_;
  std::map<std::string, Series> jobs_;  // by domain
  std::atomic<uint64_t> uploaded_bytes_ = 0;
  std::unique_ptr<WebServer> web_;
};

}  // namespace mozgach
