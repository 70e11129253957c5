// mozgachctl fleet revoke: a name that was mistyped does not look like a success.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/ctl/fake_scheduler.h"
#include "tests/ctl/program.h"

namespace mozgach {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RevokeTest : public testing::Test, public ProgramTest {
 protected:
  Said Revoke(std::vector<std::string> words) {
    words.insert(words.begin(), {"--scheduler", scheduler_.address(), "fleet", "revoke"});
    return RunCtl(words);
  }

  FakeScheduler scheduler_;
};

TEST_F(RevokeTest, ANameThatNobodyHasIsRefusedWithTheNearest) {
  scheduler_.fleet.tokens = {"alice"};
  const Said said = Revoke({"alcie"});
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_THAT(said.err, HasSubstr("nothing was revoked: no token of alcie is known"));
  EXPECT_THAT(said.err, HasSubstr("did you mean alice?"));
  EXPECT_THAT(Revoke({"hots1"}).err, HasSubstr("did you mean host1?"));  // a worker
  EXPECT_THAT(Revoke({"somebody-else"}).err, HasSubstr("add --certificate"));
  EXPECT_THAT(scheduler_.fleet.revoked, IsEmpty());
}

TEST_F(RevokeTest, TokensWorkersAndThoseRevokedBeforeAreKnown) {
  scheduler_.fleet.tokens = {"alice"};
  scheduler_.fleet.revoked = {"bob"};
  for (const char* name : {"alice", "bob", "host1"}) {
    EXPECT_EQ(Revoke({name}).exit_code, 0) << name;
  }
  EXPECT_THAT(scheduler_.fleet.revoked, ElementsAre("bob", "alice", "bob", "host1"));
}

TEST_F(RevokeTest, WhoHasACertificateOnlyIsRevokedInAsManyWords) {
  const Said said = Revoke({"carol", "--certificate"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("Certificates of carol made before"));
  EXPECT_THAT(scheduler_.fleet.revoked, ElementsAre("carol"));
}

TEST_F(RevokeTest, WhatTheAuthorityIssuedIsNamed) {
  EXPECT_EQ(RunCtl({"fleet", "init", "--host", "localhost"}).exit_code, 0);
  EXPECT_EQ(RunCtl({"fleet", "worker", "host1"}).exit_code, 0);
  EXPECT_EQ(RunCtl({"fleet", "worker", "host1", "--replace"}).exit_code, 0);
  EXPECT_EQ(Revoke({"host1"}).err, "");
  EXPECT_THAT(scheduler_.fleet.issued, testing::SizeIs(2));
  std::filesystem::rename(root() / "fleet", root() / "elsewhere");
  EXPECT_THAT(Revoke({"host1"}).err, HasSubstr("repeat this with --dir"));
  EXPECT_THAT(scheduler_.fleet.issued, testing::SizeIs(2));
  EXPECT_EQ(Revoke({"host1", "--dir", "elsewhere"}).err, "");
  EXPECT_THAT(scheduler_.fleet.issued, testing::SizeIs(4));
  const Said nowhere = Revoke({"host1", "--dir", "nowhere"});
  EXPECT_NE(nowhere.exit_code, 0);
  EXPECT_THAT(nowhere.err, HasSubstr("nowhere/issued.jsonl is not there"));
}

}  // namespace
}  // namespace mozgach
