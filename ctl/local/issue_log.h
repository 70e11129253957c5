// The record of certificates that an authority has issued for callers: `issued.jsonl` beside its
// key. `mozgachctl fleet revoke` sends the issue times of the revoked name. Without them, the
// scheduler could not tell an unused certificate from a clock that was ahead from a certificate
// issued after the revocation.
//
// One JSON object per line: {"name": "gpu1", "role": "worker", "issued_ms": 1795297442118}.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "security/identity.h"

namespace mozgach {

// Appends `identity`, and returns OK when it is on disk. Other processes may call this at the same
// time. Removes a partial last line left by a crash; its certificate was not created.
absl::Status RecordIssue(const std::filesystem::path& authority, const Identity& identity);

// Returns the times when certificates for `name` were issued, oldest first. NOT_FOUND if
// `authority` has no such file. DATA_LOSS names a malformed line.
absl::StatusOr<std::vector<WallTime>> IssueTimes(const std::filesystem::path& authority,
                                                 const std::string& name);

}  // namespace mozgach
