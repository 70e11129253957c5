#include "scheduler/jobs/staged_submission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "registry/query.h"
#include "scheduler/core/submission.h"
#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

class StagedSubmissionTest : public Fleet {
 protected:
  StagedSubmissionTest() {
    for (int i = 0; i < 500; ++i) *request_.add_domains() = Domain(absl::StrCat("d", i));
    staged_.actor = "me@here";
    staged_.checked = *CheckSubmissions(request_);
    staged_.part_ends = PartEnds(staged_.checked);
  }

  StagedSubmissions& all() { return state().staged; }
  // Writes the parts of the request.
  int64_t Stage() {
    const int64_t submission = *all().Begin("me@here");
    size_t next = 0;
    for (size_t part = 0; part < staged_.part_ends.size(); ++part) {
      v1::SubmitRequest piece;
      for (; next < staged_.part_ends[part]; ++next) {
        *piece.add_domains() = request_.domains(static_cast<int>(next));
      }
      EXPECT_TRUE(all().Add(submission, part, piece).ok());
    }
    return submission;
  }
  int Jobs() { return core_->List(now_, v1::ListRequest())->jobs_size(); }
  int64_t Rows() {
    static constexpr char kRows[] =
        "SELECT (SELECT count(*) FROM submissions) + (SELECT count(*) FROM submission_parts)";
    Query rows(*database_, kRows);
    return rows.Next() ? rows.Int(0) : -1;
  }

  v1::SubmitRequest request_;
  StagedSubmission staged_;
};

TEST_F(StagedSubmissionTest, IsDividedIntoParts) {
  EXPECT_GT(staged_.part_ends.size(), 1u);
  EXPECT_EQ(staged_.part_ends.back(), 500u);
  EXPECT_TRUE(PartEnds({}).empty());
}

TEST_F(StagedSubmissionTest, LeavesNothingWhenTheSchedulerEndsBeforeItIsAccepted) {
  Stage();
  Restart();
  EXPECT_EQ(Jobs(), 0);
  EXPECT_EQ(Rows(), 0);
}

TEST_F(StagedSubmissionTest, IsQueuedWholeWhenTheSchedulerEndsAfterItIsAccepted) {
  const int64_t submission = Stage();
  ASSERT_TRUE(all().Accept(submission, staged_).ok());
  Restart();
  EXPECT_EQ(Jobs(), 500);
  EXPECT_EQ(Rows(), 0);
}

TEST_F(StagedSubmissionTest, IsQueuedWholeWhenTheSchedulerEndsInTheMiddle) {
  const int64_t submission = Stage();
  ASSERT_TRUE(all().Accept(submission, staged_).ok());
  ASSERT_TRUE(QueueNextPart(state(), now_, submission).ok());
  const int queued = Jobs();
  EXPECT_GT(queued, 0);
  EXPECT_LT(queued, 500);
  EXPECT_TRUE(all().Find(submission)->Names({"d499"}));
  EXPECT_FALSE(all().Find(submission)->Names({"d0"}));
  EXPECT_EQ(all().FirstThatNames({"d499"}), submission);
  Restart();
  EXPECT_EQ(Jobs(), 500);
  EXPECT_EQ(Rows(), 0);
}

TEST_F(StagedSubmissionTest, GoesOnByItselfWhenNobodyWaitsForIt) {
  const int64_t submission = Stage();
  ASSERT_TRUE(all().Accept(submission, staged_).ok());
  all().Find(submission)->abandoned = true;
  for (int i = 0; i < 10; ++i) {
    Pass(Milliseconds(1));
    core_->Enter(now_);
  }
  EXPECT_EQ(Jobs(), 500);
  EXPECT_EQ(Rows(), 0);
  EXPECT_EQ(all().FirstAbandoned(), 0);
}

}  // namespace
}  // namespace mozgach
