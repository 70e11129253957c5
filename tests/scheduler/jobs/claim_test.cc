// Who gets which job, in which order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nlohmann/json.hpp"
#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

class ClaimTest : public Fleet {};

TEST_F(ClaimTest, PriorityThenAge) {
  const int64_t older = SubmitOne("older");
  const int64_t urgent = SubmitOne("urgent", kTiny, 90);
  const int64_t newer = SubmitOne("newer");
  const int64_t idle = SubmitOne("idle", kTiny, 10);
  TestWorker worker("alpha");
  for (const int64_t expected : {urgent, older, newer, idle}) {
    const v1::Assignment assignment = Claim(worker);
    EXPECT_EQ(assignment.job(), expected);
    worker.Reports(assignment);
  }
  EXPECT_EQ(Claim(worker).job(), 0);
}

TEST_F(ClaimTest, OnlyBasesThatTheWorkerHas) {
  SubmitOne("big", kQwen, 100);
  const int64_t small = SubmitOne("small", kTiny, 1);
  TestWorker worker("alpha");
  EXPECT_EQ(Claim(worker).job(), small);
}

TEST_F(ClaimTest, LoadedBaseComesFirstAmongEqualPriorities) {
  SubmitOne("qwen", kQwen);
  const int64_t tiny = SubmitOne("tiny", kTiny);
  const int64_t urgent = SubmitOne("urgent", kQwen, 60);
  TestWorker worker("alpha", {kTiny, kQwen});
  worker.LoadsBase(kTiny);
  const v1::Assignment first = Claim(worker);
  EXPECT_EQ(first.job(), urgent) << "priority comes before what is loaded";
  worker.Reports(first);
  EXPECT_EQ(Claim(worker).job(), tiny);
  EXPECT_EQ(state().counters.affinity_hits, 1);
}

TEST_F(ClaimTest, RevisionMustBeOffered) {
  v1::Submission submission = Domain("law", kQwen);
  auto spec = nlohmann::json::parse(submission.spec_json());
  spec["revision"] = "main";
  submission.set_spec_json(spec.dump());
  const int64_t job = Submit({submission}).outcomes(0).job();
  TestWorker plain("plain", {kQwen});
  EXPECT_EQ(Claim(plain).job(), 0);
  EXPECT_THAT(Explain(job).lines(0), HasSubstr("plain directory"));
  TestWorker cached("cached", {kQwen});
  cached.request.mutable_bases(0)->add_revisions("v2");
  EXPECT_EQ(Claim(cached).job(), 0);
  cached.request.mutable_bases(0)->add_revisions("main");
  EXPECT_EQ(Claim(cached).job(), job);
}

TEST_F(ClaimTest, AssignmentCarriesAllThatTheWorkerNeeds) {
  const int64_t job = SubmitOne("law");
  TestWorker worker("alpha");
  const v1::Assignment assignment = Claim(worker);
  EXPECT_EQ(assignment.job(), job);
  EXPECT_EQ(assignment.attempt(), 1);
  EXPECT_EQ(assignment.domain(), "law");
  EXPECT_EQ(assignment.desired(), v1::Assignment::RUN);
  EXPECT_EQ(nlohmann::json::parse(assignment.spec_json())["domain"], "law");
  ASSERT_EQ(assignment.datasets_size(), 1);
  EXPECT_EQ(assignment.datasets(0).role(), v1::Dataset::TRAIN);
  EXPECT_EQ(assignment.datasets(0).size(), 4u);
  EXPECT_EQ(assignment.spec_digest(), Get(job).spec_digest());
  EXPECT_EQ(assignment.dataset_digest(), Get(job).dataset_digest());
}

TEST_F(ClaimTest, UnreportedAssignmentIsGivenAgainAndTakesTheSlot) {
  const int64_t first = SubmitOne("first");
  SubmitOne("second");
  TestWorker worker("alpha");
  worker.Says(1);
  EXPECT_EQ(Call(worker).assignments(0).job(), first);
  // The answer was lost: the same call again.
  const v1::SynchronizeResponse again = Call(worker);
  ASSERT_EQ(again.assignments_size(), 1);
  EXPECT_EQ(again.assignments(0).job(), first);
  EXPECT_EQ(again.assignments(0).attempt(), 1);
  EXPECT_FALSE(again.assignments(0).spec_json().empty());
}

TEST_F(ClaimTest, ReportedAssignmentComesWithoutDetails) {
  SubmitOne("law");
  TestWorker worker("alpha");
  worker.Reports(Claim(worker));
  const v1::SynchronizeResponse response = Call(worker);
  ASSERT_EQ(response.assignments_size(), 1);
  EXPECT_TRUE(response.assignments(0).spec_json().empty());
  EXPECT_EQ(response.assignments(0).desired(), v1::Assignment::RUN);
}

TEST_F(ClaimTest, AsManyAsThereAreSlots) {
  for (const char* name : {"a", "b", "c"}) SubmitOne(name);
  TestWorker worker("alpha");
  worker.Says(2);
  EXPECT_EQ(Call(worker).assignments_size(), 2);
}

TEST_F(ClaimTest, DrainingWorkerGetsNothing) {
  const int64_t job = SubmitOne("law");
  TestWorker worker("alpha");
  Call(worker);
  v1::DrainWorkerRequest drain;
  drain.set_worker("alpha");
  EXPECT_EQ(core_->Drain(now_, drain)->state(), "draining");
  worker.Says(1);
  const v1::SynchronizeResponse response = Call(worker);
  EXPECT_TRUE(response.drain());
  EXPECT_EQ(response.assignments_size(), 0);
  Restart();
  EXPECT_TRUE(Call(worker).drain()) << "a drain outlives a restart";
  drain.set_undo(true);
  EXPECT_TRUE(core_->Drain(now_, drain).ok());
  EXPECT_EQ(Call(worker).assignments(0).job(), job);
}

TEST_F(ClaimTest, DrainIsStoredWithItsEventOrNotAtAll) {
  TestWorker worker("alpha");
  Call(worker);
  ASSERT_TRUE(database_
                  ->Execute("CREATE TRIGGER no_room BEFORE INSERT ON events "
                            "BEGIN SELECT RAISE(ABORT, 'no room'); END")
                  .ok());
  v1::DrainWorkerRequest drain;
  drain.set_worker("alpha");
  EXPECT_FALSE(core_->Drain(now_, drain).ok());
  EXPECT_FALSE(Call(worker).drain());
  Restart();
  EXPECT_FALSE(Call(worker).drain());
}

TEST_F(ClaimTest, IdleCallWritesNothing) {
  SubmitOne("law");
  TestWorker idle("idle", {kQwen});
  TestWorker busy("busy");
  busy.Reports(Claim(busy));
  idle.Says(1);
  Call(idle);
  Call(busy);
  Pass(Milliseconds(2000));
  const int64_t commits = database_->stats().commits;
  for (int i = 0; i < 20; ++i) {
    Pass(Milliseconds(10));
    Call(idle);
    Call(busy);
  }
  EXPECT_EQ(database_->stats().commits, commits);
}

TEST_F(ClaimTest, ProgressIsWrittenOnceASecondForAllJobsTogether) {
  TestWorker worker("alpha");
  for (const char* name : {"a", "b", "c"}) SubmitOne(name);
  for (int i = 0; i < 3; ++i) worker.Reports(Claim(worker));
  Call(worker);
  Pass(Milliseconds(5000));
  const int64_t commits = database_->stats().commits;
  for (int step = 1; step <= 100; ++step) {
    for (v1::AttemptReport& report : *worker.request.mutable_attempts()) {
      report.mutable_progress()->set_step(step);
      report.mutable_progress()->set_steps(100);
    }
    Call(worker);
    Pass(Milliseconds(100));
  }
  EXPECT_LE(database_->stats().commits - commits, 12);
  EXPECT_GE(database_->stats().commits - commits, 9);
  EXPECT_EQ(Get(1).step(), 100);
  Restart();
  EXPECT_GE(Get(1).step(), 90);
}

}  // namespace
}  // namespace mozgach
