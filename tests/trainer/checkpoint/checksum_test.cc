#include "trainer/checkpoint/checksum.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mozgach {
namespace {

TEST(ChecksumTest, EveryBitAndEveryLengthCounts) {
  std::string bytes(150, 'x');
  std::set<uint64_t> seen = {Checksum(bytes)};
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      EXPECT_TRUE(seen.insert(Checksum(bytes)).second) << at << " " << bit;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
    }
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_TRUE(seen.insert(Checksum(bytes.substr(0, size))).second) << size;
    EXPECT_TRUE(seen.insert(Checksum(std::string(size, '\0'))).second || size == 0) << size;
  }
}

TEST(ChecksumTest, PiecesThatChangePlacesAreNoticed) {
  const uint64_t a = Checksum("a"), b = Checksum("b");
  EXPECT_NE(JoinChecksums(JoinChecksums(0, a), b), JoinChecksums(JoinChecksums(0, b), a));
}

}  // namespace
}  // namespace mozgach
