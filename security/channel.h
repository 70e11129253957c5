// With what a client comes to a scheduler's endpoint, and what it insists on there.
#pragma once

#include <grpcpp/security/credentials.h>

#include <filesystem>
#include <memory>
#include <string>

#include "common/status.h"

namespace mozgach {

struct SchedulerEndpoint {
  std::string address;              // HOST:PORT or unix:PATH
  std::filesystem::path tls;        // credentials_folder.h; empty: none
  std::string token;                // goes before the folder's; empty: none
  bool insecure_plaintext = false;  // another host may be spoken to without TLS
};

// TLS where there is a folder, with its certificate and the token; the files are looked at every
// second, so that those replaced are used for new connections.  Plaintext to this machine, without
// a token; a Unix socket is always plain, its file's mode guards it.  INVALID_ARGUMENT, with what
// to do, for plaintext to another host unless `insecure_plaintext`, and in any case with a token.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> CredentialsFor(
    const SchedulerEndpoint& endpoint);

}  // namespace mozgach
