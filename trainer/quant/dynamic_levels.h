// The unsigned 8-bit dynamic type (bitsandbytes' create_dynamic_map(signed=False)), which stores
// the second moments of an 8-bit optimizer. nf4.h has the signed type.
#pragma once

#include <array>

namespace mozgach {

// 0, then seven decades of levels from 5.5e-7 to 1, ascending.
const std::array<float, 256>& UnsignedDynamicLevels();

}  // namespace mozgach
