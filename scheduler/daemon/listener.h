// How the scheduler listens: TLS, a Unix socket of mode 0600, or plaintext where that is safe or
// was asked for in as many words.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <filesystem>
#include <memory>
#include <string>

#include "common/status.h"
#include "scheduler/access/authenticator.h"
#include "scheduler/access/certificate_watch.h"

namespace mozgach {

// INVALID_ARGUMENT, with what to do, when `address` is not this machine's alone and neither TLS
// guards it nor `insecure_plaintext` says that nothing shall.  `flag` is how a person names it.
absl::Status CheckListen(const char* flag, const std::string& address, bool tls,
                         bool insecure_plaintext);

// For a port at `address`: TLS with the folder's certificate where there is a folder, looked at
// every second; a Unix socket is always plain.  `authenticator` and `watch`, which is set where
// there is TLS, outlive the server.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> CredentialsToListen(
    const std::string& address, const std::filesystem::path& tls, Authenticator& authenticator,
    std::unique_ptr<CertificateWatch>& watch);

// Files made while it lives are their owner's only: a Unix socket has no moment in which others
// could connect.  For the whole process; make it for no longer than that takes.
class OwnerOnly {
 public:
  OwnerOnly();
  ~OwnerOnly();
  OwnerOnly(const OwnerOnly&) = delete;

 private:
  const mode_t before_;
};

// FAILED_PRECONDITION when something listens on that socket already, or no socket lies there; what
// is left of a program that has ended is not in the way.
absl::Status CheckSocketFree(const std::string& address);

}  // namespace mozgach
