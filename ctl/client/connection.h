// A Connection connects mozgachctl to one scheduler: its six services over one channel, with their
// timeouts. Not thread-safe, except for the stubs.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "common/clock.h"
#include "common/status.h"
#include "mozgach/v1/base_service.grpc.pb.h"
#include "mozgach/v1/fleet_service.grpc.pb.h"
#include "mozgach/v1/job_service.grpc.pb.h"
#include "mozgach/v1/registry_service.grpc.pb.h"
#include "mozgach/v1/upkeep_service.grpc.pb.h"
#include "mozgach/v1/worker_service.grpc.pb.h"
#include "security/channel.h"

namespace mozgach {

// Payload type of a DATA_LOSS error whose damaged file is at the scheduler, not at the caller.
inline constexpr char kAtScheduler[] = "mozgach/at-scheduler";

class Connection {
 public:
  // Time limit for a short call.
  static constexpr Milliseconds kTimeout{10'000};
  // Time limit for a call that processes many files or rows.
  static constexpr Milliseconds kLongCall{600'000};
  // Returns the deadline for a transfer of `bytes`. A transfer slower than 100 kB/s on average is
  // cut off and then resumed.
  static std::chrono::system_clock::time_point DeadlineOfTransfer(uint64_t bytes) {
    return std::chrono::system_clock::now() + std::chrono::seconds(60 + bytes / 100'000);
  }
  // Time limit for a call that reads all stored data.
  static constexpr Milliseconds kDeepCall{24 * 3600'000};

  // Connects to `endpoint`. INVALID_ARGUMENT if the endpoint is malformed or insecure
  // (CredentialsFor). UNAVAILABLE, with advice, if no gRPC server answers within `timeout`; at once
  // if the connection is refused or the host does not exist.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const SchedulerEndpoint& endpoint,
                                                          Milliseconds timeout = kTimeout);

  // Makes a unary call and returns its response: Call(&v1::JobService::Stub::List, request).
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request, Milliseconds within = kTimeout) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + within);
    context.set_wait_for_ready(true);  // waits for a scheduler that is restarting
    Response response;
    const grpc::Status status = (StubOf<Stub>().*method)(&context, request, &response);
    if (!status.ok()) return Explain(status);
    return response;
  }

  // Makes a unary call that fails at once if the scheduler cannot be reached.
  template <typename Stub, typename Request, typename Response>
  grpc::Status TryCall(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                    Response*),
                       const Request& request, Response* response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kTimeout);
    return (StubOf<Stub>().*method)(&context, request, response);
  }

  const std::string& address() const { return address_; }
  v1::JobService::Stub& jobs() { return *jobs_; }
  v1::WorkerService::Stub& workers() { return *workers_; }
  v1::RegistryService::Stub& registry() { return *registry_; }
  v1::BaseService::Stub& bases() { return *bases_; }

  // Waits until the channel is connected, at most for `time`. Returns true if it is connected. gRPC
  // restores a lost connection only during such a wait: calls that fail at once leave no time for
  // the steps of a TLS handshake.
  bool AwaitConnection(Milliseconds time) const;
  bool IsConnected() const { return channel_->GetState(false) == GRPC_CHANNEL_READY; }

  // Waits until the scheduler can be reached. UNAVAILABLE, with advice, after `timeout`.
  absl::Status WaitUntilUp(Milliseconds timeout = kTimeout);

  // Returns the error for a scheduler that was not reached within `timeout`; 0: without waiting.
  absl::Status NoAnswer(Milliseconds timeout = kTimeout) const;

  // Converts `status` to the error to print. If the scheduler did not answer, the error contains
  // advice.
  absl::Status Explain(const grpc::Status& status) const;

 private:
  Connection(const SchedulerEndpoint& endpoint,
             std::shared_ptr<grpc::ChannelCredentials> credentials);

  template <typename Stub>
  Stub& StubOf() {
    if constexpr (std::is_same_v<Stub, v1::JobService::Stub>) {
      return *jobs_;
    } else if constexpr (std::is_same_v<Stub, v1::WorkerService::Stub>) {
      return *workers_;
    } else if constexpr (std::is_same_v<Stub, v1::BaseService::Stub>) {
      return *bases_;
    } else if constexpr (std::is_same_v<Stub, v1::FleetService::Stub>) {
      return *fleet_;
    } else if constexpr (std::is_same_v<Stub, v1::UpkeepService::Stub>) {
      return *upkeep_;
    } else {
      return *registry_;
    }
  }

  const std::string address_;
  const bool tls_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::JobService::Stub> jobs_;
  const std::unique_ptr<v1::WorkerService::Stub> workers_;
  const std::unique_ptr<v1::RegistryService::Stub> registry_;
  const std::unique_ptr<v1::BaseService::Stub> bases_;
  const std::unique_ptr<v1::FleetService::Stub> fleet_;
  const std::unique_ptr<v1::UpkeepService::Stub> upkeep_;
};

}  // namespace mozgach
