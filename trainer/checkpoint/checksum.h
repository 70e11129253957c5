// A checksum that detects damage (flipped bits, pages that were never written) but not malicious
// changes. As fast as reading memory.
#pragma once

#include <cstdint>
#include <string_view>

namespace mozgach {

uint64_t Checksum(std::string_view bytes);

// Combines the checksums of several pieces, in order. Start with `all` = 0.
inline uint64_t JoinChecksums(uint64_t all, uint64_t next) {
  return (all ^ next) * 0x9e3779b97f4a7c15u + (all >> 29);
}

}  // namespace mozgach
