// The authority of a fleet: makes itself and signs certificates.  P-256 keys, ECDSA with SHA-256.
//
// Valid from an hour before `now`, so that a host whose clock is a little behind takes it.
#pragma once

#include <string>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "security/identity.h"

namespace mozgach {

struct KeyAndCertificate {
  std::string key_pem;
  std::string certificate_pem;
};

// Signed by itself, for certificates of ends only (no authority below it).
absl::StatusOr<KeyAndCertificate> MakeAuthority(const std::string& name, WallTime now, int days);

// For a scheduler that is called by these names and IP addresses.  It is nobody's to call with.
// INVALID_ARGUMENT for what is neither.
absl::StatusOr<KeyAndCertificate> IssueForHosts(const KeyAndCertificate& authority,
                                                const std::vector<std::string>& hosts, WallTime now,
                                                int days);

// For somebody who calls: identity.h.  `identity.issued` is `now`.
absl::StatusOr<KeyAndCertificate> IssueForCaller(const KeyAndCertificate& authority, Role role,
                                                 const std::string& name, WallTime now, int days);

}  // namespace mozgach
