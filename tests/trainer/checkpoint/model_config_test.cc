#include "trainer/checkpoint/model_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nlohmann/json.hpp"
#include "tests/trainer/checkpoint/temporary_directory.h"

namespace mozgach {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using nlohmann::json;

json SmallQwen2() {
  return {{"model_type", "qwen2"},       {"vocab_size", 100},        {"hidden_size", 64},
          {"intermediate_size", 128},    {"num_hidden_layers", 2},   {"num_attention_heads", 4},
          {"num_key_value_heads", 2},    {"rms_norm_eps", 1e-5},     {"rope_theta", 1e6},
          {"tie_word_embeddings", true}, {"torch_dtype", "bfloat16"}};
}

absl::StatusOr<ModelConfig> Load(const json& config) {
  TemporaryDirectory directory;
  directory.Write("config.json", config.dump());
  return ModelConfig::Load(directory.path());
}

std::string ErrorOf(const json& config) { return std::string(Load(config).status().message()); }

TEST(ModelConfigTest, ReadsQwen2InTheOldSpelling) {
  const auto config = Load(SmallQwen2());
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->architecture, "Qwen2ForCausalLM");
  EXPECT_EQ(config->head_dim, 16);
  EXPECT_EQ(config->rope_theta, 1e6);
  EXPECT_EQ(config->torch_dtype, "bfloat16");
  EXPECT_TRUE(config->attention_bias);
  EXPECT_FALSE(config->attention_output_bias);
  EXPECT_TRUE(config->tie_word_embeddings);
}

TEST(ModelConfigTest, ReadsTheSpellingOfTransformersFive) {
  json config = SmallQwen2();
  config.erase("rope_theta");
  config.erase("torch_dtype");
  config["rope_parameters"] = {{"rope_theta", 5e5}, {"rope_type", "default"}};
  config["dtype"] = "float16";
  const auto read = Load(config);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->rope_theta, 5e5);
  EXPECT_EQ(read->torch_dtype, "float16");
}

TEST(ModelConfigTest, LlamaHasBiasesOnlyWhereItAsksForThem) {
  json config = SmallQwen2();
  config["model_type"] = "llama";
  EXPECT_FALSE(Load(config)->attention_bias);
  config["attention_bias"] = true;
  config["mlp_bias"] = true;
  const auto biased = Load(config);
  EXPECT_TRUE(biased->attention_bias);
  EXPECT_TRUE(biased->attention_output_bias);
  EXPECT_TRUE(biased->mlp_bias);
}

TEST(ModelConfigTest, WithoutKeyHeadsEveryHeadHasItsOwn) {
  json config = SmallQwen2();
  config["num_key_value_heads"] = nullptr;
  EXPECT_EQ(Load(config)->num_key_value_heads, 4);
}

TEST(ModelConfigTest, AnUnknownFamilyIsAnsweredWithThoseWeHave) {
  json config = SmallQwen2();
  config["model_type"] = "mamba";
  EXPECT_THAT(ErrorOf(config), AllOf(HasSubstr("config.json"), HasSubstr("mamba"),
                                     HasSubstr("qwen2, llama, mistral")));
}

TEST(ModelConfigTest, WhatIsNotSupportedYetIsRefused) {
  for (const json& change : {
           json{{"rope_scaling", {{"rope_type", "yarn"}, {"factor", 4.0}}}},
           json{{"rope_scaling", {{"type", "linear"}, {"factor", 2.0}}}},
           json{{"rope_parameters", {{"rope_type", "llama3"}, {"rope_theta", 1e4}}}},
           json{{"use_sliding_window", true}, {"sliding_window", 32}, {"max_window_layers", 1}},
           json{{"layer_types", {"full_attention", "sliding_attention"}}},
           json{{"hidden_act", "gelu"}},
       }) {
    json config = SmallQwen2();
    config.update(change);
    EXPECT_EQ(Load(config).status().code(), absl::StatusCode::kInvalidArgument) << change;
    EXPECT_THAT(ErrorOf(config), HasSubstr("not supported yet")) << change;
  }
}

TEST(ModelConfigTest, AWindowThatIsNotInUseIsPassedOver) {
  for (const json& change : {
           json{{"use_sliding_window", false}, {"sliding_window", 32}},
           json{{"use_sliding_window", true}, {"sliding_window", 32}, {"max_window_layers", 2}},
           json{{"rope_scaling", nullptr}},
       }) {
    json config = SmallQwen2();
    config.update(change);
    EXPECT_TRUE(Load(config).ok()) << change << Load(config).status();
  }
}

TEST(ModelConfigTest, WrongValuesNameTheirKey) {
  for (const auto& [key, value] : std::vector<std::pair<std::string, json>>{
           {"vocab_size", 0},
           {"hidden_size", -4},
           {"hidden_size", 1e30},
           {"num_hidden_layers", "two"},
           {"num_attention_heads", 3},
           {"num_key_value_heads", 3},
           {"rms_norm_eps", 0},
           {"rope_theta", "big"},
           {"tie_word_embeddings", 1},
           {"rope_scaling", 3},
           {"head_dim", 15},
       }) {
    json config = SmallQwen2();
    config[key] = value;
    EXPECT_EQ(Load(config).status().code(), absl::StatusCode::kInvalidArgument) << key << value;
    EXPECT_THAT(ErrorOf(config), HasSubstr("'")) << key << value;
  }
  json config = SmallQwen2();
  config.erase("intermediate_size");
  EXPECT_THAT(ErrorOf(config), HasSubstr("'intermediate_size' is missing"));
}

TEST(ModelConfigTest, NoFileAndNoJsonAreSaidSo) {
  TemporaryDirectory directory;
  EXPECT_EQ(ModelConfig::Load(directory.path()).status().code(), absl::StatusCode::kNotFound);
  directory.Write("config.json", "{\"model_type\": ");
  EXPECT_THAT(std::string(ModelConfig::Load(directory.path()).status().message()),
              HasSubstr("is no JSON object"));
}

}  // namespace
}  // namespace mozgach
