#include "security/token.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "security/credentials_folder.h"
#include "security/identity.h"

namespace mozgach {
namespace {

constexpr size_t kSecretBytes = 32;
constexpr size_t kSecretChars = 43;  // characters of base64url without padding
constexpr uint64_t kTokenFileMax = 4096;

bool IsBase64Url(char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; }

}  // namespace

std::string NewToken(std::string_view name) {
  unsigned char secret[kSecretBytes];
  // A machine without random numbers can do nothing safely.
  if (RAND_bytes(secret, sizeof(secret)) != 1) std::abort();
  std::string text = absl::WebSafeBase64Escape(
      absl::string_view(reinterpret_cast<const char*>(secret), sizeof(secret)));
  OPENSSL_cleanse(secret, sizeof(secret));
  return absl::StrCat(std::string(name), ".", text);
}

absl::StatusOr<std::string> NameInToken(std::string_view token) {
  const size_t dot = token.rfind('.');
  if (dot == token.npos || token.size() - dot - 1 != kSecretChars ||
      !std::all_of(token.begin() + static_cast<ptrdiff_t>(dot) + 1, token.end(), IsBase64Url) ||
      !CheckIdentityName(token.substr(0, dot)).ok()) {
    return absl::InvalidArgumentError(
        "this is not a token: a token is NAME.SECRET, as `mozgachctl fleet token` prints it");
  }
  return std::string(token.substr(0, dot));
}

std::string DigestOfToken(std::string_view token) { return Sha256Hex(token); }

bool SameDigest(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

absl::StatusOr<std::string> ReadTokenFile(const std::filesystem::path& path) {
  RETURN_IF_ERROR(CheckOwnerOnly(path));
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kTokenFileMax));
  std::string token(absl::StripAsciiWhitespace(text));
  if (absl::Status status = NameInToken(token).status(); !status.ok()) {
    return Annotate(status, path.string());
  }
  return token;
}

}  // namespace mozgach
