// Memory that several workers take from, and what was seen of plans.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/scheduler/placement/admission_fleet.h"

namespace mozgach {
namespace {

using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SharedMemoryTest : public AdmissionFleet {};
class CalibrationTest : public AdmissionFleet {};

TEST_F(SharedMemoryTest, WorkersOfOneHostDoNotPromiseItsMemoryTwice) {
  TestWorker alpha = OnHost("alpha", 64 * kGiB), beta = OnHost("beta", 64 * kGiB);
  Call(alpha);
  const int64_t first = Small("first"), second = Small("second");
  const uint64_t needs = NeedsOnCpu(first);
  const uint64_t free = needs + needs / 2;
  SetMemory(alpha, free, 64 * kGiB);
  SetMemory(beta, free, 64 * kGiB);
  Call(beta);
  const v1::Assignment assignment = Claim(alpha);
  ASSERT_EQ(assignment.job(), first);
  EXPECT_EQ(Claim(beta).job(), 0) << "its figure does not know of the first job yet";
  Restart();
  EXPECT_EQ(Claim(beta).job(), 0) << "nor does a scheduler that starts forget what it promised";
  // The job has taken half of what it needs: the rest is still to come.
  alpha.Reports(assignment);
  alpha.request.set_memory_bytes(needs / 2);
  Call(alpha);
  SetMemory(beta, free - needs / 2, 64 * kGiB);
  EXPECT_EQ(Claim(beta).job(), 0);
  EXPECT_EQ(Get(second).reason(),
            "of the workers with its base 1 has too little memory free, 1 is busy");
  EXPECT_THAT(Explain(second).lines(), Contains(ContainsRegex("worker beta: needs .* free of")));
  // Another program has ended.
  SetMemory(beta, 2 * needs, 64 * kGiB);
  EXPECT_EQ(Claim(beta).job(), second);
}

TEST_F(SharedMemoryTest, WhatWasTakenAfterAWorkerLookedIsNotFree) {
  TestWorker alpha = OnHost("alpha", 64 * kGiB), beta = OnHost("beta", 64 * kGiB);
  Call(alpha);
  const int64_t first = Small("first"), second = Small("second");
  const uint64_t needs = NeedsOnCpu(first);
  SetMemory(alpha, needs + needs / 2, 64 * kGiB);
  SetMemory(beta, needs + needs / 2, 64 * kGiB);
  beta.Says(0);
  Call(beta);
  Pass(Milliseconds(10));
  const v1::Assignment assignment = Claim(alpha);
  ASSERT_EQ(assignment.job(), first);
  alpha.Reports(assignment);
  alpha.request.set_memory_bytes(needs);
  Pass(Milliseconds(10));
  Call(alpha);
  // A call of beta's that has been held since before the job began.
  beta.Says(1);
  const auto held = core_->Synchronize(now_, beta.request, /*held=*/true);
  ASSERT_TRUE(held.ok());
  EXPECT_THAT(held->response.assignments(), IsEmpty());
  EXPECT_EQ(State(second), "queued");
}

TEST_F(SharedMemoryTest, SmallJobsDoNotOvertakeABigOneForEver) {
  TestWorker alpha = OnHost("alpha", 16 * kGiB), beta = OnHost("beta", 16 * kGiB);
  Call(alpha);
  const int64_t running = Small("running");
  const v1::Assignment assignment = Claim(alpha);
  ASSERT_EQ(assignment.job(), running);
  alpha.Reports(assignment);
  const int64_t big = Big("big");
  const uint64_t needs = NeedsOnCpu(big);
  alpha.request.set_memory_bytes(2 * kGiB);
  SetMemory(alpha, needs, 64 * kGiB);
  SetMemory(beta, needs - kGiB, 64 * kGiB);
  Call(alpha);
  const int64_t early = Small("early");
  EXPECT_EQ(Claim(beta).job(), early) << "for a while small ones go before it";
  beta.Reports(early, 1, v1::AttemptReport::STOPPED);
  Call(beta);
  beta.Forgets();
  Cancel(early);
  const int64_t late = Small("late");
  for (int calls = 0; calls < 20; ++calls) {
    Pass(Milliseconds(20'000));
    Call(alpha);
  }
  EXPECT_EQ(Claim(beta).job(), 0);
  EXPECT_THAT(Explain(late).lines(), Contains(HasSubstr(absl::StrCat("kept free for job ", big))));
  SetMemory(beta, needs + kGiB, 64 * kGiB);
  alpha.request.set_memory_bytes(64 * kGiB);
  Call(alpha);
  EXPECT_EQ(Claim(beta).job(), big);
}

TEST_F(CalibrationTest, PeaksThatWereSeenCorrectLaterPlans) {
  TestWorker worker = Gpu("alpha", 64 * kGiB);
  Call(worker);
  Observe(worker, {1.5, 1.5});
  EXPECT_EQ(state().calibrations.Of(kQwen, "RTX 5060 Ti").attempts, 0) << "too few";
  Observe(worker, {1.4, 9.0, 1.6, 0.01, 1.5});
  const Calibration calibration = state().calibrations.Of(kQwen, "RTX 5060 Ti");
  EXPECT_NEAR(calibration.factor, 1.5, 0.01) << "outliers do not move it";
  EXPECT_EQ(calibration.attempts, 7);
  const int64_t job = Small("law");
  const auto needs = static_cast<uint64_t>(static_cast<double>(Needs(job)) * 1.5);
  SetMemory(worker, needs - kMiB, 64 * kGiB);
  EXPECT_EQ(Claim(worker).job(), 0);
  EXPECT_THAT(Get(job).reason(),
              ContainsRegex("planned [0-9.]+ GiB ×1.50 from 7 attempts on RTX 5060 Ti"));
  Restart();
  EXPECT_EQ(Claim(worker).job(), 0) << "it outlives a restart";
  const v1::ListWorkersResponse workers = core_->ListWorkers(now_);
  ASSERT_EQ(workers.workers(0).calibrations_size(), 1);
  EXPECT_NEAR(workers.workers(0).calibrations(0).factor(), 1.5, 0.01);
  SetMemory(worker, needs + kMiB, 64 * kGiB);
  EXPECT_EQ(Claim(worker).job(), job);
}

TEST_F(CalibrationTest, FactorsStayWithinBoundsAndForgetTheOld) {
  Calibrations& calibrations = state().calibrations;
  for (int i = 0; i < 5; ++i) calibrations.Add(kTiny, "cpu", 100, 100'000);
  EXPECT_EQ(calibrations.Of(kTiny, "cpu").factor, 2);
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(calibrations.Save(kTiny, "cpu", 100, 1).ok());
    calibrations.Add(kTiny, "cpu", 100, 1);
  }
  EXPECT_EQ(calibrations.Of(kTiny, "cpu").factor, 0.5);
  EXPECT_EQ(calibrations.Of(kTiny, "cpu").attempts, 33);
  ASSERT_TRUE(calibrations.Recover().ok());
  EXPECT_EQ(calibrations.Of(kTiny, "cpu").attempts, 33) << "no more rows are kept either";
  EXPECT_EQ(calibrations.Of(kTiny, "other").factor, 1);
}

}  // namespace
}  // namespace mozgach
