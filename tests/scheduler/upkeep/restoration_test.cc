// A database from a backup: what was leased since, or before, is fenced off whatever its numbers.
#include "scheduler/upkeep/restoration.h"

#include <gmock/gmock.h>

#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

using ::testing::IsEmpty;

class RestorationTest : public Fleet {
 protected:
  RestorationTest() : backup_(Database::Open(":memory:").value()) {}

  void BackUp() { ASSERT_TRUE(backup_->CopyFrom(*database_).ok()); }
  void RestoreFromBackup() {
    core_.reset();
    ASSERT_TRUE(database_->CopyFrom(*backup_).ok());
    ASSERT_TRUE(Restore(*database_, now_.wall).ok());
    Restart();
  }
  // What a worker learns from an answer.
  void Learn(TestWorker& worker) {
    worker.Forgets();
    worker.request.set_scheduler_incarnation(Call(worker).scheduler_incarnation());
  }

  std::unique_ptr<Database> backup_;
  TestWorker alpha_{"alpha"};
};

TEST_F(RestorationTest, LeaseFromBeforeCountsNoMore) {
  const int64_t job = SubmitOne("law");
  const v1::Assignment before = Claim(alpha_);
  BackUp();
  RestoreFromBackup();
  EXPECT_EQ(State(job), "queued");
  *alpha_.Reports(before, v1::AttemptReport::FINISHED).mutable_result() = Result();
  const v1::SynchronizeResponse response = Call(alpha_);
  EXPECT_EQ(response.assignments_size(), 0);
  EXPECT_EQ(state().counters.stale_reports, 1);
  EXPECT_THAT(Versions(), IsEmpty());
  Learn(alpha_);
  EXPECT_EQ(Claim(alpha_).attempt(), 2);
}

TEST_F(RestorationTest, NumbersThatAreGivenAgainMeanSomethingElse) {
  BackUp();
  SubmitOne("law");
  const v1::Assignment forgotten = Claim(alpha_);
  RestoreFromBackup();
  const int64_t job = SubmitOne("history");
  ASSERT_EQ(job, forgotten.job());
  Learn(alpha_);
  const v1::Assignment fresh = Claim(alpha_);
  ASSERT_EQ(fresh.attempt(), forgotten.attempt());
  // A call that was on its way all the while.
  alpha_.request.set_scheduler_incarnation(0);
  *alpha_.Reports(forgotten, v1::AttemptReport::FINISHED).mutable_result() = Result("of law");
  Call(alpha_);
  EXPECT_EQ(State(job), "running");
  EXPECT_THAT(Versions(), IsEmpty());
}

TEST_F(RestorationTest, CancelThatWasConfirmedHolds) {
  const int64_t job = SubmitOne("law");
  Claim(alpha_);
  Cancel(job);
  BackUp();
  RestoreFromBackup();
  EXPECT_EQ(State(job), "cancelled");
}

TEST_F(RestorationTest, VersionThatTheBackupDoesNotKnowKeepsItsPlace) {
  SubmitOne("law");
  BackUp();
  RunOne(alpha_);
  ASSERT_EQ(Versions().size(), 1u);
  RestoreFromBackup();
  EXPECT_THAT(Versions(), IsEmpty());
  Learn(alpha_);
  RunOne(alpha_);
  ASSERT_EQ(Versions().size(), 1u);
  EXPECT_EQ(Versions()[0].number, 2);
  EXPECT_THAT(adapters_->files().Verify(adapters_->Get("law", "2").value()).value(), IsEmpty());
  EXPECT_TRUE(adapters_->files().IsVisible("law", 1));
}

TEST_F(RestorationTest, EachRestoreOfOneBackupIsAnotherIncarnation) {
  EXPECT_EQ(state().incarnation, 0u);
  BackUp();
  RestoreFromBackup();
  const uint64_t first = state().incarnation;
  Pass(Milliseconds(1000));
  RestoreFromBackup();
  EXPECT_GT(state().incarnation, first);
  EXPECT_GT(first, 0u);
}

}  // namespace
}  // namespace mozgach
