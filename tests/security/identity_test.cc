#include "security/identity.h"

#include <gtest/gtest.h>

namespace mozgach {
namespace {

TEST(IdentityTest, AUriComesBackAsItWas) {
  for (const Role role : kRoles) {
    const Identity alpha{role, "gpu-host.1_a", FromMillis(1'795'297'442'118)};
    const auto back = IdentityFromUri(UriOf(alpha));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(back->role, role);
    EXPECT_EQ(back->name, "gpu-host.1_a");
    EXPECT_EQ(back->issued, alpha.issued);
  }
}

TEST(IdentityTest, OtherUrisAreNobody) {
  for (const std::string& uri :
       {std::string(), std::string("spiffe://fleet/worker/a?issued=1"),
        std::string("mozgach://worker/alpha"), std::string("mozgach://root/alpha?issued=1"),
        std::string("mozgach://worker/?issued=1"), std::string("mozgach://worker/a/b?issued=1"),
        std::string("mozgach://worker/../b?issued=1"), std::string("mozgach://worker/a?issued="),
        std::string("mozgach://worker/a?issued=-1"), std::string("mozgach://worker/a?issued=1x"),
        std::string("mozgach://worker/a?issued=1?issued=2"), std::string("mozgach:///a?issued=1"),
        "mozgach://worker/" + std::string(10000, 'a') + "?issued=1"}) {
    EXPECT_FALSE(IdentityFromUri(uri).ok()) << uri.substr(0, 60);
  }
}

TEST(IdentityTest, NamesThatCouldBePathsOrLinesAreNone) {
  EXPECT_TRUE(CheckIdentityName("alice").ok());
  EXPECT_TRUE(CheckIdentityName(std::string(64, 'a')).ok());
  for (const std::string& name :
       {std::string(), std::string(".."), std::string(".a"), std::string("-a"), std::string("a/b"),
        std::string("a b"), std::string("a\nb"), std::string("a\0b", 3), std::string("ä"),
        std::string(65, 'a'), std::string(10000, 'a')}) {
    EXPECT_FALSE(CheckIdentityName(name).ok()) << name.substr(0, 60);
  }
}

TEST(IdentityTest, AnUnknownRoleIsToldWhichThereAre) {
  EXPECT_EQ(*RoleFrom("operator"), Role::kOperator);
  const auto root = RoleFrom("root");
  EXPECT_NE(root.status().message().find("viewer, submitter, operator and worker"),
            std::string::npos);
}

}  // namespace
}  // namespace mozgach
