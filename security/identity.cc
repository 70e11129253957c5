#include "security/identity.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace mozgach {
namespace {

constexpr char kScheme[] = "mozgach://";
constexpr char kIssued[] = "?issued=";
constexpr size_t kNameBytesMax = 64;
constexpr size_t kUriBytesMax = 256;

bool IsPlain(char c) { return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-'; }

}  // namespace

const char* Name(Role role) {
  switch (role) {
    case Role::kViewer:
      return "viewer";
    case Role::kSubmitter:
      return "submitter";
    case Role::kOperator:
      return "operator";
    case Role::kWorker:
      return "worker";
  }
  return "";
}

absl::StatusOr<Role> RoleFrom(std::string_view name) {
  for (const Role role : kRoles) {
    if (name == Name(role)) return role;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("there is no role '", absl::CHexEscape(std::string(name.substr(0, 80))),
                   "'; there are viewer, submitter, operator and worker"));
}

absl::Status CheckIdentityName(std::string_view name) {
  if (!name.empty() && name.size() <= kNameBytesMax && absl::ascii_isalnum(name.front()) &&
      std::all_of(name.begin(), name.end(), IsPlain)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "'", absl::CHexEscape(std::string(name.substr(0, 80))),
      "' is not a name: use 1 to 64 letters, digits, '.', '_' and '-', a letter or digit first"));
}

std::string UriOf(const Identity& identity) {
  return absl::StrCat(kScheme, Name(identity.role), "/", identity.name, kIssued,
                      ToMillis(identity.issued));
}

absl::StatusOr<Identity> IdentityFromUri(std::string_view uri) {
  Identity identity;
  const size_t role = std::string_view(kScheme).size();
  const size_t slash = uri.find('/', role);
  const size_t issued = uri.find(kIssued);
  int64_t millis = 0;
  const std::string_view digits =
      issued == uri.npos ? "" : uri.substr(issued + std::string_view(kIssued).size());
  if (uri.size() > kUriBytesMax || uri.substr(0, role) != kScheme || slash == uri.npos ||
      issued == uri.npos || issued < slash || digits.empty() || digits.size() > 15 ||
      !std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(absl::string_view(digits.data(), digits.size()), &millis)) {
    return absl::InvalidArgumentError("the certificate names nobody of a fleet");
  }
  ASSIGN_OR_RETURN(identity.role, RoleFrom(uri.substr(role, slash - role)));
  identity.name = std::string(uri.substr(slash + 1, issued - slash - 1));
  RETURN_IF_ERROR(CheckIdentityName(identity.name));
  identity.issued = FromMillis(millis);
  return identity;
}

}  // namespace mozgach
