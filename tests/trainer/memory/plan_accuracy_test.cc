// Compares plans with the allocator's count and the system's resident memory, for shapes of real
// bases, ranks, lengths, batches and options.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "planner/memory_plan.h"
#include "tests/sanitizers/sanitized.h"
#include "tests/trainer/memory/filled_base.h"
#include "trainer/device/runtime.h"
#include "trainer/memory/counted_memory.h"
#include "trainer/models/causal_lm.h"
#include "trainer/train/compute_type.h"
#include "trainer/train/trainer.h"

namespace mozgach {
namespace {
namespace fs = std::filesystem;

struct Case {
  const char* name;
  const char* config;  // file in shared/data/configs
  int64_t layers;
  int64_t vocabulary;  // 0: unchanged
  bool quantize;
  const char* type;
  int64_t rank;
  int64_t length;
  int64_t batch;
  bool checkpoint;
  double dropout = 0;
  int64_t accumulation = 1;
  int64_t checkpointed_layers = kEveryLayer;
  bool packed = false;  // documents of different lengths share rows
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

const Case kCases[] = {
    {"Half_f32_short", "Qwen2.5-0.5B-Instruct.config.json", 24, 0, true, "float32", 8, 128, 1,
     false},
    {"Half_f32_long_checkpointed", "Qwen2.5-0.5B-Instruct.config.json", 24, 0, true, "float32", 8,
     512, 1, true},
    {"Half_bf16_dense", "Qwen2.5-0.5B-Instruct.config.json", 12, 0, false, "bfloat16", 8, 256, 1,
     false},
    {"Width1536_batch_of_3", "Qwen2.5-1.5B-Instruct.config.json", 2, 32000, true, "float32", 16,
     200, 3, false},
    {"Width1536_dropout", "Qwen2.5-1.5B-Instruct.config.json", 2, 32000, true, "float32", 16, 256,
     1, false, 0.1},
    {"Width2048_rank_64_accumulated", "Qwen2.5-3B-Instruct.derived.json", 2, 8000, true, "float32",
     64, 128, 1, false, 0, 2},
    {"Width2048_bf16_checkpointed", "Qwen2.5-3B-Instruct.derived.json", 4, 8000, true, "bfloat16",
     8, 512, 1, true},
    {"Qwen3_06_dense", "Qwen3-0.6B.config.json", 6, 32000, false, "float32", 8, 256, 2, false},
    {"Qwen3_06_long", "Qwen3-0.6B.config.json", 6, 8000, true, "float32", 8, 1024, 1, false},
    {"Qwen3_4_width", "Qwen3-4B.derived.json", 1, 8000, true, "float32", 8, 128, 1, false},
    {"Gemma_270m", "gemma-3-270m.text.derived.json", 6, 32000, true, "float32", 8, 256, 1, false},
    {"Gemma_1b_checkpointed", "gemma-3-1b.text.derived.json", 4, 32000, true, "bfloat16", 8, 384, 1,
     true},
    {"Gemma_270m_window", "gemma-3-270m.text.derived.json", 6, 8000, true, "float32", 8, 700, 1,
     false},
    {"Gemma_1b_window_bf16", "gemma-3-1b.text.derived.json", 4, 8000, true, "bfloat16", 8, 1100, 1,
     false},
    {"Width1536_some_layers", "Qwen2.5-1.5B-Instruct.config.json", 4, 8000, true, "bfloat16", 8,
     512, 1, true, 0, 1, 2},
    {"Half_packed_f32", "Qwen2.5-0.5B-Instruct.config.json", 6, 8000, true, "float32", 8, 512, 1,
     false, 0, 1, kEveryLayer, true},
    {"Width1536_packed_bf16", "Qwen2.5-1.5B-Instruct.config.json", 4, 8000, true, "bfloat16", 8,
     768, 2, true, 0, 1, kEveryLayer, true},
};

// Row lengths in tokens: full rows, or documents of different lengths if packed.
std::vector<int64_t> LengthsFor(const Case& c) {
  std::vector<int64_t> lengths;
  const int64_t full = 2 * c.batch * c.accumulation;
  if (!c.packed) return std::vector<int64_t>(static_cast<size_t>(full), c.length);
  for (int64_t row = 0; row < full; ++row) {
    for (const int64_t sixteenths : {7, 5, 3, 1}) lengths.push_back(c.length * sixteenths / 16);
  }
  return lengths;
}

fs::path ConfigPath(const char* name) {
  const char* source = std::getenv("MOZGACH_SOURCE_DIR");
  return fs::path(source == nullptr ? "." : source) / "../shared/data/configs" / name;
}

class PlanAccuracy : public ::testing::TestWithParam<Case> {
 protected:
  PlanAccuracy() {
    std::string pattern = (fs::temp_directory_path() / "mozgach-plan-XXXXXX").string();
    dir_ = mkdtemp(pattern.data());
  }
  ~PlanAccuracy() override { fs::remove_all(dir_); }

  DomainSpec Spec() const {
    const Case& c = GetParam();
    DomainSpec spec;
    spec.data.max_length = c.length;
    spec.data.packing = c.packed;
    spec.quantization.load_in_4bit = c.quantize;
    spec.quantization.bnb_4bit_compute_dtype = c.type;
    spec.lora.r = c.rank;
    spec.lora.lora_dropout = c.dropout;
    spec.training.per_device_train_batch_size = c.batch;
    spec.training.gradient_accumulation_steps = c.accumulation;
    spec.training.max_steps = 2;
    spec.training.gradient_checkpointing = c.checkpoint ? "true" : "false";
    spec.data.validation = 0.0;
    spec.evaluation.metrics.clear();
    return spec;
  }

  nlohmann::json Config() const {
    nlohmann::json config = nlohmann::json::parse(std::ifstream(ConfigPath(GetParam().config)));
    config["num_hidden_layers"] = GetParam().layers;
    config.erase("layer_types");
    if (GetParam().vocabulary > 0) config["vocab_size"] = GetParam().vocabulary;
    return config;
  }

  // The planner's information about the rows.
  StepShape Shape(const ModelConfig& config, const DomainSpec& spec,
                  const ComputeSetup& setup) const {
    DomainRows rows;
    for (const int64_t length : LengthsFor(GetParam())) {
      ++rows.train.rows;
      rows.train.total += length;
      rows.train.longest = std::max(rows.train.longest, length);
    }
    return LargestStep(config, spec, setup, rows);
  }

  // Trains two steps.
  void Train(const DomainSpec& spec) const {
    LoadOptions options;
    options.quantize = spec.quantization.load_in_4bit;
    options.compute_dtype =
        spec.quantization.bnb_4bit_compute_dtype == "float32" ? at::kFloat : at::kBFloat16;
    const auto model = CausalLm::Load(dir_, options);
    ASSERT_TRUE(model.ok()) << model.status();
    auto adapter = LoraAdapter::Create((*model)->config(), spec.lora, 1, at::kCPU);
    ASSERT_TRUE(adapter.ok()) << adapter.status();
    std::vector<Example> examples;
    const std::vector<int64_t> lengths = LengthsFor(GetParam());
    for (size_t row = 0; row < lengths.size(); ++row) {
      Example example;
      for (int64_t i = 0; i < lengths[row]; ++i) {
        example.ids.push_back(
            static_cast<int32_t>((static_cast<int64_t>(row) * 31 + i * 7) % 1000));
        example.trained.push_back(i > 0);
      }
      examples.push_back(std::move(example));
    }
    const BatchPlan plan(lengths, spec.data, spec.training);
    TrainingInputs inputs;
    inputs.model = model->get();
    inputs.adapter = &*adapter;
    inputs.examples = &examples;
    inputs.plan = &plan;
    inputs.training = spec.training;
    inputs.recompute = GetParam().checkpoint ? Recompute::kLayers : Recompute::kNothing;
    inputs.recomputed_layers = GetParam().checkpointed_layers;
    TrainingObserver observer;
    const auto totals = mozgach::Train(inputs, observer);
    EXPECT_TRUE(totals.ok() || totals.status().code() == absl::StatusCode::kFailedPrecondition)
        << totals.status();
  }

  fs::path dir_;
};

void PrintLines(const MemoryPlan& plan, const MemoryLines& counted) {
  for (size_t i = 0; i < kMemoryLines; ++i) {
    std::printf("    %-32s planned %12lld counted %12lld\n", TitleOf(static_cast<MemoryLine>(i)),
                static_cast<long long>(plan.lines[i]), static_cast<long long>(counted[i]));
  }
}

TEST_P(PlanAccuracy, PlanMatchesCountedAndResidentMemory) {
  if (!fs::exists(ConfigPath(GetParam().config))) GTEST_SKIP() << "no shared/data/configs";
  StartRuntime();
  WriteFilledBase(dir_, Config());
  const DomainSpec spec = Spec();
  const ModelConfig config = ModelConfig::Load(dir_).value();
  if (GetParam().type == std::string("bfloat16") &&
      MeasureComputeType(config, at::kCPU) != at::kBFloat16) {
    GTEST_SKIP() << "without bfloat16 instructions two steps take 15 minutes";
  }
  ComputeSetup setup = SetupOf(config, spec, DeviceClass::kCpu, Threads());
  setup.checkpointed_layers = GetParam().checkpointed_layers;
  const MemoryPlan plan = PlanMemory(config, spec.lora, setup, Shape(config, spec, setup)).value();

  ReleaseFreeMemory();
  ResetMemoryPeak();
  ResetCountedPeak();
  const int64_t counted_before = CountTensors().now;
  Train(spec);
  const CountedMemory counted = CountTensors();
  const double planned = static_cast<double>(plan.allocated());
  const double allocated = static_cast<double>(counted.peak - counted_before);
  const double resident = static_cast<double>(MemoryPeakBytes());
  const double total = static_cast<double>(plan.total());
  std::printf(
      "%s: tensors planned %.1f MiB, counted %.1f (%+.2f %%); with the process planned %.1f, "
      "resident %.1f (%+.2f %%)\n",
      GetParam().name, planned / 0x1p20, allocated / 0x1p20, 100 * (planned / allocated - 1),
      total / 0x1p20, resident / 0x1p20, 100 * (total / resident - 1));
  if (std::abs(planned / allocated - 1) > 0.03) PrintLines(plan, counted.at_peak);
  EXPECT_NEAR(planned / allocated, 1.0, 0.03);
  if (kMemoryIsTheSanitizers)
    GTEST_SKIP() << "resident memory is mostly the sanitizer's; tensors are as planned";
  EXPECT_NEAR(total / resident, 1.0, 0.10);
}

INSTANTIATE_TEST_SUITE_P(Grid, PlanAccuracy, ::testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace mozgach
