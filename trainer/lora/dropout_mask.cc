#include "trainer/lora/dropout_mask.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>

#include "common/random.h"

namespace mozgach {
namespace {

constexpr int64_t kNumbersPerBlock = 4;
constexpr int64_t kGrainBlocks = 1024;

}  // namespace

at::Tensor DropoutMask(const DropoutKey& key, double probability, int64_t rows, int64_t columns,
                       const at::TensorOptions& options) {
  at::Tensor mask = at::empty({rows, columns}, at::kFloat);
  float* values = mask.mutable_data_ptr<float>();
  const int64_t count = rows * columns;
  const auto kept = static_cast<float>(1.0 / (1.0 - probability));
  const auto threshold = static_cast<uint64_t>(probability * 0x1p32);
  const uint32_t place = static_cast<uint32_t>(RandomStream::kDropout) | key.place << 8;
  const std::array<uint32_t, 2> seed = {static_cast<uint32_t>(key.seed),
                                        static_cast<uint32_t>(key.seed >> 32)};
  const int64_t blocks = (count + kNumbersPerBlock - 1) / kNumbersPerBlock;
  at::parallel_for(0, blocks, kGrainBlocks, [&](int64_t first, int64_t last) {
    for (int64_t block = first; block < last; ++block) {
      const auto numbers =
          Philox4x32({static_cast<uint32_t>(block), place, key.micro_batch, key.step}, seed);
      const int64_t begin = block * kNumbersPerBlock;
      for (int64_t i = begin; i < std::min(count, begin + kNumbersPerBlock); ++i) {
        values[i] = numbers[static_cast<size_t>(i - begin)] < threshold ? 0.0f : kept;
      }
    }
  });
  return mask.to(options);
}

}  // namespace mozgach
