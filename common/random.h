// Random numbers that are a pure function of (seed, stream, counter): Philox4x32-10
// (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).  No state to save in a
// checkpoint, the same on every machine.
#pragma once

#include <array>
#include <cstdint>

namespace mozgach {

// Ten rounds of Philox4x32 over one counter.
std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// What a stream of numbers is for; two purposes never share numbers.
enum class RandomStream : uint32_t {
  kShuffle = 1,
  kValidation = 2,
  kLoraInit = 3,
  kDropout = 4,
  kSampling = 5
};

// One stream, 2^34 numbers long.  Plain value; one thread at a time.
class Random {
 public:
  // `a` and `b` tell streams of one purpose apart (epoch; layer and step).
  Random(uint64_t seed, RandomStream stream, uint32_t a = 0, uint32_t b = 0);

  uint32_t Next();
  double Uniform();                // [0, 1), 32 bits
  uint32_t Below(uint32_t bound);  // [0, bound), unbiased.  REQUIRES: bound > 0.

 private:
  std::array<uint32_t, 4> counter_;
  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> block_{};
  int used_ = 4;
};

}  // namespace mozgach
