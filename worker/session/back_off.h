// A BackOff says how long to wait before the next try: doubling from `first` up to `longest`,
// spread by ±50 % so that a fleet that lost its scheduler does not come back in step.  Same seed,
// same waits. Not thread-safe.
#pragma once

#include <algorithm>
#include <random>

#include "common/clock.h"

namespace mozgach {

class BackOff {
 public:
  BackOff(Milliseconds first, Milliseconds longest, uint64_t seed)
      : first_(first), longest_(longest), random_(seed) {}

  // After one more failure.
  Milliseconds Next() {
    const Milliseconds middle =
        std::min(longest_, first_ * (int64_t{1} << std::min(failures_, 30)));
    ++failures_;
    const int64_t spread = middle.count();
    return middle / 2 + Milliseconds(spread > 0 ? static_cast<int64_t>(random_() % spread) : 0);
  }

  void Reset() { failures_ = 0; }
  int failures() const { return failures_; }

 private:
  const Milliseconds first_;
  const Milliseconds longest_;
  int failures_ = 0;
  std::mt19937_64 random_;
};

}  // namespace mozgach
