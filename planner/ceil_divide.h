// How many parts of `b` cover `a`; both positive.  The planner's count of blocks is the trainer's.
#pragma once

#include <cstdint>

namespace mozgach {

constexpr int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace mozgach
