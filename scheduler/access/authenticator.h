// The Authenticator identifies callers and checks what they may call. Thread-safe.
//
// On a TLS port an AuthProcessor asks it before any message of a call is read, so that strangers
// cannot make the scheduler parse anything. Services ask it again for the caller's identity. A
// plaintext port is local (loopback or a socket of mode 0600) unless the operator allowed others
// explicitly. Plaintext callers have the operator role.
#pragma once

#include <grpcpp/security/auth_metadata_processor.h>
#include <grpcpp/server_context.h>

#include <memory>
#include <string>

#include "common/clock.h"
#include "common/status.h"
#include "scheduler/access/rate_limit.h"
#include "scheduler/access/refused_calls.h"
#include "scheduler/access/token_store.h"

namespace mozgach {

// OK for what a caller may call itself: at most 256 bytes, nothing that would break a line.
absl::Status CheckActor(const std::string& actor);

struct Caller {
  bool local = false;  // came in plaintext: no name of its own
  Role role = Role::kOperator;
  std::string name;

  // For the event log: its name; of a local caller what it says it is.
  std::string Actor(const std::string& claimed) const;
  // OK when it may speak for this worker: a worker for itself only.
  absl::Status CheckIsWorker(const std::string& worker) const;
};

class Authenticator {
 public:
  // How one comes in: what the port is, never what a connection says of itself.
  enum class Port { kPlaintext, kTls };

  // Both outlive the authenticator.
  Authenticator(Port port, const TokenStore& tokens, const Clock& clock, double calls_per_second);

  // UNAUTHENTICATED says what is missing.
  absl::StatusOr<Caller> Identify(const grpc::AuthContext& connection,
                                  const grpc::AuthMetadataProcessor::InputMetadata& metadata) const;
  absl::StatusOr<Caller> CallerOf(const grpc::CallbackServerContext& context) const;

  // `request` with who sent it as its `actor`.
  template <typename Request>
  absl::StatusOr<Request> Sign(const grpc::CallbackServerContext& context, Request request) const {
    ASSIGN_OR_RETURN(const Caller caller, CallerOf(context));
    RETURN_IF_ERROR(CheckActor(request.actor()));
    request.set_actor(caller.Actor(request.actor()));
    return request;
  }

  // PERMISSION_DENIED where its role does not suffice, RESOURCE_EXHAUSTED where it calls too often.
  absl::Status Admit(const Caller& caller, std::string_view path);

  // Counts `refusal` of a call of `caller` (null: not identified) of the method at `path`, unless
  // it is OK.
  void CountRefusal(const absl::Status& refusal, const Caller* caller, std::string_view path) const;
  RefusedCalls& refused() const { return refused_; }

 private:
  const Port port_;
  const TokenStore& tokens_;
  const Clock& clock_;
  RateLimit rate_;
  mutable RefusedCalls refused_;
};

// The authenticator outlives it.
std::shared_ptr<grpc::AuthMetadataProcessor> MakeAuthProcessor(Authenticator& authenticator);

}  // namespace mozgach
