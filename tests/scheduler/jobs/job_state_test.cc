#include "scheduler/jobs/job_state.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "registry/migration.h"
#include "registry/query.h"
#include "scheduler/jobs/queue.h"
#include "scheduler/state/schema.h"

namespace mozgach {
namespace {

TEST(JobStateTest, EveryPairIsAsThePictureSays) {
  const std::set<std::pair<JobState, JobState>> allowed = {
      {JobState::kQueued, JobState::kRunning}, {JobState::kQueued, JobState::kCancelled},
      {JobState::kRunning, JobState::kQueued}, {JobState::kRunning, JobState::kSucceeded},
      {JobState::kRunning, JobState::kFailed}, {JobState::kRunning, JobState::kCancelled}};
  for (const JobState from : kJobStates) {
    for (const JobState to : kJobStates) {
      EXPECT_EQ(MayBecome(from, to), allowed.count({from, to}) > 0)
          << Name(from) << " → " << Name(to);
    }
  }
}

TEST(JobStateTest, NamesGoThereAndBack) {
  for (const JobState state : kJobStates) EXPECT_EQ(JobStateFrom(Name(state)), state);
}

TEST(JobStateTest, NothingFollowsATerminalState) {
  for (const JobState from : kJobStates) {
    bool followed = false;
    for (const JobState to : kJobStates) followed |= MayBecome(from, to);
    EXPECT_EQ(IsTerminal(from), !followed) << Name(from);
  }
}

TEST(JobStateTest, DatabaseItselfKeepsTerminalStates) {
  auto database = Database::Open(":memory:").value();
  ASSERT_TRUE(Migrate(*database, Schema()).ok());
  Queue queue(*database);
  const int64_t job = queue.Insert(WallTime{}, {.domain = "law", .base = "tiny"}, 0).value();
  static constexpr char kForce[] = "UPDATE jobs SET state = ?2 WHERE job = ?1";
  for (const char* terminal : {"succeeded", "failed", "cancelled"}) {
    Transaction attempt(*database);
    ASSERT_TRUE(mozgach::Run(*database, kForce, job, terminal).ok());
    for (const JobState to : kJobStates) {
      EXPECT_FALSE(mozgach::Run(*database, kForce, job, Name(to)).ok())
          << terminal << " → " << Name(to);
    }
  }
}

TEST(JobStateTest, QueueEndsJobsOnlyAsAllowed) {
  auto database = Database::Open(":memory:").value();
  ASSERT_TRUE(Migrate(*database, Schema()).ok());
  Queue queue(*database);
  const int64_t number = queue.Insert(WallTime{}, {.domain = "law", .base = "tiny"}, 0).value();
  Job job = queue.Get(number).value();
  EXPECT_FALSE(queue.End(WallTime{}, job, JobState::kSucceeded).ok());
  EXPECT_FALSE(queue.End(WallTime{}, job, JobState::kFailed).ok());
  EXPECT_FALSE(queue.End(WallTime{}, job, JobState::kRunning).ok());
  job.attempt = 1;
  EXPECT_FALSE(queue.End(WallTime{}, job, JobState::kCancelled).value()) << "another attempt";
  job.attempt = 0;
  EXPECT_TRUE(queue.End(WallTime{}, job, JobState::kCancelled).value());
  EXPECT_FALSE(queue.End(WallTime{}, job, JobState::kCancelled).value()) << "it is over";
}

}  // namespace
}  // namespace mozgach
