// The checker sees what it is there to see.
#include "tests/invariants/invariants.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "common/files.h"
#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class InvariantsTest : public Fleet {
 protected:
  // One job of each of two domains is over, a third waits.
  InvariantsTest() : invariants_(RegistryRoot(), {}) {
    TestWorker alpha("alpha");
    SubmitOne("law");
    RunOne(alpha);
    SubmitOne("history");
    RunOne(alpha);
    SubmitOne("music");
  }

  std::vector<std::string> Check() { return invariants_.Check(*database_); }
  void Write(const std::string& sql) { ASSERT_TRUE(database_->Execute(sql).ok()) << sql; }
  std::filesystem::path VersionOf(const std::string& domain) const {
    return RegistryRoot() / "adapters" / domain / "v0001";
  }

  Invariants invariants_;
};

TEST_F(InvariantsTest, HoldForAFleetThatNothingBefell) {
  EXPECT_THAT(Check(), IsEmpty());
  EXPECT_THAT(invariants_.CheckAtRest(*database_), ElementsAre("job 3 is not over"));
  TestWorker alpha("alpha");
  RunOne(alpha);
  EXPECT_THAT(invariants_.CheckAtRest(*database_), IsEmpty());
}

TEST_F(InvariantsTest, JobThatWasAcceptedAndIsGone) {
  EXPECT_THAT(Check(), IsEmpty());
  invariants_.Accepted(4);
  EXPECT_THAT(Check(), ElementsAre("job 4 was accepted and is lost"));
}

TEST_F(InvariantsTest, TerminalStateThatChanges) {
  EXPECT_THAT(Check(), IsEmpty());
  Write("DROP TRIGGER jobs_terminal_states_never_change");
  Write("UPDATE jobs SET state = 'failed' WHERE job = 1");
  EXPECT_THAT(Check(), Contains(HasSubstr("job 1 had succeeded and has changed")));
}

TEST_F(InvariantsTest, AttemptsWithAGapOrGoingBack) {
  Write("UPDATE jobs SET attempt = 2 WHERE job = 3");
  EXPECT_THAT(Check(), ElementsAre("job 3 has attempts with a gap, or one too many"));
  Write("DROP TRIGGER jobs_attempts_only_grow; UPDATE jobs SET attempt = 0 WHERE job = 3");
  EXPECT_THAT(Check(), ElementsAre("the attempts of job 3 went back from 2 to 0"));
}

TEST_F(InvariantsTest, LeaseOfAnAttemptThatIsOver) {
  Write(
      "INSERT INTO leases (job, attempt, worker, incarnation, trains_since_ms) "
      "VALUES (1, 1, 'alpha', 'first', 0)");
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("job 1 is leased")));
}

TEST_F(InvariantsTest, CheckpointOfAnAttemptThatNeverWas) {
  Write("INSERT INTO job_checkpoints (job, attempt, step) VALUES (3, 1, 200)");
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("job 3 has a checkpoint")));
}

TEST_F(InvariantsTest, VersionWithAnotherByteOrOneFileLess) {
  std::filesystem::permissions(VersionOf("law") / "adapter_config.json",
                               std::filesystem::perms::owner_all);
  ASSERT_TRUE(WriteFileAtomically(VersionOf("law") / "adapter_config.json", "{\"r\": 9}").ok());
  std::filesystem::remove(VersionOf("history") / "adapter_model.safetensors");
  const auto problems = Check();
  EXPECT_THAT(problems, Contains(HasSubstr("adapter_config.json is not as its manifest says")));
  EXPECT_THAT(problems, Contains(HasSubstr("adapter_model.safetensors is missing")));
}

TEST_F(InvariantsTest, DirectoryThatIsVisibleBeforeItIsWhole) {
  std::filesystem::create_directories(RegistryRoot() / "adapters/music/v0001");
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("music/v0001 can be seen without its manifest")));
}

TEST_F(InvariantsTest, VersionThatNoJobPublished) {
  std::filesystem::copy(VersionOf("law"), RegistryRoot() / "adapters/law/v0002");
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("law/v0002 can be seen, and nothing says why")));
  Write("UPDATE versions SET attempt = 2 WHERE domain = 'history'");
  EXPECT_THAT(Check(), Contains(HasSubstr("job 2 has a version that it did not publish")));
}

TEST_F(InvariantsTest, JobGivenToAWorkerThatDrains) {
  v1::DrainWorkerRequest drain;
  drain.set_worker("alpha");
  ASSERT_TRUE(core_->Drain(now_, drain).ok());
  EXPECT_THAT(Check(), IsEmpty());
  Write("INSERT INTO events VALUES (1000, 0, 3, 'music', 1, 'claimed', 'alpha', '')");
  EXPECT_THAT(Check(), ElementsAre("job 3 was given to alpha, which drains"));
}

TEST_F(InvariantsTest, JobThatIsPromisedMoreThanItsDeviceHas) {
  TestWorker alpha("alpha");
  Claim(alpha);
  invariants_.HasMemory("alpha", "cpu", 1000);
  Write("UPDATE leases SET device = 'cpu', reserved_bytes = 1000");
  EXPECT_THAT(Check(), IsEmpty());
  Write("UPDATE leases SET reserved_bytes = 1001");
  EXPECT_THAT(Check(), ElementsAre("job 3 has 1001 bytes of alpha cpu, which has 1000"));
}

TEST_F(InvariantsTest, JobThatIsOverMayGoUnlessItIsTheLatest) {
  Submit({Domain("music", kTiny, 50, "other rows")});
  EXPECT_EQ(State(3), "cancelled");
  EXPECT_THAT(Check(), IsEmpty());
  Write(
      "DELETE FROM job_datasets WHERE job = 3; DELETE FROM job_details WHERE job = 3;"
      "DELETE FROM jobs WHERE job = 3; UPDATE job_counts SET jobs = 0 WHERE state = 'cancelled'");
  EXPECT_THAT(Check(), IsEmpty());
  Write(
      "PRAGMA foreign_keys = OFF; DROP TRIGGER jobs_that_are_needed_stay;"
      "DROP TRIGGER versions_that_are_needed_stay;"
      "DELETE FROM versions WHERE job = 2; DELETE FROM jobs WHERE job = 2; DELETE FROM jobs WHERE "
      "job = 4");
  const auto problems = Check();
  EXPECT_THAT(problems, Contains("job 2 is its domain's latest and is lost"));
  EXPECT_THAT(problems, Contains("job 4 was there and is lost"));
}

TEST_F(InvariantsTest, VersionThatIsRemovedThoughNeeded) {
  Write(
      "INSERT INTO removed_versions (domain, number, job, attempt, removed_ms) "
      "VALUES ('law', 1, 1, 1, 0)");
  EXPECT_THAT(Check(), ElementsAre("job 1 had its version removed, which is needed"));
}

TEST_F(InvariantsTest, CancelThatIsLost) {
  invariants_.Cancelled(1, /*publishing=*/0);
  invariants_.Cancelled(2, /*publishing=*/1);
  EXPECT_THAT(invariants_.CheckAtRest(*database_),
              Contains("the cancel of job 1 was confirmed, and it succeeded"));
}

}  // namespace
}  // namespace mozgach
