// The 8-bit dynamic type without a sign (bitsandbytes' create_dynamic_map(signed=False)), which
// holds the second moments of an 8-bit optimizer.  The signed one is in nf4.h.
#pragma once

#include <array>

namespace mozgach {

// 0, then seven decades of levels from 5.5e-7 to 1, ascending.
const std::array<float, 256>& UnsignedDynamicLevels();

}  // namespace mozgach
