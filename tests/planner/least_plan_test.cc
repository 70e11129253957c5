#include "planner/least_plan.h"

#include <gtest/gtest.h>

#include "nlohmann/json.hpp"
#include "planner/variants.h"
#include "tests/planner/shapes.h"

namespace mozgach {
namespace {

int64_t Least(const DomainSpec& spec, const DomainRows& rows = {}, bool stepped_down = false) {
  return PlanLeast(Qwen25_3B(), spec, DeviceClass::kGpu, rows, stepped_down)->memory.total();
}

DomainSpec Long() {
  DomainSpec spec;
  spec.base = "org/base";
  spec.data.max_length = 4096;
  spec.training.per_device_train_batch_size = 8;
  return spec;
}

TEST(LeastPlan, RowsGoThroughOneAtATime) {
  DomainSpec one = Long();
  one.training.per_device_train_batch_size = 1;
  one.training.gradient_accumulation_steps = 8;
  EXPECT_EQ(Least(Long()), Least(one));
  const PlanTarget card{DeviceClass::kGpu, 0, 1};
  EXPECT_LT(Least(Long()), PlanDomain(Qwen25_3B(), Long(), card, DomainRows())->memory.total() / 2);
}

TEST(LeastPlan, ExplicitFalseStandsUntilMemoryHasRunOut) {
  DomainSpec spec = Long();
  const int64_t automatic = Least(spec);
  spec.training.gradient_checkpointing = "true";
  EXPECT_EQ(Least(spec), automatic);
  spec.training.gradient_checkpointing = "false";
  EXPECT_GT(Least(spec), 2 * automatic);
  EXPECT_EQ(Least(spec, {}, /*stepped_down=*/true), automatic);
}

TEST(LeastPlan, ShortRowsNeedLess) {
  DomainRows rows;
  rows.train = {100, 20'000, 200};
  rows.validation = {10, 2'000, 200};
  EXPECT_LT(Least(Long(), rows), Least(Long()));
}

TEST(LeastPlan, ABaseThatSeesLessThanIsAskedForNeedsNoMore) {
  ModelConfig config = Qwen25_3B();
  config.max_position_embeddings = 1024;
  DomainSpec shorter = Long();
  shorter.data.max_length = 1024;
  EXPECT_EQ(PlanLeast(config, Long(), DeviceClass::kGpu, {}, false)->memory.total(),
            PlanLeast(config, shorter, DeviceClass::kGpu, {}, false)->memory.total());
}

TEST(LeastPlan, WhatDecidesIsTheSameForDomainsThatAreAlike) {
  DomainSpec law = Long(), dates = Long();
  law.domain = "law";
  dates.domain = "dates";
  dates.training.learning_rate = 1e-3;
  dates.training.seed = 7;
  dates.labels["team"] = "x";
  EXPECT_EQ(ToJson(MemorySpec(law)), ToJson(MemorySpec(dates)));
  DomainRows a, b;
  a.train = {100, 20'000, 430};
  b.train = {7'000, 900'000, 440};
  EXPECT_EQ(MemoryRows(law, a).train.longest, MemoryRows(dates, b).train.longest);
  EXPECT_EQ(Least(law, a), Least(MemorySpec(dates), MemoryRows(dates, b)));
  dates.lora.r = 64;
  EXPECT_NE(ToJson(MemorySpec(law)), ToJson(MemorySpec(dates)));
}

TEST(LeastPlan, WhatDecidesIsAValidDomain) {
  DomainSpec spec = Long();
  spec.evaluation.metrics = {"perplexity", "exact_match"};
  spec.data.validation = "rows.jsonl";
  spec.gate.require = "eval_loss_below_base";
  spec.rope_scaling.rope_type = "linear";
  spec.rope_scaling.factor = 4;
  const auto again = DomainSpecFromJson(ToJson(MemorySpec(spec)));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(Least(*again), Least(spec));
  spec.data.validation = 0.0;
  spec.evaluation.metrics = {"perplexity"};
  EXPECT_TRUE(DomainSpecFromJson(ToJson(MemorySpec(spec))).ok());
}

TEST(LeastPlan, NumbersThatNobodyHasSeenAreRefusedOrBounded) {
  ModelConfig config = Qwen25_3B();
  config.hidden_size = 1 << 24;
  EXPECT_FALSE(PlanLeast(config, Long(), DeviceClass::kCpu, {}, false).ok());
  DomainSpec spec = Long();
  spec.data.max_length = 1 << 24;
  spec.training.per_device_train_batch_size = 65536;
  spec.training.gradient_accumulation_steps = 65536;
  spec.evaluation.metrics = {"exact_match"};
  DomainRows rows;
  rows.train = rows.validation = rows.test = {INT64_MAX, INT64_MAX, INT64_MAX};
  EXPECT_GT(Least(spec, rows), 0);
  rows.train = rows.validation = rows.test = {-1, INT64_MIN, -5};
  EXPECT_GT(Least(spec, rows), 0);
}

}  // namespace
}  // namespace mozgach
