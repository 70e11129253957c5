#include "trainer/data/batches.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "common/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mozgach {
namespace {
using testing::ElementsAre;

std::vector<int64_t> SomeLengths(int64_t rows) {
  Random random(5, RandomStream::kSampling);
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < rows; ++i) lengths.push_back(1 + random.Below(60));
  return lengths;
}

std::vector<int32_t> RowsOf(const StepPlan& step) {
  std::vector<int32_t> rows;
  for (const MicroBatch& micro : step) {
    for (const Sequence& sequence : micro) {
      rows.insert(rows.end(), sequence.examples.begin(), sequence.examples.end());
    }
  }
  return rows;
}

struct Settings {
  DataSpec data;
  TrainingSpec training;
  Settings() { data.packing = false; }
};

TEST(EpochOrderTest, IsAPermutationThatChangesWithSeedAndEpoch) {
  const auto order = EpochOrder(100, 108, 0);
  EXPECT_EQ(std::set<int32_t>(order.begin(), order.end()).size(), 100u);
  EXPECT_EQ(*std::max_element(order.begin(), order.end()), 99);
  EXPECT_EQ(order, EpochOrder(100, 108, 0));
  EXPECT_NE(order, EpochOrder(100, 108, 1));
  EXPECT_NE(order, EpochOrder(100, 109, 0));
  EXPECT_THAT(EpochOrder(1, 108, 0), ElementsAre(0));
  EXPECT_TRUE(EpochOrder(0, 108, 0).empty());
}

// An adapter resumed by a later version has to see the rows in the order the first attempt saw.
TEST(EpochOrderTest, StaysWhatItIs) {
  EXPECT_THAT(EpochOrder(8, 108, 0), ElementsAre(6, 7, 3, 4, 2, 5, 0, 1));
}

TEST(PackTest, EveryRowOnceAndNoSequenceTooLong) {
  const auto lengths = SomeLengths(500);
  const auto sequences = Pack(EpochOrder(500, 1, 0), lengths, 100);
  std::set<int32_t> seen;
  for (const Sequence& sequence : sequences) {
    int64_t tokens = 0;
    for (const int32_t row : sequence.examples) {
      EXPECT_TRUE(seen.insert(row).second);
      tokens += lengths[static_cast<size_t>(row)];
    }
    EXPECT_EQ(tokens, sequence.tokens);
    EXPECT_LE(tokens, 100);
  }
  EXPECT_EQ(seen.size(), 500u);
  const int64_t total = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
  EXPECT_LE(sequences.size(), static_cast<size_t>(total / 100) * 11 / 10 + 1);
}

TEST(PackTest, RowsFillTheFirstSequenceWithRoom) {
  const auto sequences = Pack({0, 1, 2, 3}, {6, 6, 4, 4}, 10);
  ASSERT_EQ(sequences.size(), 2u);
  EXPECT_THAT(sequences[0].examples, ElementsAre(0, 2));
  EXPECT_THAT(sequences[1].examples, ElementsAre(1, 3));
}

TEST(PackTest, RowLongerThanASequenceStandsAlone) {
  const auto sequences = Pack({0, 1, 2}, {4, 50, 4}, 10);
  ASSERT_EQ(sequences.size(), 2u);
  EXPECT_THAT(sequences[0].examples, ElementsAre(0, 2));
  EXPECT_THAT(sequences[1].examples, ElementsAre(1));
}

TEST(BatchPlanTest, LastPartialMicroBatchAndWindowAreAStepOfTheirOwn) {
  Settings settings;
  settings.training.num_train_epochs = 1;
  settings.training.per_device_train_batch_size = 2;
  settings.training.gradient_accumulation_steps = 3;
  const BatchPlan plan(SomeLengths(9), settings.data, settings.training);
  ASSERT_EQ(plan.steps(), 2);
  EXPECT_EQ(plan.step(0).size(), 3u);
  ASSERT_EQ(plan.step(1).size(), 2u);
  EXPECT_EQ(plan.step(1)[0].size(), 2u);
  EXPECT_EQ(plan.step(1)[1].size(), 1u);
}

TEST(BatchPlanTest, EveryEpochTrainsEveryRowOnce) {
  for (const bool packing : {false, true}) {
    Settings settings;
    settings.data.packing = packing;
    settings.data.max_length = 100;
    settings.training.num_train_epochs = 3;
    settings.training.gradient_accumulation_steps = 4;
    const BatchPlan plan(SomeLengths(101), settings.data, settings.training);
    std::map<int32_t, int> seen;
    for (int64_t i = 0; i < plan.steps(); ++i) {
      for (const int32_t row : RowsOf(plan.step(i))) ++seen[row];
    }
    EXPECT_EQ(seen.size(), 101u);
    for (const auto& [row, times] : seen) EXPECT_EQ(times, 3) << row;
  }
}

TEST(BatchPlanTest, BrokenEpochIsRoundedUp) {
  Settings settings;
  for (const auto& [epochs, steps] : std::map<double, int64_t>{
           {0.01, 1}, {0.5, 5}, {1.0, 10}, {1.1, 11}, {1.11, 12}, {2.3, 23}}) {
    settings.training.num_train_epochs = epochs;
    EXPECT_EQ(BatchPlan(SomeLengths(10), settings.data, settings.training).steps(), steps)
        << epochs;
  }
}

TEST(BatchPlanTest, HundredThousandPackedEpochsAreCountedInTime) {
  Settings settings;
  settings.data.packing = true;
  settings.data.max_length = 100;
  settings.training.num_train_epochs = 100'000;
  const BatchPlan plan(SomeLengths(10'000), settings.data, settings.training);
  settings.training.num_train_epochs = 1;
  const BatchPlan once(SomeLengths(10'000), settings.data, settings.training);
  EXPECT_NEAR(static_cast<double>(plan.steps()) / static_cast<double>(once.steps()), 1e5, 1e3);
}

TEST(BatchPlanTest, BillionStepsCostNoMemoryAndStepsDoNotDependOnTheOrderAsked) {
  Settings settings;
  settings.data.packing = true;
  settings.training.max_steps = 1'000'000'000;
  settings.data.max_length = 80;
  const BatchPlan plan(SomeLengths(20), settings.data, settings.training);
  EXPECT_EQ(plan.steps(), 1'000'000'000);
  const auto late = RowsOf(plan.step(5'000));
  const auto early = RowsOf(plan.step(3));
  EXPECT_EQ(RowsOf(plan.step(5'000)), late);
  EXPECT_EQ(RowsOf(plan.step(3)), early);
}

TEST(BatchPlanTest, NothingToTrainIsNoStep) {
  Settings settings;
  settings.training.max_steps = 5;
  EXPECT_EQ(BatchPlan({}, settings.data, settings.training).steps(), 0);
}

TEST(ValidationRowsTest, TakesTheFractionAndNeverAll) {
  EXPECT_EQ(ValidationRows(1000, 0.1, 108).size(), 100u);
  EXPECT_EQ(ValidationRows(2, 0.01, 108).size(), 1u);
  EXPECT_EQ(ValidationRows(3, 0.999, 108).size(), 2u);
  EXPECT_TRUE(ValidationRows(1, 0.5, 108).empty());
  EXPECT_TRUE(ValidationRows(10, 0, 108).empty());
  const auto rows = ValidationRows(1000, 0.1, 108);
  EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
  EXPECT_EQ(rows, ValidationRows(1000, 0.1, 108));
  EXPECT_NE(rows, ValidationRows(1000, 0.1, 109));
}

}  // namespace
}  // namespace mozgach
