// What stands in a certificate.  PEM in, facts out; thread-safe.
#pragma once

#include <string>

#include "common/clock.h"
#include "common/status.h"

namespace mozgach {

struct CertificateFacts {
  std::string common_name;
  WallTime not_before{};
  WallTime not_after{};
  bool serves = false;  // it may be shown to those who call; otherwise only by one who calls
};

// Returns the facts of the first certificate in `pem`. INVALID_ARGUMENT if it contains none.
absl::StatusOr<CertificateFacts> ReadCertificate(const std::string& pem);

// OK when the private key is that of the certificate.
absl::Status CheckKey(const std::string& certificate_pem, const std::string& key_pem);

// OK when one of the authorities in `authority_pem` has signed the certificate.
absl::Status CheckSigned(const std::string& certificate_pem, const std::string& authority_pem);

}  // namespace mozgach
