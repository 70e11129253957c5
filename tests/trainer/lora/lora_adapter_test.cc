#include "trainer/lora/lora_adapter.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "nlohmann/json.hpp"
#include "tests/trainer/checkpoint/temporary_directory.h"
#include "tests/trainer/lora/small_config.h"
#include "trainer/checkpoint/safetensors.h"

namespace mozgach {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

LoraSpec Spec(int64_t rank = 4) {
  LoraSpec spec;
  spec.r = rank;
  return spec;
}

absl::StatusOr<LoraAdapter> Create(const LoraSpec& spec, int64_t seed = 1) {
  return LoraAdapter::Create(SmallConfig(), spec, seed, at::kCPU);
}

TEST(LoraAdapterTest, AllLinearAdaptsSevenProjectionsOfEveryLayer) {
  const auto adapter = Create(Spec());
  ASSERT_TRUE(adapter.ok()) << adapter.status();
  // r · (in + out) over q, k, v, o, gate, up and down of three layers.
  EXPECT_EQ(adapter->TrainableParameters(), 3 * 4 * (48 + 36 + 36 + 48 + 64 + 64 + 64));
  EXPECT_EQ(adapter->NamedTensors(SmallConfig()).size(), 3u * 7 * 2);
  EXPECT_EQ(adapter->LowestLayer(), 0);
  EXPECT_EQ(adapter->scaling(), 2.0);
}

TEST(LoraAdapterTest, UsesPeftNamesInFixedOrder) {
  const auto tensors = Create(Spec())->NamedTensors(SmallConfig());
  EXPECT_EQ(tensors[0].first, "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight");
  EXPECT_EQ(tensors[1].first, "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight");
  EXPECT_EQ(tensors.back().first, "base_model.model.model.layers.2.mlp.down_proj.lora_B.weight");
  EXPECT_EQ(tensors[0].second.sizes(), at::IntArrayRef({4, 24}));
  EXPECT_EQ(tensors.back().second.sizes(), at::IntArrayRef({24, 4}));
}

TEST(LoraAdapterTest, StartsWithZeroBAndAFromSeed) {
  const auto one = Create(Spec(), 1)->NamedTensors(SmallConfig());
  const auto again = Create(Spec(), 1)->NamedTensors(SmallConfig());
  const auto other = Create(Spec(), 2)->NamedTensors(SmallConfig());
  for (size_t i = 0; i < one.size(); ++i) {
    const auto& [name, tensor] = one[i];
    EXPECT_TRUE(tensor.requires_grad() && tensor.is_leaf()) << name;
    EXPECT_TRUE(at::equal(tensor, again[i].second)) << name;
    const float largest = tensor.detach().abs().max().item<float>();
    if (name.find("lora_B") != std::string::npos) {
      EXPECT_EQ(largest, 0) << name;
      continue;
    }
    EXPECT_FALSE(at::equal(tensor, other[i].second)) << name;
    const float bound = 1.0f / std::sqrt(static_cast<float>(tensor.size(1)));
    EXPECT_LE(largest, bound) << name;
    EXPECT_GT(largest, 0.8f * bound) << name;
  }
  EXPECT_FALSE(at::equal(one[0].second, one[2].second));
}

TEST(LoraAdapterTest, AdaptsSelectedModulesOfSelectedLayers) {
  LoraSpec spec = Spec();
  spec.target_modules = {"v_proj", "mlp.up_proj"};
  spec.layers_to_transform = {1, 2};
  spec.use_rslora = true;
  spec.lora_alpha = 6;
  const auto adapter = Create(spec);
  EXPECT_EQ(adapter->NamedTensors(SmallConfig()).size(), 2u * 2 * 2);
  EXPECT_EQ(adapter->LowestLayer(), 1);
  EXPECT_EQ(adapter->Find(0, Projection::kV), nullptr);
  EXPECT_EQ(adapter->Find(1, Projection::kQ), nullptr);
  EXPECT_NE(adapter->Find(2, Projection::kUp), nullptr);
  EXPECT_EQ(adapter->scaling(), 3.0);
}

TEST(LoraAdapterTest, ErrorListsExistingModulesAndLayers) {
  LoraSpec spec = Spec();
  spec.target_modules = {"q_proj", "fc1"};
  EXPECT_THAT(std::string(Create(spec).status().message()), HasSubstr("'fc1'; it has q_proj"));
  spec = Spec();
  spec.layers_to_transform = {3};
  EXPECT_THAT(std::string(Create(spec).status().message()), HasSubstr("no layer 3; it has 0 to 2"));
  spec = Spec();
  spec.target_modules = {};
  EXPECT_EQ(Create(spec).status().code(), absl::StatusCode::kInvalidArgument);
  spec = Spec();
  spec.bias = "all";
  EXPECT_THAT(std::string(Create(spec).status().message()), HasSubstr("not supported yet"));
}

class LoraAdapterLoadTest : public ::testing::Test {
 protected:
  void SetUp() override { Save(Create(Spec())->NamedTensors(SmallConfig())); }

  void Save(const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
    ASSERT_TRUE(WriteSafetensors(directory_ / "adapter_model.safetensors", tensors, {}).ok());
  }

  absl::StatusOr<LoraAdapter> LoadWith(const json& changes = json::object()) {
    json config = {{"peft_type", "LORA"}, {"r", 4},
                   {"lora_alpha", 8},     {"bias", "none"},
                   {"use_dora", false},   {"rank_pattern", json::object()},
                   {"lora_dropout", 0.25}};
    config.update(changes);
    directory_.Write("adapter_config.json", config.dump());
    return LoraAdapter::Load(directory_.path(), SmallConfig(), at::kCPU);
  }

  TemporaryDirectory directory_;
};

TEST_F(LoraAdapterLoadTest, ReadsWrittenAdapter) {
  const auto adapter = LoadWith();
  ASSERT_TRUE(adapter.ok()) << adapter.status();
  const auto expected = Create(Spec())->NamedTensors(SmallConfig());
  const auto read = adapter->NamedTensors(SmallConfig());
  ASSERT_EQ(read.size(), expected.size());
  for (size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].first, expected[i].first);
    EXPECT_TRUE(at::equal(read[i].second, expected[i].second));
    EXPECT_TRUE(read[i].second.requires_grad());
  }
  EXPECT_EQ(adapter->scaling(), 2.0);
  EXPECT_EQ(adapter->dropout(), 0.25);
  EXPECT_EQ(LoadWith({{"use_rslora", true}})->scaling(), 4.0);
}

TEST_F(LoraAdapterLoadTest, RejectsUnsupportedSettings) {
  for (const json& change : {json{{"use_dora", true}}, json{{"rank_pattern", {{"q_proj", 8}}}},
                             json{{"bias", "all"}}, json{{"modules_to_save", {"lm_head"}}}}) {
    EXPECT_THAT(std::string(LoadWith(change).status().message()), HasSubstr("not supported yet"))
        << change;
  }
}

TEST_F(LoraAdapterLoadTest, RejectsInvalidConfig) {
  for (const json& change : {json{{"r", 0}}, json{{"r", "four"}}, json{{"lora_alpha", nullptr}},
                             json{{"peft_type", "IA3"}}, json{{"lora_dropout", 2}}}) {
    EXPECT_EQ(LoadWith(change).status().code(), absl::StatusCode::kInvalidArgument) << change;
  }
}

TEST_F(LoraAdapterLoadTest, RejectsAdapterOfAnotherBase) {
  EXPECT_THAT(std::string(LoadWith({{"r", 8}}).status().message()), HasSubstr("another base"));
  auto tensors = Create(Spec())->NamedTensors(SmallConfig());
  tensors.emplace_back(PeftName("model.layers", 9, Projection::kQ, "lora_A"), at::randn({4, 24}));
  Save(tensors);
  EXPECT_THAT(std::string(LoadWith().status().message()), HasSubstr("layers.9"));
  Save({});
  EXPECT_EQ(LoadWith().status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(LoraAdapterLoadTest, RejectsIncompletePair) {
  auto tensors = Create(Spec())->NamedTensors(SmallConfig());
  tensors.pop_back();
  Save(tensors);
  EXPECT_THAT(std::string(LoadWith().status().message()), HasSubstr("lora_B.weight' is missing"));
}

}  // namespace
}  // namespace mozgach
