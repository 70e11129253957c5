// A CredentialsFolder holds the credentials of one program or person, and the authority that
// verifies its peers. `mozgachctl fleet` makes them:
//
//   ca.pem            the fleet's authority
//   certificate.pem   its own, with key.pem, mode 0600; absent where there is only a token
//   token             mode 0600; where there is one, it says who calls
//
// The files may be replaced while a program runs: new connections use the new ones.
#pragma once

#include <filesystem>

#include "common/status.h"

namespace mozgach {

// OK for a regular file that only its owner can read.  NOT_FOUND; INVALID_ARGUMENT says which
// command mends it.
absl::Status CheckOwnerOnly(const std::filesystem::path& path);

class CredentialsFolder {
 public:
  // Checks what is there: that certificates can be read, that the key is its certificate's and its
  // owner's only, that the authority signed the certificate and that it has not expired.
  static absl::StatusOr<CredentialsFolder> Open(const std::filesystem::path& folder);

  std::filesystem::path authority() const { return folder_ / "ca.pem"; }
  std::filesystem::path certificate() const { return folder_ / "certificate.pem"; }
  std::filesystem::path key() const { return folder_ / "key.pem"; }
  std::filesystem::path token() const { return folder_ / "token"; }
  bool has_certificate() const { return has_certificate_; }
  bool has_token() const { return has_token_; }
  // The common name of the certificate; empty: there is none.
  const std::string& name() const { return name_; }
  // Whether the certificate is a scheduler's: one that is shown to those who call.
  bool serves() const { return serves_; }

 private:
  explicit CredentialsFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  absl::Status CheckOwn();

  std::filesystem::path folder_;
  bool has_certificate_ = false;
  bool has_token_ = false;
  bool serves_ = false;
  std::string name_;
};

}  // namespace mozgach
