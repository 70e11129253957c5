#include "trainer/train/trainer.h"

#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "tests/trainer/train/small_base.h"
#include "trainer/adapter/job_data.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/evaluate/held_out_loss.h"
#include "trainer/train/failure.h"
#include "trainer/train/training_batch.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Recorder : TrainingObserver {
  std::vector<StepReport> steps;
  void OnStep(const StepReport& report) override { steps.push_back(report); }
};

class TrainerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteSmallBase(dir_.path() / "base");
    WriteSmallDataset(dir_.path(), 23);
    spec_.lora.lora_dropout = 0;
  }

  absl::StatusOr<TrainingTotals> Run(Recorder* recorder = nullptr) {
    if (base_ == nullptr) base_ = LoadSmallBase(dir_.path() / "base", spec_);
    const AdapterJob job = SmallJob(dir_.path(), spec_);
    data_ = *PrepareData(spec_, job.data, TextOf(*base_));
    std::vector<int64_t> lengths;
    for (const Example& example : data_.train) {
      lengths.push_back(static_cast<int64_t>(example.ids.size()));
    }
    const BatchPlan plan(lengths, spec_.data, spec_.training);
    adapter_ =
        *LoraAdapter::Create(base_->model->config(), spec_.lora, spec_.training.seed, at::kCPU);
    TrainingInputs inputs;
    inputs.model = base_->model.get();
    inputs.adapter = &*adapter_;
    inputs.examples = &data_.train;
    inputs.plan = &plan;
    inputs.training = spec_.training;
    if (spec_.training.gradient_checkpointing == "true") inputs.recompute = Recompute::kLayers;
    Recorder unheard;
    return Train(inputs, recorder == nullptr ? unheard : *recorder);
  }

  std::vector<double> Losses() {
    Recorder recorder;
    const auto totals = Run(&recorder);
    EXPECT_TRUE(totals.ok()) << totals.status();
    std::vector<double> losses;
    for (const StepReport& step : recorder.steps) losses.push_back(step.loss);
    return losses;
  }

  TemporaryDirectory dir_;
  DomainSpec spec_ = SmallSpec();
  std::unique_ptr<Base> base_;
  JobData data_;
  std::optional<LoraAdapter> adapter_;
};

TEST_F(TrainerTest, TheLossFallsAndEveryStepIsReported) {
  spec_.training.max_steps = 40;
  Recorder recorder;
  const auto totals = Run(&recorder);
  ASSERT_TRUE(totals.ok()) << totals.status();
  ASSERT_EQ(recorder.steps.size(), 40u);
  EXPECT_LT(recorder.steps.back().loss, 0.8 * recorder.steps.front().loss);
  EXPECT_EQ(recorder.steps.back().tokens, totals->tokens);
  EXPECT_DOUBLE_EQ(recorder.steps.front().learning_rate, 0);
  EXPECT_GT(recorder.steps.front().grad_norm, 0);
  EXPECT_GT(recorder.steps.back().memory_peak_bytes, 0);
}

// In short trainings the loss of the last step alone may give another ranking.
TEST_F(TrainerTest, RunningMeanRanksLearningRatesAsEvaluationDoes) {
  class Last : public JobObserver {
   public:
    void OnStep(const StepReport& report) override { mean_loss = report.mean_loss; }
    double mean_loss = 0;
  };
  spec_.evaluation.metrics = {"perplexity"};
  spec_.training.max_steps = 24;
  base_ = LoadSmallBase(dir_.path() / "base", spec_);
  std::map<double, double> evaluation_by_mean;
  for (const double learning_rate : {3e-4, 3e-3, 2e-2}) {
    spec_.training.learning_rate = learning_rate;
    AdapterJob job = SmallJob(dir_.path(), spec_);
    job.checkpoint_dir.clear();
    Last last;
    const auto finished = MakeAdapter(job, *base_, last);
    ASSERT_TRUE(finished.ok()) << finished.status();
    evaluation_by_mean[last.mean_loss] = finished->adapter.at("eval_loss");
  }
  ASSERT_EQ(evaluation_by_mean.size(), 3u);
  double before = 0;
  for (const auto& [mean, evaluation] : evaluation_by_mean) {
    EXPECT_GT(evaluation, before) << "running mean " << mean;
    before = evaluation;
  }
}

// With logging_steps 5 each report has the mean over its interval, as in other trainers.
TEST_F(TrainerTest, ReportsTheMeanOfALoggingInterval) {
  spec_.training.max_steps = 12;
  Recorder each;
  ASSERT_TRUE(Run(&each).ok());
  spec_.training.logging_steps = 5;
  Recorder some;
  ASSERT_TRUE(Run(&some).ok());
  ASSERT_EQ(some.steps.size(), 3u);
  for (const auto& [report, first, count] :
       {std::tuple(some.steps[0], 0, 5), std::tuple(some.steps[1], 5, 5),
        std::tuple(some.steps[2], 10, 2)}) {
    double least = 1e9, most = 0;
    for (int i = first; i < first + count; ++i) {
      least = std::min(least, each.steps[static_cast<size_t>(i)].step_loss);
      most = std::max(most, each.steps[static_cast<size_t>(i)].step_loss);
    }
    EXPECT_GT(report.loss, least);
    EXPECT_LT(report.loss, most);
    const StepReport& same = each.steps[static_cast<size_t>(report.step - 1)];
    EXPECT_EQ(report.step_loss, same.step_loss);
    EXPECT_EQ(report.mean_loss, same.mean_loss);
  }
}

// Rows have different lengths, so a mean of micro-batch means would differ.
TEST_F(TrainerTest, AccumulatedWindowMatchesOneBigBatch) {
  spec_.data.packing = false;
  spec_.training.max_steps = 5;
  spec_.training.per_device_train_batch_size = 4;
  spec_.training.gradient_accumulation_steps = 1;
  const std::vector<double> together = Losses();
  spec_.training.per_device_train_batch_size = 1;
  spec_.training.gradient_accumulation_steps = 4;
  const std::vector<double> accumulated = Losses();
  ASSERT_EQ(together.size(), accumulated.size());
  for (size_t i = 0; i < together.size(); ++i) {
    EXPECT_NEAR(accumulated[i], together[i], 1e-5) << "step " << i + 1;
  }
}

TEST_F(TrainerTest, PackedRowsHaveTheLossOfUnpackedRows) {
  ASSERT_TRUE(Run().ok());
  const at::NoGradGuard no_grad;
  MicroBatch packed = {Sequence{{0, 1, 2, 3}, 0}};
  ForwardOptions options;
  options.adapter = &*adapter_;
  const double together =
      SummedLoss(*base_->model, MakeTrainingBatch(data_.train, packed, at::kCPU), options)
          .item<double>();
  double apart = 0;
  for (int32_t row = 0; row < 4; ++row) {
    const MicroBatch single = {Sequence{{row}, 0}};
    apart += SummedLoss(*base_->model, MakeTrainingBatch(data_.train, single, at::kCPU), options)
                 .item<double>();
  }
  EXPECT_NEAR(together / apart, 1, 1e-5);
}

TEST_F(TrainerTest, LastPartialWindowIsAStep) {
  spec_.data.packing = false;
  spec_.training.max_steps.reset();
  spec_.training.num_train_epochs = 1;
  spec_.training.gradient_accumulation_steps = 5;  // 23 rows: 4 whole windows and one of 3
  Recorder recorder;
  ASSERT_TRUE(Run(&recorder).ok());
  EXPECT_EQ(recorder.steps.size(), 5u);
  int64_t tokens = 0;
  for (const Example& example : data_.train) tokens += static_cast<int64_t>(example.ids.size());
  EXPECT_EQ(recorder.steps.back().tokens, tokens);
}

TEST_F(TrainerTest, RecomputationDoesNotChangeLosses) {
  spec_.training.max_steps = 6;
  spec_.lora.lora_dropout = 0.2;
  const std::vector<double> kept = Losses();
  spec_.training.gradient_checkpointing = "true";
  EXPECT_EQ(Losses(), kept);
}

TEST_F(TrainerTest, TrainsOnFourBitBase) {
  spec_.quantization.load_in_4bit = true;
  spec_.training.max_steps = 30;
  const std::vector<double> losses = Losses();
  EXPECT_LT(losses.back(), losses.front());
}

TEST_F(TrainerTest, DivergedTrainingFailsAndNamesTheStep) {
  spec_.training.learning_rate = 1e30;
  spec_.training.warmup_steps = 0;
  const auto totals = Run();
  ASSERT_FALSE(totals.ok());
  EXPECT_EQ(ClassOf(totals.status()), FailureClass::kData);
  EXPECT_THAT(std::string(totals.status().message()), HasSubstr("try a smaller learning_rate"));
  EXPECT_THAT(std::string(totals.status().message()), HasSubstr("step "));
}

// Writes finite weights whose products overflow.
void MakeBaseOverflow(const std::filesystem::path& weights) {
  const auto file = *SafetensorsFile::Open(weights);
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& [name, stored] : file->tensors()) {
    tensors.emplace_back(name, file->Tensor(stored).clone());
    if (name == "model.norm.weight") tensors.back().second.fill_(3e38);
  }
  ASSERT_TRUE(WriteSafetensors(weights, tensors, {{"format", "pt"}}).ok());
}

TEST_F(TrainerTest, BlamesBaseForLossThatIsNeverFinite) {
  MakeBaseOverflow(dir_.path() / "base" / "model.safetensors");
  for (const int64_t batch_size : {1, 2}) {  // with and without a trial of the largest micro-batch
    spec_.training.per_device_train_batch_size = batch_size;
    const auto totals = Run();
    ASSERT_FALSE(totals.ok());
    EXPECT_EQ(ClassOf(totals.status()), FailureClass::kData);
    EXPECT_THAT(std::string(totals.status().message()), HasSubstr("before the first step"));
    EXPECT_THAT(std::string(totals.status().message()), Not(HasSubstr("learning_rate")));
  }
}

TEST_F(TrainerTest, ErrorNamesCauseOfEvaluationLossThatIsNotFinite) {
  const auto loss = [&]() {
    Recorder recorder;
    const auto result = HeldOutLoss(*base_->model, &*adapter_, data_.evaluation.held_out, recorder);
    return std::string(result.status().message());
  };
  spec_.training.max_steps = 30;
  ASSERT_TRUE(Run().ok());
  for (const auto& [name, tensor] : adapter_->NamedTensors(base_->model->config())) {
    tensor.detach().fill_(1e30);
  }
  EXPECT_THAT(loss(), HasSubstr("learning_rate"));
  base_.reset();
  MakeBaseOverflow(dir_.path() / "base" / "model.safetensors");
  EXPECT_FALSE(Run().ok());
  EXPECT_THAT(loss(), HasSubstr("bare base"));
  EXPECT_THAT(loss(), Not(HasSubstr("learning_rate")));
}

TEST_F(TrainerTest, FailsIfAdapterLearnedNothing) {
  spec_.training.max_steps = 1;  // the first step of a warm-up has learning rate 0
  const auto totals = Run();
  ASSERT_FALSE(totals.ok());
  EXPECT_THAT(std::string(totals.status().message()), HasSubstr("still all zero after 1 step"));
}

TEST_F(TrainerTest, ReportsEveryLoggingStepsAndAtTheEnd) {
  spec_.training.logging_steps = 8;
  Recorder recorder;
  ASSERT_TRUE(Run(&recorder).ok());
  std::vector<int64_t> reported;
  for (const StepReport& step : recorder.steps) reported.push_back(step.step);
  EXPECT_EQ(reported, (std::vector<int64_t>{8, 16, 20}));
}

}  // namespace
}  // namespace mozgach
