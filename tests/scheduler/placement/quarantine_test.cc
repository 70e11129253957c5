#include "scheduler/placement/quarantine.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

class QuarantineTest : public Fleet {
 protected:
  QuarantineTest() {
    for (int i = 0; i < 8; ++i) SubmitOne(absl::StrCat("domain-", i));
  }

  // Claims a job and fails it.  False: it was given none.
  bool FailOne(TestWorker& worker, v1::Failure::Class failure = v1::Failure::INFRASTRUCTURE) {
    const v1::Assignment assignment = Claim(worker);
    if (assignment.job() == 0) return false;
    worker.Fails(assignment, failure, "the disk is full");
    Call(worker);
    worker.Forgets();
    return true;
  }
  std::string StateOf(const std::string& worker) {
    const v1::ListWorkersResponse list = core_->ListWorkers(now_);
    for (const v1::Worker& each : list.workers()) {
      if (each.worker() == worker) return each.state();
    }
    return "";
  }
  bool HasEvent(const std::string& kind) {
    const auto events = core_->ListEvents(now_, v1::ListEventsRequest());
    return std::any_of(events->events().begin(), events->events().end(),
                       [&](const v1::Event& event) { return event.kind() == kind; });
  }

  TestWorker sick_{"sick"}, well_{"well"};
};

TEST_F(QuarantineTest, OneDomainAfterAnotherFailsAndTheWorkerIsGivenNoMore) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(FailOne(sick_)) << i;
  EXPECT_EQ(StateOf("sick"), "quarantined");
  EXPECT_FALSE(FailOne(sick_));
  EXPECT_TRUE(HasEvent("quarantined"));
  EXPECT_THAT(Explain(8).summary(), HasSubstr("worker sick: is quarantined for another 600 s"));
  Pass(config_.back_off_max);
  for (int i = 0; i < 8; ++i) RunOne(well_);
  for (int64_t job = 1; job <= 8; ++job) EXPECT_EQ(State(job), "succeeded") << job;
}

TEST_F(QuarantineTest, ThenItGetsOneJobToShowWhetherItIsWell) {
  for (int i = 0; i < 3; ++i) FailOne(sick_);
  Pass(config_.quarantine);
  core_->Enter(now_);
  EXPECT_TRUE(core_->TakeWakeups().workers.contains("sick"));
  sick_.Says(4);
  const auto answer = Call(sick_);
  ASSERT_EQ(answer.assignments_size(), 1) << "one, however many slots it has";
  sick_.Fails(answer.assignments(0), v1::Failure::INFRASTRUCTURE, "again");
  sick_.Says(0);
  Call(sick_);
  sick_.Forgets();
  Pass(config_.quarantine);
  Call(sick_);
  EXPECT_EQ(StateOf("sick"), "quarantined") << "twice as long";
  Pass(config_.quarantine);
  RunOne(sick_);
  EXPECT_EQ(StateOf("sick"), "up");
  sick_.Says(4);
  EXPECT_EQ(Call(sick_).assignments_size(), 4);
}

TEST_F(QuarantineTest, WhatIsTheDomainsOwnFaultIsHeldAgainstTheDomain) {
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(FailOne(sick_, v1::Failure::DATA));
  EXPECT_EQ(StateOf("sick"), "up");
}

TEST_F(QuarantineTest, ASuccessBetweenThemBeginsTheCountAnew) {
  for (int i = 0; i < 2; ++i) FailOne(sick_);
  RunOne(sick_);
  for (int i = 0; i < 2; ++i) FailOne(sick_);
  EXPECT_EQ(StateOf("sick"), "up");
}

TEST_F(QuarantineTest, AnOperatorEndsIt) {
  for (int i = 0; i < 3; ++i) FailOne(sick_);
  v1::DrainWorkerRequest request;
  request.set_worker("sick");
  request.set_undo(true);
  ASSERT_TRUE(core_->Drain(now_, request).ok());
  EXPECT_EQ(StateOf("sick"), "up");
}

}  // namespace
}  // namespace mozgach
