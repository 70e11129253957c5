// A checksum against damage (bits that flipped, pages that were never written), not against malice:
// as fast as memory is read.
#pragma once

#include <cstdint>
#include <string_view>

namespace mozgach {

uint64_t Checksum(std::string_view bytes);

// Of several pieces in this order: start with 0.
inline uint64_t JoinChecksums(uint64_t all, uint64_t next) {
  return (all ^ next) * 0x9e3779b97f4a7c15u + (all >> 29);
}

}  // namespace mozgach
