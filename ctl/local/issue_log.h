// The record of certificates that an authority has issued for callers: `issued.jsonl` beside its
// key. `mozgachctl fleet revoke` sends the issue times of the revoked name. Otherwise a certificate
// from a clock that was ahead, never shown before, could not be told from a later one.
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

// Appends `identity`, and returns OK when it is on disk. Safe beside other processes. Half a line
// that a crash left at the end is removed: its certificate was not made.
absl::Status RecordIssue(const std::filesystem::path& authority, const Identity& identity);

// When certificates for `name` were issued, the oldest first. NOT_FOUND: `authority` has no such
// file. DATA_LOSS names the line that is not one of RecordIssue's.
absl::StatusOr<std::vector<WallTime>> IssueTimes(const std::filesystem::path& authority,
                                                 const std::string& name);

}  // namespace mozgach
