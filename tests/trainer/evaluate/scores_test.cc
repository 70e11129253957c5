#include "trainer/evaluate/scores.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/trainer/train/small_base.h"
#include "trainer/adapter/job_data.h"
#include "trainer/evaluate/exact_match.h"
#include "trainer/evaluate/held_out_loss.h"
#include "trainer/models/generation.h"
#include "trainer/train/training_batch.h"

namespace mozgach {
namespace {

// Counts how often it is asked: every batch of an evaluation asks once.
struct Counter : TrainingObserver {
  int asked = 0;
  int leave_after = 1 << 30;
  Interruption Poll() override {
    return ++asked > leave_after ? Interruption::kCancel : Interruption::kNone;
  }
};

class ScoresTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteSmallBase(dir_.path() / "base");
    WriteSmallDataset(dir_.path(), 20);
    base_ = LoadSmallBase(dir_.path() / "base", spec_);
    data_ = *PrepareEvaluation(spec_, SmallJob(dir_.path(), spec_).data, TextOf(*base_));
  }

  TemporaryDirectory dir_;
  DomainSpec spec_ = SmallSpec();
  std::unique_ptr<Base> base_;
  JobData data_;
  Counter counter_;
};

TEST_F(ScoresTest, TheLossIsAMeanOverTokensNotRows) {
  double sum = 0;
  int64_t trained = 0;
  for (size_t row = 0; row < data_.evaluation.held_out.size(); ++row) {
    const TrainingBatch batch = MakeTrainingBatch(
        data_.evaluation.held_out, {Sequence{{static_cast<int32_t>(row)}, 0}}, at::kCPU);
    sum += SummedLoss(*base_->model, batch, ForwardOptions()).item<double>();
    trained += batch.Trained();
  }
  const auto loss = HeldOutLoss(*base_->model, nullptr, data_.evaluation.held_out, counter_);
  ASSERT_TRUE(loss.ok());
  EXPECT_NEAR(*loss, sum / static_cast<double>(trained), 1e-5);
}

TEST_F(ScoresTest, OnlyWhatIsAskedForIsComputed) {
  EvaluationSpec evaluation;
  evaluation.metrics = {};
  const auto bare = AllScores(*base_, nullptr, data_.evaluation, evaluation, counter_);
  ASSERT_TRUE(bare.ok());
  EXPECT_EQ(bare->size(), 1u);
  const auto all = AllScores(*base_, nullptr, data_.evaluation, spec_.evaluation, counter_);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->size(), 3u);
  EXPECT_DOUBLE_EQ(all->at("perplexity"), std::exp(all->at("eval_loss")));
  EXPECT_EQ(all->at("exact_match"), 0);
}

TEST_F(ScoresTest, ExactMatchCountsWhatTheModelReallySays) {
  GenerationOptions options;
  options.max_new_tokens = 8;
  options.stop_ids = base_->tokenizer->StopIds();
  std::vector<Question> questions = data_.evaluation.questions;
  const auto said = Generate(*base_->model, nullptr, {questions[0].prompt}, options);
  ASSERT_TRUE(said.ok());
  questions[0].answer = " " + base_->tokenizer->Decode(said->front(), true) + "\n";
  const auto score = ExactMatch(*base_, nullptr, questions, options, counter_);
  ASSERT_TRUE(score.ok());
  EXPECT_DOUBLE_EQ(*score, 1.0 / static_cast<double>(questions.size()));
}

TEST(ExactMatchTest, AThoughtBeforeTheAnswerDoesNotCountUnlessItIsAskedFor) {
  EXPECT_TRUE(SaysAnswer("<think>\n\n</think>\n\nfour", "four"));
  EXPECT_TRUE(SaysAnswer(" four\n", "four "));
  EXPECT_FALSE(SaysAnswer("<think>four", "four"));
  EXPECT_FALSE(SaysAnswer("four</think>five", "four"));
  EXPECT_FALSE(SaysAnswer("<think>a</think>four", "<think>b</think>four"));
}

TEST_F(ScoresTest, TheBaseIsScoredOncePerKey) {
  const auto cache = dir_.path() / "cache";
  const auto first = BaseScores(*base_, data_.evaluation, spec_.evaluation, "key", cache, counter_);
  ASSERT_TRUE(first.ok()) << first.status();
  const int asked = counter_.asked;
  EXPECT_GT(asked, 0);
  EXPECT_EQ(*BaseScores(*base_, data_.evaluation, spec_.evaluation, "key", cache, counter_),
            *first);
  EXPECT_EQ(counter_.asked, asked);
  ASSERT_TRUE(
      BaseScores(*base_, data_.evaluation, spec_.evaluation, "other", cache, counter_).ok());
  EXPECT_EQ(counter_.asked, 2 * asked);
}

TEST_F(ScoresTest, ADamagedCacheIsComputedAgain) {
  const auto cache = dir_.path() / "cache";
  const auto first = BaseScores(*base_, data_.evaluation, spec_.evaluation, "key", cache, counter_);
  WriteText(cache / "base-scores-key.json", "{\"eval_loss\": 1.");
  EXPECT_EQ(*BaseScores(*base_, data_.evaluation, spec_.evaluation, "key", cache, counter_),
            *first);
}

TEST_F(ScoresTest, ItLeavesBetweenBatchesWhenAsked) {
  counter_.leave_after = 1;
  EXPECT_TRUE(absl::IsCancelled(
      AllScores(*base_, nullptr, data_.evaluation, spec_.evaluation, counter_).status()));
}

TEST_F(ScoresTest, SamplesBoundTheQuestions) {
  EXPECT_EQ(data_.evaluation.questions.size(), 5u);
  spec_.evaluation.samples = 3;
  const auto data = PrepareEvaluation(spec_, SmallJob(dir_.path(), spec_).data, TextOf(*base_));
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(data->evaluation.questions.size(), 3u);
}

TEST_F(ScoresTest, WithoutTestRowsTheValidationRowsAreAsked) {
  DatasetPaths paths = SmallJob(dir_.path(), spec_).data;
  paths.test.reset();
  const auto data = PrepareEvaluation(spec_, paths, TextOf(*base_));
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(data->evaluation.questions.size(), data->evaluation.held_out.size());
}

}  // namespace
}  // namespace mozgach
