#include "scheduler/access/token_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "registry/query.h"
#include "scheduler/jobs/event_log.h"
#include "scheduler/state/schema.h"
#include "security/token.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

class TokenStoreTest : public ::testing::Test {
 protected:
  TokenStoreTest() {
    database_ = *Database::Open(":memory:");
    EXPECT_TRUE(Migrate(*database_, Schema()).ok());
    book_ = std::make_unique<TokenStore>(*database_);
  }
  absl::Status Add(const std::string& token, Role role, WallTime expires = {},
                   bool replace = false) {
    Transaction transaction(*database_);
    RETURN_IF_ERROR(book_->Add({.name = *NameInToken(token),
                                .role = role,
                                .sha256 = DigestOfToken(token),
                                .created = now_,
                                .created_by = "boss",
                                .expires = expires},
                               replace));
    RETURN_IF_ERROR(transaction.Commit());
    return book_->Commit();
  }
  absl::Status Revoke(const std::string& name, const std::set<WallTime>& issued = {}) {
    Transaction transaction(*database_);
    RETURN_IF_ERROR(book_->Revoke({name, now_, "boss", issued}));
    RETURN_IF_ERROR(transaction.Commit());
    return book_->Commit();
  }

  const WallTime now_ = FromMillis(1'700'000'000'000);
  std::unique_ptr<Database> database_;
  std::unique_ptr<TokenStore> book_;
};

TEST_F(TokenStoreTest, ATokenCountsWhenItsTransactionDoes) {
  const std::string token = NewToken("alice");
  {
    Transaction transaction(*database_);
    ASSERT_TRUE(book_->Add({.name = "alice", .sha256 = DigestOfToken(token)}, false).ok());
  }
  ASSERT_TRUE(book_->Commit().ok());
  EXPECT_FALSE(book_->Check(token, now_).ok());
  ASSERT_TRUE(Add(token, Role::kSubmitter).ok());
  const auto alice = book_->Check(token, now_);
  ASSERT_TRUE(alice.ok()) << alice.status();
  EXPECT_EQ(alice->name, "alice");
  EXPECT_EQ(alice->role, Role::kSubmitter);
  EXPECT_EQ(Add(NewToken("alice"), Role::kViewer).code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(TokenStoreTest, AGuessLearnsNothing) {
  ASSERT_TRUE(Add(NewToken("alice"), Role::kSubmitter).ok());
  const absl::Status wrong = book_->Check(NewToken("alice"), now_).status();
  const absl::Status nobody = book_->Check(NewToken("nobody"), now_).status();
  const absl::Status nonsense = book_->Check("'; DROP TABLE tokens; --", now_).status();
  EXPECT_EQ(wrong.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(wrong, nobody);
  EXPECT_EQ(wrong, nonsense);
}

TEST_F(TokenStoreTest, ExpiresToTheMillisecond) {
  const std::string token = NewToken("alice");
  ASSERT_TRUE(Add(token, Role::kViewer, now_ + Milliseconds(1000)).ok());
  EXPECT_TRUE(book_->Check(token, now_ + Milliseconds(999)).ok());
  EXPECT_FALSE(book_->Check(token, now_ + Milliseconds(1000)).ok());
}

TEST_F(TokenStoreTest, RevokedIsRevokedAfterARestartToo) {
  const std::string token = NewToken("alice");
  ASSERT_TRUE(Add(token, Role::kViewer).ok());
  ASSERT_TRUE(Revoke("alice").ok());
  TokenStore again(*database_);
  ASSERT_TRUE(again.Recover().ok());
  for (const TokenStore* book : {book_.get(), &again}) {
    EXPECT_FALSE(book->Check(token, now_).ok());
    EXPECT_FALSE(book->CheckCertificate({Role::kWorker, "alice", now_}, now_).ok());
    EXPECT_TRUE(
        book->CheckCertificate({Role::kWorker, "alice", now_ + Milliseconds(1)}, now_).ok());
    EXPECT_TRUE(book->CheckCertificate({Role::kWorker, "bob", now_}, now_).ok());
  }
}

TEST_F(TokenStoreTest, RejectsACertificateWhoseIssueTimeIsInTheFuture) {
  const Identity hour_ahead{Role::kWorker, "alice", now_ + std::chrono::hours(1)};
  const absl::Status status = book_->CheckCertificate(hour_ahead, now_);
  EXPECT_TRUE(absl::IsUnauthenticated(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("set the clocks right"));
  EXPECT_TRUE(
      book_->CheckCertificate({Role::kWorker, "bob", now_ + Milliseconds(10'000)}, now_).ok());
  EXPECT_FALSE(
      book_->CheckCertificate({Role::kWorker, "bob", now_ + Milliseconds(10'001)}, now_).ok());
}

TEST_F(TokenStoreTest, RevocationReachesCertificatesOfAClockThatIsAhead) {
  const WallTime soon = now_ + std::chrono::seconds(5), later = now_ + std::chrono::hours(1);
  EXPECT_TRUE(book_->CheckCertificate({Role::kWorker, "alice", soon}, now_).ok());
  EXPECT_FALSE(book_->CheckCertificate({Role::kWorker, "alice", later}, now_).ok());
  ASSERT_TRUE(Revoke("alice").ok());
  TokenStore again(*database_);
  ASSERT_TRUE(again.Recover().ok());
  for (const TokenStore* book : {book_.get(), &again}) {
    for (const WallTime issued : {soon, later}) {
      for (const WallTime now : {now_, soon, later, later + std::chrono::hours(9)}) {
        EXPECT_FALSE(book->CheckCertificate({Role::kWorker, "alice", issued}, now).ok());
      }
    }
    const WallTime later = now_ + std::chrono::seconds(2);
    EXPECT_TRUE(book->CheckCertificate({Role::kWorker, "alice", later}, later).ok());
  }
}

TEST_F(TokenStoreTest, RevocationReachesWhatTheAuthorityKnowsThoughItWasNeverShown) {
  const WallTime soon = now_ + std::chrono::seconds(5), later = now_ + std::chrono::hours(1);
  ASSERT_TRUE(Revoke("alice", {now_ - std::chrono::hours(1), soon, later}).ok());
  TokenStore again(*database_);
  ASSERT_TRUE(again.Recover().ok());
  for (const TokenStore* book : {book_.get(), &again}) {
    for (const WallTime issued : {soon, later}) {
      EXPECT_FALSE(book->CheckCertificate({Role::kWorker, "alice", issued}, issued).ok());
      EXPECT_TRUE(book->CheckCertificate({Role::kWorker, "bob", issued}, issued).ok());
    }
    EXPECT_TRUE(
        book->CheckCertificate({Role::kWorker, "alice", later + Milliseconds(1)}, later).ok());
  }
}

TEST_F(TokenStoreTest, WhatARevokedNameShowedTooEarlyIsNotLetInLater) {
  const WallTime later = now_ + std::chrono::hours(1);
  ASSERT_TRUE(Revoke("alice").ok());
  for (const char* name : {"alice", "bob"}) {
    const Identity early{Role::kWorker, name, later};
    EXPECT_FALSE(book_->CheckCertificate(early, now_).ok());
    EXPECT_EQ(book_->CheckCertificate(early, later).ok(), name == std::string("bob"));
  }
}

TEST_F(TokenStoreTest, ASecondRevocationDoesNotTakeBackTheFirst) {
  const auto revoke_at = [&](WallTime time) {
    Transaction transaction(*database_);
    ASSERT_TRUE(book_->Revoke({"alice", time, "boss", {}}).ok());
    ASSERT_TRUE(transaction.Commit().ok());
    ASSERT_TRUE(book_->Commit().ok());
  };
  revoke_at(now_);
  revoke_at(now_ - std::chrono::hours(1));  // the clock was set back
  EXPECT_FALSE(book_->CheckCertificate({Role::kWorker, "alice", now_}, now_).ok());
}

TEST_F(TokenStoreTest, TheEventLogIsOnlyAppendedTo) {
  EventLog events(*database_);
  ASSERT_TRUE(events.Append({.time = now_, .kind = "submitted", .actor = "alice"}).ok());
  EXPECT_THAT(std::string(database_->Execute("DELETE FROM events").message()),
              HasSubstr("only appended"));
  EXPECT_THAT(std::string(database_->Execute("UPDATE events SET actor = 'bob'").message()),
              HasSubstr("only appended"));
  EXPECT_EQ(events.List({.limit = 10})->at(0).actor, "alice");
}

}  // namespace
}  // namespace mozgach
