#include "common/digest.h"

#include "gtest/gtest.h"

namespace mozgach {
namespace {

TEST(DigestTest, OfTheEmptyTextIsTheKnownOne) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(DigestTest, PiecesGiveTheDigestOfTheWhole) {
  Sha256 sha;
  sha.Update("ab");
  sha.Update("c");
  EXPECT_EQ(sha.Finish(), Sha256Hex("abc"));
}

TEST(DigestTest, OnlySixtyFourLowerCaseHexDigitsNameABlob) {
  EXPECT_TRUE(IsSha256Hex(Sha256Hex("x")));
  EXPECT_FALSE(IsSha256Hex("../../etc/passwd"));
  EXPECT_FALSE(IsSha256Hex(std::string(64, 'A')));
  EXPECT_FALSE(IsSha256Hex(std::string(63, 'a')));
}

TEST(DigestTest, OfAMissingFileNamesIt) {
  const auto digest = Sha256OfFile("/nowhere/file");
  ASSERT_FALSE(digest.ok());
  EXPECT_EQ(digest.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(digest.status().message().find("/nowhere/file"), std::string::npos);
}

}  // namespace
}  // namespace mozgach
