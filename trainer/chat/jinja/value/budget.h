// A Budget bounds what one rendering may cost, in time and in memory: a template comes from a
// download and is not trusted.  One unit is one step of the interpreter or 16 bytes made.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/status.h"

namespace mozgach::jinja {

class Budget {
 public:
  static constexpr int64_t kUnits = 20'000'000;

  // To be called before `bytes` are made.  RESOURCE_EXHAUSTED when the budget is used up.
  absl::Status Spend(size_t bytes = 0) {
    const auto cost = static_cast<int64_t>(bytes / 16);  // fits: bytes / 16 < 2^60
    if (cost >= units_) {
      return absl::ResourceExhaustedError(
          "the chat template takes too many steps or makes too much text");
    }
    units_ -= cost + 1;
    return absl::OkStatus();
  }

 private:
  int64_t units_ = kUnits;
};

}  // namespace mozgach::jinja
