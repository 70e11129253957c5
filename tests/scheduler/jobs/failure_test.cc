#include "scheduler/jobs/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mozgach {
namespace {

using ::testing::HasSubstr;

const SchedulerConfig kConfig;

TEST(FailureTest, UserAndDataFailuresAreFinal) {
  for (const FailureClass failure : {FailureClass::kUser, FailureClass::kData}) {
    const Verdict verdict = Judge(Job(), failure, "no target in row 3", kConfig);
    EXPECT_EQ(verdict.state, JobState::kFailed);
    EXPECT_EQ(verdict.reason, "no target in row 3");
  }
}

TEST(FailureTest, OutOfMemoryIsTriedThreeTimes) {
  Job job;
  for (int failures = 1; failures <= 3; ++failures) {
    const Verdict verdict = Judge(job, FailureClass::kOutOfMemory, "out of memory", kConfig);
    EXPECT_EQ(verdict.state, failures < 3 ? JobState::kQueued : JobState::kFailed);
    EXPECT_EQ(verdict.failures, failures);
    job.failures = verdict.failures;
  }
}

TEST(FailureTest, InfrastructureBacksOffLongerAndLongerAndUsesNothingUp) {
  Job job;
  Milliseconds former(0);
  for (int i = 0; i < 20; ++i) {
    const Verdict verdict = Judge(job, FailureClass::kInfrastructure, "trainer died", kConfig);
    EXPECT_EQ(verdict.state, JobState::kQueued);
    EXPECT_EQ(verdict.failures, 0);
    EXPECT_GE(verdict.back_off, former);
    EXPECT_LE(verdict.back_off, kConfig.back_off_max);
    former = verdict.back_off;
    job.disturbances = verdict.disturbances;
  }
  EXPECT_EQ(former, kConfig.back_off_max);
}

TEST(FailureTest, LostLeaseIsQueuedAtOnce) {
  const Verdict verdict = Judge(Job(), FailureClass::kLost, "silent", kConfig);
  EXPECT_EQ(verdict.state, JobState::kQueued);
  EXPECT_EQ(verdict.back_off, Milliseconds(0));
  EXPECT_EQ(verdict.failures, 0);
}

TEST(FailureTest, EvenDisturbancesEndSomeDay) {
  Job job;
  job.disturbances = kConfig.disturbances_max - 1;
  const Verdict verdict = Judge(job, FailureClass::kInfrastructure, "trainer died", kConfig);
  EXPECT_EQ(verdict.state, JobState::kFailed);
  EXPECT_THAT(verdict.reason, HasSubstr("given up after 100"));
}

TEST(FailureTest, StoppedUsesNothingUp) {
  const Verdict verdict = Judge(Job(), FailureClass::kStopped, "worker drained", kConfig);
  EXPECT_EQ(verdict.state, JobState::kQueued);
  EXPECT_EQ(verdict.failures + verdict.disturbances, 0);
}

}  // namespace
}  // namespace mozgach
