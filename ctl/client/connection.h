// A Connection is mozgachctl's way to one scheduler: the six services over one channel, and the
// timeout it has with them.  One thread at a time, but for the stubs, which are thread-safe.
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

// A payload of DATA_LOSS: something is damaged at the scheduler, and no file of the caller.
inline constexpr char kAtScheduler[] = "mozgach/at-scheduler";

class Connection {
 public:
  // How long a scheduler may take to answer.
  static constexpr Milliseconds kTimeout{10'000};
  // What goes over many files or many rows may take longer.
  static constexpr Milliseconds kLongCall{600'000};
  // What moves a file: slower than 100 kB/s on average it is cut, and goes on where it was.
  static std::chrono::system_clock::time_point DeadlineOfTransfer(uint64_t bytes) {
    return std::chrono::system_clock::now() + std::chrono::seconds(60 + bytes / 100'000);
  }
  // What reads every byte there is.
  static constexpr Milliseconds kDeepCall{24 * 3600'000};

  // INVALID_ARGUMENT for a endpoint that leads nowhere or should not be gone through
  // (CredentialsFor); UNAVAILABLE, with what to try, when nothing that speaks gRPC answers there
  // within `timeout`; at once where the connection is refused or the host does not exist.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const SchedulerEndpoint& endpoint,
                                                          Milliseconds timeout = kTimeout);

  // The answer to one unary call: Call(&v1::JobService::Stub::List, request).
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request, Milliseconds within = kTimeout) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + within);
    context.set_wait_for_ready(true);  // a scheduler that restarts just now is waited for
    Response response;
    const grpc::Status status = (StubOf<Stub>().*method)(&context, request, &response);
    if (!status.ok()) return Explain(status);
    return response;
  }

  // One try of a unary call: it fails at once where the scheduler cannot be reached.
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

  // gRPC works on a lost connection only while somebody waits: a TLS handshake takes several steps,
  // and calls that fail at once leave no time for them.  Waits for `time`, or until the channel is
  // connected: true.
  bool AwaitConnection(Milliseconds time) const;
  bool IsConnected() const { return channel_->GetState(false) == GRPC_CHANNEL_READY; }

  // Waits until the scheduler can be reached: at once where it is.  UNAVAILABLE, with what to try.
  absl::Status WaitUntilUp(Milliseconds timeout = kTimeout);

  // The error for a scheduler that was not reached within `timeout`; 0: at once.
  absl::Status NoAnswer(Milliseconds timeout = kTimeout) const;

  // What the scheduler answered; when it did not answer, what to try.
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
