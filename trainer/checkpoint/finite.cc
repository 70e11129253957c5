#include "trainer/checkpoint/finite.h"

#include <ATen/Parallel.h>
#include <ATen/ops/isfinite.h>

#include <atomic>
#include <cstdint>

namespace mozgach {
namespace {

constexpr int64_t kElementsAtOnce = 1 << 18;

// A number is not finite if all bits of its exponent are set. Compares integers, which the compiler
// vectorises.
template <typename Bits>
bool Finite(const Bits* bits, int64_t count, Bits exponent) {
  Bits found = 0;
  for (int64_t i = 0; i < count; ++i) {
    found |= static_cast<Bits>((bits[i] & exponent) == exponent);
  }
  return found == 0;
}

template <typename Bits>
bool FiniteInParallel(const at::Tensor& tensor, Bits exponent) {
  const auto* bits = static_cast<const Bits*>(tensor.const_data_ptr());
  std::atomic<bool> finite = true;
  at::parallel_for(0, tensor.numel(), kElementsAtOnce, [&](int64_t begin, int64_t end) {
    if (!Finite<Bits>(bits + begin, end - begin, exponent)) finite = false;
  });
  return finite;
}

}  // namespace

bool AllFinite(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kBFloat16:
      return FiniteInParallel<uint16_t>(tensor, 0x7f80);
    case at::kHalf:
      return FiniteInParallel<uint16_t>(tensor, 0x7c00);
    case at::kFloat:
      return FiniteInParallel<uint32_t>(tensor, 0x7f800000);
    default:
      return at::isfinite(tensor).all().item<bool>();
  }
}

}  // namespace mozgach
