#include "trainer/checkpoint/checksum.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace mozgach {
namespace {

// The number of multiplications that a processor runs in parallel.
constexpr size_t kLanes = 8;
constexpr uint64_t kOdd = 0x9fb21c651e98df25u;

}  // namespace

uint64_t Checksum(std::string_view bytes) {
  uint64_t lanes[kLanes];
  for (size_t i = 0; i < kLanes; ++i) lanes[i] = 0xcbf29ce484222325u + i;
  size_t at = 0;
  for (; at + sizeof(lanes) <= bytes.size(); at += sizeof(lanes)) {
    uint64_t words[kLanes];
    std::memcpy(words, bytes.data() + at, sizeof(words));
    // Rotated, because a bit at the top would not affect further multiplications.
    for (size_t i = 0; i < kLanes; ++i) lanes[i] = std::rotl((lanes[i] ^ words[i]) * kOdd, 31);
  }
  uint64_t all = bytes.size();
  for (uint64_t lane : lanes) all = JoinChecksums(all, lane ^ (lane >> 32));
  for (; at < bytes.size(); ++at) all = JoinChecksums(all, static_cast<unsigned char>(bytes[at]));
  return all;
}

}  // namespace mozgach
