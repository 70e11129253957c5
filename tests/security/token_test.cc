#include "security/token.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <set>

#include "tests/registry/temporary_directory.h"

namespace mozgach {
namespace {

TEST(TokenTest, EachIsAnotherAndNamesWhomItIsFor) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string token = NewToken("alice.b");
    EXPECT_EQ(*NameInToken(token), "alice.b");
    EXPECT_EQ(token.size(), std::string("alice.b.").size() + 43);
    EXPECT_TRUE(seen.insert(token).second);
  }
}

TEST(TokenTest, WhatHasNotTheFormIsRefused) {
  const std::string token = NewToken("alice");
  for (const std::string& text :
       {std::string(), std::string("alice"), token + "x",
        token.substr(1 + std::string("alice").size()), "../" + token, std::string(43, 'a'),
        "." + std::string(43, 'a'), token + "\n", std::string(100000, 'a')}) {
    EXPECT_FALSE(NameInToken(text).ok()) << text.substr(0, 60);
  }
}

TEST(TokenTest, DigestsAreComparedWhole) {
  const std::string digest = DigestOfToken("a");
  EXPECT_TRUE(SameDigest(digest, DigestOfToken("a")));
  EXPECT_FALSE(SameDigest(digest, DigestOfToken("b")));
  EXPECT_FALSE(SameDigest(digest, digest.substr(0, 63)));
  EXPECT_FALSE(SameDigest(digest, ""));
}

TEST(TokenTest, AFileThatOthersMayReadIsRefused) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "token";
  const std::string token = NewToken("alice");
  std::ofstream(path) << token << "\n";
  ::chmod(path.c_str(), 0644);
  const auto open = ReadTokenFile(path);
  EXPECT_EQ(open.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(open.status().message().find("chmod 600"), std::string::npos);
  ::chmod(path.c_str(), 0600);
  EXPECT_EQ(*ReadTokenFile(path), token);
  std::ofstream(path) << std::string(5000, 'x');
  EXPECT_FALSE(ReadTokenFile(path).ok());
}

}  // namespace
}  // namespace mozgach
