#include "registry/version.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"

namespace mozgach {

std::string VersionName(int64_t number) { return absl::StrFormat("v%04d", number); }

std::optional<int64_t> ParseVersionName(std::string_view text) {
  if (!text.empty() && text[0] == 'v') text.remove_prefix(1);
  if (text.empty() || text.size() > 18 ||
      !std::all_of(text.begin(), text.end(), absl::ascii_isdigit)) {
    return std::nullopt;
  }
  int64_t number = 0;
  if (!absl::SimpleAtoi(absl::string_view(text.data(), text.size()), &number)) return std::nullopt;
  return number > 0 ? std::optional<int64_t>(number) : std::nullopt;
}

}  // namespace mozgach
