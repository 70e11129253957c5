#include "planner/token_estimate.h"

namespace mozgach {
namespace {

constexpr double kBytesPerToken = 3.2;
constexpr int64_t kMarkers = 24;

}  // namespace

int64_t EstimateTokens(int64_t text_bytes) {
  return kMarkers + static_cast<int64_t>(static_cast<double>(text_bytes) / kBytesPerToken);
}

}  // namespace mozgach
