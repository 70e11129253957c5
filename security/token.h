// A bearer token is NAME.SECRET: the name of its owner and 256 random bits in base64url. The
// scheduler stores only the token's SHA-256. With that many random bits a slow hash adds nothing.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "common/status.h"

namespace mozgach {

// REQUIRES: CheckIdentityName(name).ok().
std::string NewToken(std::string_view name);

// The name it says it is for; INVALID_ARGUMENT for what has not the form of a token.
absl::StatusOr<std::string> NameInToken(std::string_view token);

// 64 lower-case hex digits.
std::string DigestOfToken(std::string_view token);

// In a time that depends on the lengths only.
bool SameDigest(std::string_view a, std::string_view b);

// The token in a file, white space around it taken off.  INVALID_ARGUMENT when others than its
// owner may read the file, or when it holds something else.
absl::StatusOr<std::string> ReadTokenFile(const std::filesystem::path& path);

}  // namespace mozgach
