// The Daemon is the whole scheduler in one object: data directory, core, gRPC server, web pages.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "common/clock.h"
#include "common/status.h"
#include "scheduler/jobs/config.h"

namespace mozgach {

struct DaemonOptions {
  std::filesystem::path data;             // made if need be; one daemon at a time
  std::string listen = "127.0.0.1:7108";  // gRPC: HOST:PORT, port 0: any; or unix:PATH
  std::string http = "127.0.0.1:7109";    // web_pages.h; port 0: any
  // credentials_folder.h, for `listen`; empty: plaintext, which only this machine may reach.
  std::filesystem::path tls;
  bool insecure_plaintext = false;  // others may
  SchedulerConfig config;
};

class Daemon {
 public:
  // Opens the data directory, goes on with what is stored there, serves, and writes the addresses
  // to endpoints.json in it, on a full disk as soon as there is room.  FAILED_PRECONDITION: the
  // directory is in use, was written by a newer program, or its database is damaged.
  // INVALID_ARGUMENT: an address cannot be listened on, or should not be without TLS.  `clock`
  // outlives the daemon.
  static absl::StatusOr<std::unique_ptr<Daemon>> Start(const DaemonOptions& options,
                                                       const Clock& clock);
  // Stop().
  ~Daemon();

  // Ends every held call and stream, answers what is under way, and stops.  Within 2 seconds.
  void Stop();

  const std::string& grpc_address() const { return grpc_address_; }
  const std::string& http_address() const { return http_address_; }

 private:
  struct Parts;

  Daemon();
  absl::Status OpenData(const DaemonOptions& options, const Clock& clock);
  absl::Status OpenEndpoints(const DaemonOptions& options, const Clock& clock);
  absl::Status Serve(const DaemonOptions& options);
  absl::Status ServeWeb(const DaemonOptions& options);
  absl::Status WriteEndpoints(const std::filesystem::path& data) const;
  void WatchWrites(const DaemonOptions& options, const Clock& clock);
  absl::Status AnnounceEndpoints(const std::filesystem::path& data);

  std::unique_ptr<Parts> parts_;
  std::string grpc_address_;
  std::string http_address_;
  std::jthread announcer_;  // while endpoints.json waits for room
};

}  // namespace mozgach
