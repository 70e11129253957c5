#include "common/random.h"

#include <cstddef>

namespace mozgach {

std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * counter[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(product0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

Random::Random(uint64_t seed, RandomStream stream, uint32_t a, uint32_t b)
    : counter_{0, static_cast<uint32_t>(stream), a, b},
      key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)} {}

uint32_t Random::Next() {
  if (used_ == 4) {
    block_ = Philox4x32(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[static_cast<size_t>(used_++)];
}

double Random::Uniform() { return Next() * 0x1p-32; }

uint32_t Random::Below(uint32_t bound) {
  const uint32_t unfair =
      -bound % bound;  // 2^32 modulo bound: so many numbers would come too often
  uint32_t number;
  do {
    number = Next();
  } while (number < unfair);
  return number % bound;
}

}  // namespace mozgach
