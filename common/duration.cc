#include "common/duration.h"

#include <set>

namespace mozgach {

absl::StatusOr<Milliseconds> ParseDurationOrZero(const std::string& text) {
  static const std::set<std::string> kZero = {"0", "0s", "0m", "0h", "0d"};
  return kZero.contains(text) ? Milliseconds(0) : ParseDuration(text);
}

}  // namespace mozgach
