#include "scheduler/state/counters.h"

#include <algorithm>

namespace mozgach {

void Histogram::Observe(double value) {
  const auto bound = std::lower_bound(bounds.begin(), bounds.end(), value);
  ++counts[static_cast<size_t>(bound - bounds.begin())];
  sum += value;
}

}  // namespace mozgach
