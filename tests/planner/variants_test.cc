#include "planner/variants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planner/context_table.h"
#include "planner/known_device.h"
#include "planner/time_plan.h"
#include "tests/planner/shapes.h"

namespace mozgach {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int64_t kGiB = int64_t{1} << 30;

TEST(Variants, AllThatAreOfferedFit) {
  DomainSpec spec;
  spec.data.max_length = 2048;
  spec.training.gradient_accumulation_steps = 8;
  const PlanTarget card{DeviceClass::kGpu, 16 * kGiB, 8};
  const auto variants = VariantsThatFit(Qwen25_3B(), spec, card, DomainRows()).value();
  ASSERT_THAT(variants, SizeIs(3));
  EXPECT_EQ(variants[0].name, "smallest");
  for (const Variant& variant : variants) {
    EXPECT_LE(variant.plan.memory.total(), card.memory_bytes) << variant.name;
    EXPECT_EQ(variant.plan.spec.training.per_device_train_batch_size *
                  variant.plan.spec.training.gradient_accumulation_steps,
              8);
  }
  EXPECT_LT(variants[0].plan.memory.total(), variants[2].plan.memory.total());
}

TEST(Variants, TheirKeysCanBePastedIntoADomainFile) {
  DomainSpec spec;
  const PlanTarget card{DeviceClass::kGpu, 16 * kGiB, 8};
  const auto variants = VariantsThatFit(Qwen25_3B(), spec, card, DomainRows()).value();
  ASSERT_FALSE(variants.empty());
  for (const Variant& variant : variants) {
    const std::string text =
        "domain: x\nbase: a/b\ndata: {train: memory_plan_test.cc}\n" + DomainKeys(variant);
    const auto file = ParseDomainFile(text, "x.yaml", SOURCE_DIR "/tests/planner");
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ(file->spec.lora.r, variant.plan.spec.lora.r);
  }
}

TEST(Variants, TheRowsOfAStepStayAlsoWhereTheyAreNoPowerOfTwo) {
  for (const auto& [batch, accumulation] : {std::pair<int, int>{3, 1}, {6, 1}, {1, 7}, {5, 3}}) {
    DomainSpec spec;
    spec.training.per_device_train_batch_size = batch;
    spec.training.gradient_accumulation_steps = accumulation;
    const PlanTarget card{DeviceClass::kGpu, 24 * kGiB, 8};
    const auto variants = VariantsThatFit(Qwen25_3B(), spec, card, DomainRows());
    for (const Variant& variant : variants.value()) {
      if (variant.name == std::string("fullest")) continue;  // at least eight
      const TrainingSpec& training = variant.plan.spec.training;
      EXPECT_EQ(training.per_device_train_batch_size * training.gradient_accumulation_steps,
                batch * accumulation)
          << variant.name;
    }
  }
}

TEST(Variants, WhatWouldFitIsSaidWhereNothingDoes) {
  DomainSpec spec;
  spec.data.max_length = 16384;
  const PlanTarget card{DeviceClass::kGpu, 3 * kGiB, 8};
  EXPECT_THAT(VariantsThatFit(Qwen25_3B(), spec, card, DomainRows()).value(), SizeIs(0));
  const auto changes = WhatWouldFit(Qwen25_3B(), spec, card, DomainRows()).value();
  EXPECT_THAT(changes, Contains(HasSubstr("GiB")));
}

TEST(Variants, CheckpointingOfItsOwnAccordOnlyWhereItIsNeeded) {
  DomainSpec spec;
  spec.data.max_length = 8192;
  const auto roomy =
      PlanDomain(Qwen25_3B(), spec, {DeviceClass::kGpu, 80 * kGiB, 8}, DomainRows()).value();
  EXPECT_EQ(roomy.checkpointing, Checkpointing::kNone);
  const auto tight =
      PlanDomain(Qwen25_3B(), spec, {DeviceClass::kGpu, 10 * kGiB, 8}, DomainRows()).value();
  EXPECT_EQ(tight.checkpointing, Checkpointing::kPerLayer);
}

TEST(ContextTable, EachTechniqueAndEachGigabyteReachFurther) {
  const ContextTable table = ContextsOf(Qwen25_05B(), DeviceClass::kGpu).value();
  ASSERT_THAT(table.rows, SizeIs(11));
  std::vector<int64_t> before(table.techniques.size(), 0);
  for (const ContextRow& row : table.rows) {
    for (size_t i = 0; i < row.tokens.size(); ++i) {
      EXPECT_GE(row.tokens[i], before[i]);
      if (i > 0) {
        EXPECT_GE(row.tokens[i], row.tokens[i - 1]);
      }
    }
    before = row.tokens;
  }
  EXPECT_GT(table.rows.back().tokens.back(), 100000);
}

TEST(KnownDevice, IsFoundAsPeopleSayIt) {
  for (const char* name : {"RTX 5060 Ti", "NVIDIA GeForce RTX 5060 Ti", "rtx-5060-ti", "5060 Ti",
                           "RTX 5060 Ti 16GB"}) {
    const auto device = FindDevice(name);
    ASSERT_TRUE(device.ok()) << name << ": " << device.status();
    EXPECT_EQ(device->memory_bytes, 16 * kGiB) << name;
  }
  EXPECT_EQ(FindDevice("H200")->memory_bytes, 141 * kGiB);
  EXPECT_EQ(FindDevice("Apple M4 Max 64GB")->memory_bytes, 64 * kGiB);
}

TEST(KnownDevice, AnUnknownNameIsAnsweredWithThoseNearIt) {
  const absl::Status status = FindDevice("RTX 5060 Tie").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("RTX 5060 Ti"));
}

TEST(MemorySize, UnitsAreThoseOfPeople) {
  EXPECT_EQ(*ParseMemorySize("16GiB"), 16 * kGiB);
  EXPECT_EQ(*ParseMemorySize("16G"), 16 * kGiB);
  EXPECT_EQ(*ParseMemorySize("16 GB"), 16000000000);
  EXPECT_EQ(*ParseMemorySize("1.5g"), 3 * kGiB / 2);
  EXPECT_EQ(*ParseMemorySize("500M"), int64_t{500} << 20);
  for (const char* bad :
       {"", "GiB", "-1G", "16X", "nan", "inf", "1e9G", "0", "1K", "99999999T", "1.2.3G"}) {
    EXPECT_EQ(ParseMemorySize(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST(TimePlan, CountsStepsAsTheTrainerDoesAndSecondsBySpeed) {
  DomainSpec spec;
  spec.data.packing = false;
  spec.training.per_device_train_batch_size = 2;
  spec.training.gradient_accumulation_steps = 4;
  const RowTokens rows{100, 20000, 300};
  const TimePlan plan = PlanTime(spec, rows, 500);
  EXPECT_EQ(plan.steps, 39);  // ceil(50 / 4) · 3
  EXPECT_EQ(plan.tokens, 60000);
  EXPECT_DOUBLE_EQ(*plan.seconds, 120);
  EXPECT_FALSE(PlanTime(spec, rows, 0).seconds.has_value());
}

}  // namespace
}  // namespace mozgach
