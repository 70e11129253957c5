#include "planner/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planner/memory_trace.h"
#include "tests/planner/shapes.h"

namespace mozgach {
namespace {

using Line = MemoryLine;

MemoryPlan Plan(const ModelConfig& config, const DomainSpec& spec, Checkpointing checkpointing,
                int64_t tokens, DeviceClass device = DeviceClass::kGpu) {
  ComputeSetup setup = SetupOf(config, spec, device, 2);
  setup.checkpointing = checkpointing;
  return PlanMemory(config, spec.lora, setup, FullBatch(1, tokens)).value();
}

TEST(MemoryPlan, Qwen25Of3BillionHasTheTrainableParametersThatPeftCounts) {
  const MemoryPlan plan = Plan(Qwen25_3B(), DomainSpec(), Checkpointing::kNone, 512);
  EXPECT_EQ(plan.trainable_parameters, 14966784);
  EXPECT_EQ(plan.Line(Line::kAdapter), 4 * 14966784);
}

TEST(MemoryPlan, Nf4WithDoubleQuantisationTakes4Point127BitsPerParameter) {
  const ModelConfig config = Qwen25_3B();
  DomainSpec spec;
  const MemoryPlan plan = Plan(config, spec, Checkpointing::kNone, 512);
  int64_t parameters = 0;
  for (int i = 0; i < kProjections; ++i) {
    const auto [out, in] = ProjectionShape(config, static_cast<Projection>(i));
    parameters += 36 * out * in;
  }
  const auto bits = [&](const MemoryPlan& p) {
    return 8.0 * static_cast<double>(p.Line(Line::kQuantizedWeights) + p.Line(Line::kScales)) /
           static_cast<double>(parameters);
  };
  EXPECT_NEAR(bits(plan), 4.127, 0.0005);
  spec.quantization.bnb_4bit_use_double_quant = false;
  EXPECT_NEAR(bits(Plan(config, spec, Checkpointing::kNone, 512)), 4.5, 0.0001);
}

TEST(MemoryPlan, TheLinesAreTheTotal) {
  const MemoryPlan plan = Plan(Qwen25_3B(), DomainSpec(), Checkpointing::kNone, 512);
  int64_t sum = 0;
  for (const int64_t bytes : plan.lines) {
    EXPECT_GE(bytes, 0);
    sum += bytes;
  }
  EXPECT_EQ(sum, plan.total());
}

TEST(MemoryPlan, EverythingTakenInAStepIsGivenBack) {
  const ModelConfig config = Qwen25_05B();
  for (const Checkpointing mode : {Checkpointing::kNone, Checkpointing::kPerLayer}) {
    for (const double dropout : {0.0, 0.1}) {
      DomainSpec spec;
      spec.lora.lora_dropout = dropout;
      spec.lora.target_modules = {"q_proj", "down_proj"};
      spec.lora.layers_to_transform = {5, 6, 20};
      ComputeSetup setup = SetupOf(config, spec, DeviceClass::kCpu, 2);
      setup.checkpointing = mode;
      const AdapterShape adapter = ShapeOfAdapter(config, spec.lora).value();
      StepShape shape = FullBatch(2, 100);
      shape.micro_batches = 2;
      shape.evaluation_tokens = 300;
      shape.prompts = 4;
      shape.prompt_tokens = 20;
      shape.cache_tokens = 84;
      EXPECT_EQ(HeldAfterAStep(config, adapter, setup, shape), MemoryLines{});
    }
  }
}

TEST(MemoryPlan, ActivationsGrowWithTokensAndCheckpointingKeepsOneRowPerLayer) {
  const ModelConfig config = Qwen25_3B();
  const DomainSpec spec;
  const MemoryPlan small = Plan(config, spec, Checkpointing::kNone, 1024);
  const MemoryPlan large = Plan(config, spec, Checkpointing::kNone, 4096);
  EXPECT_NEAR(static_cast<double>(large.Line(Line::kActivations)),
              4.0 * static_cast<double>(small.Line(Line::kActivations)),
              0.05 * static_cast<double>(large.Line(Line::kActivations)));
  const MemoryPlan checkpointed = Plan(config, spec, Checkpointing::kPerLayer, 4096);
  EXPECT_LT(checkpointed.total(), large.total() / 2);
  // 36 inputs and the last result in bfloat16, and what one layer keeps while it runs again.
  EXPECT_GE(checkpointed.Line(Line::kActivations), 37 * 4096 * 2048 * 2);
}

TEST(MemoryPlan, TheHeadIsReadFromTheFileWhereTheTypeAllows) {
  const ModelConfig config = Qwen25_05B();
  DomainSpec spec;
  spec.quantization.bnb_4bit_compute_dtype = "bfloat16";
  const int64_t head = 151936 * 896;
  const MemoryPlan mapped = Plan(config, spec, Checkpointing::kNone, 64, DeviceClass::kCpu);
  EXPECT_EQ(mapped.mapped, 2 * head);
  EXPECT_EQ(mapped.Line(Line::kHead), 2 * head);
  spec.quantization.bnb_4bit_compute_dtype = "float32";
  const MemoryPlan copied = Plan(config, spec, Checkpointing::kNone, 64, DeviceClass::kCpu);
  EXPECT_EQ(copied.mapped, 0);
  EXPECT_EQ(copied.Line(Line::kHead), 4 * head);
}

TEST(MemoryPlan, MomentsIn8BitsTakeAQuarter) {
  const ModelConfig config = Qwen25_3B();
  DomainSpec spec;
  const int64_t whole = Plan(config, spec, Checkpointing::kNone, 64).Line(Line::kOptimizer);
  spec.training.optim = "adamw_8bit";
  const int64_t small = Plan(config, spec, Checkpointing::kNone, 64).Line(Line::kOptimizer);
  EXPECT_GE(whole, 8 * 14966784);
  EXPECT_NEAR(static_cast<double>(small), 0.25 * static_cast<double>(whole),
              0.02 * static_cast<double>(whole));
}

TEST(MemoryPlan, AnAdapterThatDoesNotFitTheBaseIsRefusedWithWhatWould) {
  DomainSpec spec;
  spec.lora.layers_to_transform = {36};
  const ModelConfig config = Qwen25_3B();
  const auto plan =
      PlanMemory(config, spec.lora, SetupOf(config, spec, DeviceClass::kGpu, 1), FullBatch(1, 64));
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(plan.status().message()), testing::HasSubstr("it has 0 to 35"));
}

}  // namespace
}  // namespace mozgach
