#include "trainer/checkpoint/checksum.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mozgach {
namespace {

TEST(ChecksumTest, DependsOnEveryBitAndOnLength) {
  std::string bytes(150, 'x');
  const uint64_t whole = Checksum(bytes);
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      EXPECT_NE(Checksum(bytes), whole) << at << " " << bit;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
    }
  }
  std::set<uint64_t> seen;
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_TRUE(seen.insert(Checksum(std::string(size, '\0'))).second) << size;
  }
}

TEST(ChecksumTest, DependsOnOrderOfPieces) {
  const uint64_t a = Checksum("a"), b = Checksum("b");
  EXPECT_NE(JoinChecksums(JoinChecksums(0, a), b), JoinChecksums(JoinChecksums(0, b), a));
}

}  // namespace
}  // namespace mozgach
