#include "trainer/adapter/adapter_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nlohmann/json.hpp"
#include "tests/trainer/train/small_base.h"
#include "trainer/adapter/job_memory.h"
#include "trainer/train/failure.h"

namespace mozgach {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace fs = std::filesystem;

struct Recorder : JobObserver {
  PreparedJob prepared;
  std::vector<std::pair<int64_t, bool>> evaluations;
  std::vector<std::string> notices;
  void OnPrepared(const PreparedJob& job) override { prepared = job; }
  void OnNotice(const std::string& text) override { notices.push_back(text); }
  void OnEvaluation(int64_t step, const nlohmann::json& metrics, bool final) override {
    evaluations.emplace_back(step, final);
  }
};

class AdapterJobTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteSmallBase(dir_.path() / "base");
    WriteSmallDataset(dir_.path(), 23);
  }
  absl::StatusOr<FinishedJob> Make() {
    if (base_ == nullptr) base_ = LoadSmallBase(dir_.path() / "base", spec_);
    AdapterJob job = SmallJob(dir_.path(), spec_);
    job.cache_dir = dir_.path() / "cache";
    job.init_adapter = init_adapter_;
    return MakeAdapter(job, *base_, recorder_);
  }

  TemporaryDirectory dir_;
  DomainSpec spec_ = SmallSpec();
  std::unique_ptr<Base> base_;
  std::optional<fs::path> init_adapter_;
  Recorder recorder_;
};

TEST_F(AdapterJobTest, AnAdapterIsMadeScoredAndWritten) {
  spec_.training.max_steps = 40;
  spec_.training.eval_steps = 15;
  const auto finished = Make();
  ASSERT_TRUE(finished.ok()) << finished.status();
  EXPECT_EQ(finished->train_rows, 23);
  EXPECT_EQ(finished->totals.step, 40);
  EXPECT_LT(finished->adapter.at("eval_loss"), finished->base.at("eval_loss"));
  EXPECT_EQ(recorder_.evaluations,
            (std::vector<std::pair<int64_t, bool>>{{15, false}, {30, false}, {40, true}}));
  EXPECT_EQ(recorder_.prepared.report.rows, 23);
  EXPECT_GT(recorder_.prepared.trainable_parameters, 0);
  for (const char* name :
       {"adapter_config.json", "adapter_model.safetensors", "README.md", "metrics.json"}) {
    EXPECT_TRUE(fs::is_regular_file(dir_.path() / "output" / name)) << name;
  }
}

TEST_F(AdapterJobTest, AnAdapterCanBeStartedFrom) {
  ASSERT_TRUE(Make().ok());
  const fs::path first = dir_.path() / "first";
  fs::rename(dir_.path() / "output", first);
  fs::remove_all(dir_.path() / "checkpoints");
  init_adapter_ = first;
  spec_.training.learning_rate = 1e-9;
  spec_.evaluation.metrics = {};
  const auto again = Make();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_NEAR(again->adapter.at("eval_loss"),
              nlohmann::json::parse(ReadText(first / "metrics.json"))["adapter"]["eval_loss"],
              1e-4);
  spec_.lora.r = 8;
  EXPECT_TRUE(absl::IsInvalidArgument(Make().status()));
}

TEST_F(AdapterJobTest, AnAdapterThatIsNotBetterDoesNotPassTheGate) {
  spec_.gate.require = "eval_loss_below_base";
  spec_.training.max_steps = 40;
  // What is trained makes these answers less likely.
  const std::string answer(80, '~');
  WriteText(dir_.path() / "validation.jsonl",
            R"({"instruction": "?", "output": ")" + answer + "\"}\n");
  const auto finished = Make();
  ASSERT_FALSE(finished.ok());
  EXPECT_EQ(ClassOf(finished.status()), FailureClass::kData);
  EXPECT_THAT(std::string(finished.status().message()), HasSubstr("eval_loss_below_base"));
  EXPECT_FALSE(fs::exists(dir_.path() / "output" / "adapter_config.json"));
}

TEST_F(AdapterJobTest, AGateWithoutValidationRowsIsRefusedBeforeTraining) {
  spec_.gate.require = "eval_loss_below_base";
  spec_.data.validation = 0.0;
  if (base_ == nullptr) base_ = LoadSmallBase(dir_.path() / "base", spec_);
  AdapterJob job = SmallJob(dir_.path(), spec_);
  job.data.validation.reset();
  const auto finished = MakeAdapter(job, *base_, recorder_);
  EXPECT_EQ(ClassOf(finished.status()), FailureClass::kUser);
  EXPECT_EQ(recorder_.prepared.train_rows, 0);
}

TEST_F(AdapterJobTest, ABadRowIsAFailureOfTheDataWithItsLine) {
  WriteText(dir_.path() / "train.jsonl", "{\"instruction\": \"a\", \"output\": \"b\"}\n{oops\n");
  const auto finished = Make();
  EXPECT_EQ(ClassOf(finished.status()), FailureClass::kData);
  EXPECT_THAT(std::string(finished.status().message()), HasSubstr("train.jsonl:2"));
}

TEST_F(AdapterJobTest, TokenBeyondTheEmbeddingIsAFailureOfTheDataInEverySplit) {
  const auto vocabulary = LoadSmallBase(dir_.path() / "base", spec_)->model->config().vocab_size;
  const auto config = dir_.path() / "base/tokenizer_config.json";
  nlohmann::json json = nlohmann::json::parse(ReadText(config));
  for (int64_t id = 259; id <= vocabulary; ++id) {
    json["extra_special_tokens"].push_back("[NEW" + std::to_string(id) + "]");
  }
  WriteText(config, json.dump());
  spec_.data.chat_template = "none";
  spec_.evaluation.metrics = {"perplexity", "exact_match"};
  const std::string token = "[NEW" + std::to_string(vocabulary) + "]";
  base_ = LoadSmallBase(dir_.path() / "base", spec_);
  for (const char* name : {"train.jsonl", "validation.jsonl", "test.jsonl"}) {
    const std::string before = ReadText(dir_.path() / name);
    WriteText(dir_.path() / name,
              "{\"instruction\": \"a " + token + "\", \"output\": \"b\"}\n" + before);
    const auto finished = Make();
    EXPECT_EQ(ClassOf(finished.status()), FailureClass::kData) << finished.status();
    const std::string message(finished.status().message());
    EXPECT_THAT(message, HasSubstr(name));
    EXPECT_THAT(message, HasSubstr("token '" + token + "' has id " + std::to_string(vocabulary)));
    WriteText(dir_.path() / name, before);
  }
}

TEST_F(AdapterJobTest, JobSaysWhatTheChatTemplateDoes) {
  WriteText(dir_.path() / "base/chat_template.jinja",
            "{% for m in messages %}{{ m.content }}\n{% endfor %}");
  ASSERT_TRUE(Make().ok());
  EXPECT_THAT(recorder_.notices, ::testing::Contains(HasSubstr("no token that ends an answer")));
  base_.reset();
  WriteText(dir_.path() / "base/chat_template.jinja", "{{ messages[0].content }}");
  EXPECT_THAT(std::string(Make().status().message()),
              HasSubstr("the chat template writes no answer"));
}

TEST_F(AdapterJobTest, MaxSamplesAndTheFractionSplitTheTrainingRows) {
  spec_.data.max_samples = 20;
  spec_.data.validation = 0.25;
  base_ = LoadSmallBase(dir_.path() / "base", spec_);
  DatasetPaths paths = SmallJob(dir_.path(), spec_).data;
  paths.validation.reset();
  const auto data = PrepareData(spec_, paths, TextOf(*base_));
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->train.size(), 15u);
  EXPECT_EQ(data->evaluation.held_out.size(), 5u);
  for (const Example& held_out : data->evaluation.held_out) {
    for (const Example& trained : data->train) EXPECT_NE(held_out.row, trained.row);
  }
}

// The data of train.jsonl alone, with `validation` as a share.
class SplitTest : public AdapterJobTest {
 protected:
  absl::StatusOr<JobData> Prepare(const std::string& rows, double validation) {
    WriteText(dir_.path() / "train.jsonl", rows);
    spec_.data.validation = validation;
    spec_.data.test = "";
    if (base_ == nullptr) base_ = LoadSmallBase(dir_.path() / "base", spec_);
    return PrepareData(spec_, {{dir_.path() / "train.jsonl"}, std::nullopt, std::nullopt},
                       TextOf(*base_));
  }
  static std::string RowOf(const std::string& answer) {
    return R"({"instruction": "say", "output": ")" + answer + "\"}\n";
  }
};

TEST_F(SplitTest, ValidationIsDrawnFromRowsThatAreLeft) {
  spec_.data.over_length = "drop";
  spec_.data.max_length = 64;
  const std::string longer = RowOf(std::string(200, 'x'));
  for (spec_.training.seed = 1; spec_.training.seed <= 16; ++spec_.training.seed) {
    const auto data = Prepare(RowOf("a") + longer + RowOf("b") + longer + longer + RowOf("c"), 0.1);
    ASSERT_TRUE(data.ok()) << data.status();
    EXPECT_EQ(data->train.size(), 2u);
    EXPECT_EQ(data->evaluation.held_out.size(), 1u);
    EXPECT_EQ(data->report.dropped, 3);
    EXPECT_THAT(data->notices, Contains(HasSubstr("longer than data.max_length (64 tokens)")));
  }
}

TEST_F(SplitTest, SingleRowThatIsLeftIsTrained) {
  spec_.data.over_length = "drop";
  spec_.data.max_length = 64;
  const auto data = Prepare(RowOf("a") + RowOf(std::string(200, 'x')), 0.5);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->train.size(), 1u);
  EXPECT_TRUE(data->evaluation.held_out.empty());
  EXPECT_THAT(data->notices, Contains(HasSubstr("none is held out")));
}

TEST_F(SplitTest, NoRowLeftNamesTheLimit) {
  spec_.data.over_length = "drop";
  spec_.data.max_length = 32;
  const auto data = Prepare(RowOf(std::string(200, 'x')), 0.5);
  EXPECT_EQ(ClassOf(data.status()), FailureClass::kData);
  EXPECT_THAT(std::string(data.status().message()),
              HasSubstr("1 of 1 rows are longer than data.max_length (32 tokens)"));
}

TEST_F(SplitTest, ValidationOfZeroTrainsEveryRow) {
  const auto data = Prepare(RowOf("a") + RowOf("b"), 0);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->train.size(), 2u);
  EXPECT_TRUE(data->evaluation.held_out.empty());
}

TEST_F(AdapterJobTest, JobWithoutValidationRowsIsMadeWithoutScores) {
  spec_.data.validation = 0.0;
  spec_.training.eval_steps = 5;
  spec_.evaluation.metrics = {"perplexity"};
  base_ = LoadSmallBase(dir_.path() / "base", spec_);
  AdapterJob job = SmallJob(dir_.path(), spec_);
  job.cache_dir = dir_.path() / "cache";
  job.data.validation.reset();
  const auto finished = MakeAdapter(job, *base_, recorder_);
  ASSERT_TRUE(finished.ok()) << finished.status();
  EXPECT_EQ(finished->train_rows, 23);
  EXPECT_TRUE(finished->adapter.empty());
  EXPECT_EQ(recorder_.evaluations, (std::vector<std::pair<int64_t, bool>>{{20, true}}));
  EXPECT_EQ(nlohmann::json::parse(ReadText(dir_.path() / "output" / "metrics.json"))["adapter"],
            nlohmann::json::object());
}

TEST_F(AdapterJobTest, ValidationFileWithoutARowLeftDoesNotStopTheTraining) {
  spec_.data.over_length = "drop";
  WriteText(dir_.path() / "validation.jsonl",
            R"({"instruction": "?", "output": ")" + std::string(500, '~') + "\"}\n");
  base_ = LoadSmallBase(dir_.path() / "base", spec_);
  const auto data = PrepareData(spec_, SmallJob(dir_.path(), spec_).data, TextOf(*base_));
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->train.size(), 23u);
  EXPECT_THAT(data->notices, Contains(HasSubstr("no row of the validation file validation.jsonl")));
  spec_.data.over_length = "error";
  const auto refused = PrepareData(spec_, SmallJob(dir_.path(), spec_).data, TextOf(*base_));
  EXPECT_THAT(std::string(refused.status().message()),
              StartsWith("data.validation: validation.jsonl:1: the row has"));
}

TEST_F(AdapterJobTest, ErrorsNameFilesAsTheDomainFileDoes) {
  spec_.data.train = {"data/law.jsonl"};
  WriteText(dir_.path() / "train.jsonl", "{\"instruction\": \"a\"}\n");
  base_ = LoadSmallBase(dir_.path() / "base", spec_);
  const auto data = PrepareData(spec_, SmallJob(dir_.path(), spec_).data, TextOf(*base_));
  EXPECT_THAT(std::string(data.status().message()), StartsWith("data/law.jsonl:1: row has no"));
}

TEST_F(AdapterJobTest, RowsThatNeedAttentionAreNoticed) {
  WriteText(dir_.path() / "train.jsonl",
            "{\"instruction\": \"a\", \"output\": \"b\", \"id\": 1}\n");
  WriteText(dir_.path() / "validation.jsonl", "{\"instruction\": \"a\", \"output\": \"b\"}\n");
  base_ = LoadSmallBase(dir_.path() / "base", spec_);
  const auto data = PrepareData(spec_, SmallJob(dir_.path(), spec_).data, TextOf(*base_));
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->notices, AllOf(Contains("the training data is a single row"),
                                   Contains(HasSubstr("validation.jsonl has the same rows")),
                                   Contains("train.jsonl: keys that are not used: 'id' (1 row)")));
}

TEST_F(AdapterJobTest, NothingIsComputedAgainUnlessThePlanDoesNotFit) {
  base_ = LoadSmallBase(dir_.path() / "base", spec_);
  const auto data = PrepareData(spec_, SmallJob(dir_.path(), spec_).data, TextOf(*base_));
  ASSERT_TRUE(data.ok());
  std::vector<int64_t> lengths;
  for (const Example& row : data->train) lengths.push_back(static_cast<int64_t>(row.ids.size()));
  const BatchPlan batches(lengths, spec_.data, spec_.training);
  const auto choose = [&](int64_t free_bytes, int64_t bound) {
    return PlanOfJobIn(free_bytes, bound, spec_, *base_, *data, batches).value();
  };
  const JobMemory roomy = choose(int64_t{8} << 30, 0);
  EXPECT_EQ(roomy.recompute, Recompute::kNothing);
  const int64_t whole = roomy.plan.allocated();
  EXPECT_EQ(choose(int64_t{8} << 30, whole).recompute, Recompute::kNothing);
  const JobMemory cheap = choose(int64_t{8} << 30, whole - 1);
  EXPECT_EQ(cheap.recompute, Recompute::kCheap);
  EXPECT_LT(cheap.plan.allocated(), whole);
  const JobMemory some = choose(int64_t{8} << 30, cheap.plan.allocated() - 1);
  EXPECT_EQ(some.recompute, Recompute::kLayers);
  EXPECT_EQ(some.recomputed_layers, 1);
  EXPECT_LT(some.plan.allocated(), cheap.plan.allocated());
  const JobMemory every = choose(0, 1);
  EXPECT_EQ(every.recompute, Recompute::kLayers);
  EXPECT_EQ(every.recomputed_layers, kEveryLayer);
  spec_.training.gradient_checkpointing = "false";
  EXPECT_EQ(choose(0, 1).recompute, Recompute::kNothing);
  spec_.training.gradient_checkpointing = "true";
  EXPECT_EQ(choose(int64_t{8} << 30, 0).recompute, Recompute::kLayers);
}

TEST_F(AdapterJobTest, TheBaseScoresKeyFollowsWhatDecidesThem) {
  base_ = LoadSmallBase(dir_.path() / "base", spec_);
  const auto data = PrepareData(spec_, SmallJob(dir_.path(), spec_).data, TextOf(*base_));
  const std::string key = BaseScoresKey(spec_, *base_, *data);
  DomainSpec other = spec_;
  other.training.learning_rate = 5;
  other.lora.r = 99;
  EXPECT_EQ(BaseScoresKey(other, *base_, *data), key);
  other.data.max_length = 64;
  EXPECT_NE(BaseScoresKey(other, *base_, *data), key);
}

}  // namespace
}  // namespace mozgach
