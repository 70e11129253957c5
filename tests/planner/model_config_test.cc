#include "planner/model_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "nlohmann/json.hpp"
#include "tests/trainer/checkpoint/temporary_directory.h"

namespace mozgach {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

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
  EXPECT_EQ(config->ropes.at(0).theta, 1e6);
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
  EXPECT_EQ(read->ropes.at(0).theta, 5e5);
  EXPECT_EQ(read->torch_dtype, "float16");
}

TEST(ModelConfigTest, RopeScalingReplacesRopeParametersAsAWhole) {
  for (const char* family : {"llama", "mistral", "qwen2", "qwen3"}) {
    json config = SmallQwen2();
    config["model_type"] = family;
    config["rope_theta"] = 777.0;
    config["rope_parameters"] = {{"rope_theta", 5e5}, {"rope_type", "default"}};
    config["rope_scaling"] = {{"rope_type", "linear"}, {"factor", 4.0}};
    EXPECT_EQ(Load(config)->ropes.at(0).theta, 777.0) << family;
    config["rope_scaling"] = json::object();
    EXPECT_EQ(Load(config)->ropes.at(0).theta, 5e5) << family;
  }
}

TEST(ModelConfigTest, MistralWithLayerTypesHasItsWindowByLayer) {
  json config = SmallQwen2();
  config["model_type"] = "mistral";
  config["sliding_window"] = 8;
  const auto layers = config["num_hidden_layers"].get<size_t>();
  EXPECT_EQ(Load(config)->windows, std::vector<int64_t>(layers, 8));
  config["layer_types"] = json::array();
  for (size_t i = 0; i < layers; ++i) {
    config["layer_types"].push_back(i == 0 ? "full_attention" : "sliding_attention");
  }
  std::vector<int64_t> expected(layers, 8);
  expected[0] = 0;
  EXPECT_EQ(Load(config)->windows, expected);
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
                                     HasSubstr("gemma3, llama, mistral, qwen2, qwen3")));
}

TEST(ModelConfigTest, WhatIsNotSupportedYetIsRefused) {
  for (const json& change : {
           json{{"rope_scaling", {{"rope_type", "longrope"}, {"factor", 4.0}}}},
           json{{"rope_parameters", {{"rope_type", "default"}, {"partial_rotary_factor", 0.5}}}},
           json{{"layer_types", {"full_attention", "chunked_attention"}}},
           json{{"hidden_act", "gelu"}},
       }) {
    json config = SmallQwen2();
    config.update(change);
    EXPECT_EQ(Load(config).status().code(), absl::StatusCode::kInvalidArgument) << change;
    EXPECT_THAT(ErrorOf(config), HasSubstr("not supported yet")) << change;
  }
}

TEST(ModelConfigTest, AnActiveWindowIsThatOfItsLayers) {
  json config = SmallQwen2();
  config.update({{"use_sliding_window", true}, {"sliding_window", 32}, {"max_window_layers", 1}});
  EXPECT_THAT(Load(config)->windows, ElementsAre(0, 32));
  config["max_window_layers"] = 0;
  EXPECT_THAT(Load(config)->windows, ElementsAre(32, 32));
  config["layer_types"] = {"sliding_attention", "full_attention"};
  EXPECT_THAT(Load(config)->windows, ElementsAre(32, 0));
}

TEST(ModelConfigTest, MistralHasAWindowUnlessItSaysNull) {
  json config = SmallQwen2();
  config["model_type"] = "mistral";
  EXPECT_THAT(Load(config)->windows, ElementsAre(4096, 4096));
  config["sliding_window"] = 64;
  EXPECT_THAT(Load(config)->windows, ElementsAre(64, 64));
  config["sliding_window"] = nullptr;
  EXPECT_THAT(Load(config)->windows, ElementsAre(0, 0));
}

TEST(ModelConfigTest, AbsentKeysAreWhatTheClassFillsIn) {
  json config = SmallQwen2();
  config["model_type"] = "qwen3";
  EXPECT_EQ(Load(config)->head_dim, 128);
  config["model_type"] = "mistral";
  config["num_attention_heads"] = 16;
  config.erase("num_key_value_heads");
  EXPECT_EQ(Load(config)->num_key_value_heads, 8);
}

TEST(ModelConfigTest, RopeScalingIsReadInBothSpellings) {
  json config = SmallQwen2();
  config["rope_scaling"] = {{"type", "yarn"}, {"factor", 4.0}};
  config["original_max_position_embeddings"] = 512;
  const auto yarn = Load(config);
  ASSERT_TRUE(yarn.ok()) << yarn.status();
  ASSERT_TRUE(yarn->ropes.at(0).scaling.has_value());
  EXPECT_EQ(yarn->ropes.at(0).scaling->type, RopeScaling::Type::kYarn);
  EXPECT_EQ(yarn->ropes.at(0).scaling->original_max_position_embeddings, 512);
  config.erase("rope_scaling");
  config["rope_parameters"] = {
      {"rope_type", "llama3"},   {"rope_theta", 5e5},
      {"factor", 8.0},           {"low_freq_factor", 1.0},
      {"high_freq_factor", 4.0}, {"original_max_position_embeddings", 8192}};
  config.erase("original_max_position_embeddings");
  const auto llama3 = Load(config);
  ASSERT_TRUE(llama3.ok()) << llama3.status();
  EXPECT_EQ(llama3->ropes.at(0).theta, 5e5);
  EXPECT_EQ(llama3->ropes.at(0).scaling->type, RopeScaling::Type::kLlama3);
  config["rope_parameters"].erase("factor");
  EXPECT_THAT(ErrorOf(config), HasSubstr("factor"));
}

bool IsTrainable(const std::string& model_type) {
  for (const char* known : {"qwen2", "qwen3", "llama", "mistral", "gemma3", "gemma3_text"}) {
    if (model_type == known) return true;
  }
  return false;
}

// What matters of the files on the hub.
TEST(ModelConfigTest, RealConfigsHaveTheShapesOfTheirModels) {
  const char* source = std::getenv("MOZGACH_SOURCE_DIR");
  const auto configs =
      std::filesystem::path(source == nullptr ? "." : source) / "../shared/data/configs";
  if (!std::filesystem::exists(configs)) GTEST_SKIP() << configs << " is not here";
  const auto read = [&](const std::string& name) {
    std::ifstream file(configs / name);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    auto config = ModelConfig::Parse(text);
    EXPECT_TRUE(config.ok()) << name << ": " << config.status();
    return config.ok() ? *config : ModelConfig();
  };
  const ModelConfig big = read("gemma-3-27b-it.sparse.config.json");
  EXPECT_EQ(big.architecture, "Gemma3ForConditionalGeneration");
  EXPECT_EQ(big.LayersPath(), "model.language_model.layers");
  EXPECT_EQ(big.vocab_size, 262208);
  EXPECT_EQ(big.head_dim, 128);
  EXPECT_DOUBLE_EQ(big.attention_scale, 1.0 / std::sqrt(168.0));
  EXPECT_DOUBLE_EQ(big.embedding_scale, std::sqrt(5376.0));
  EXPECT_EQ(big.ropes.at(0).scaling->factor, 8);
  EXPECT_FALSE(big.ropes.at(1).scaling.has_value());
  EXPECT_EQ(big.ropes.at(1).theta, 1e4);
  EXPECT_TRUE(big.tie_word_embeddings);
  EXPECT_EQ(big.windows.at(4), 1024);
  EXPECT_EQ(big.windows.at(5), 0);
  EXPECT_EQ(big.rope_of_layer.at(5), 0);
  const ModelConfig small = read("gemma-3-1b.text.derived.json");
  EXPECT_EQ(small.LayersPath(), "model.layers");
  EXPECT_EQ(small.head_dim, 256);
  EXPECT_EQ(small.windows.at(0), 512);
  EXPECT_FALSE(small.ropes.at(0).scaling.has_value());
  EXPECT_EQ(read("Qwen3-0.6B.config.json").head_dim, 128);
  EXPECT_EQ(read("Qwen3-8B.no_head_dim.tt-metal.config.json").head_dim, 128);
  for (int64_t window : read("Qwen2.5-7B-Instruct.tt-metal.config.json").windows) {
    EXPECT_EQ(window, 0);
  }
}

TEST(ModelConfigTest, ReadsOrNamesEveryRealConfig) {
  const char* source = std::getenv("MOZGACH_SOURCE_DIR");
  const auto configs =
      std::filesystem::path(source == nullptr ? "." : source) / "../shared/data/configs";
  if (!std::filesystem::exists(configs)) GTEST_SKIP() << configs << " is not here";
  for (const auto& entry : std::filesystem::directory_iterator(configs)) {
    if (entry.path().extension() != ".json") continue;
    SCOPED_TRACE(entry.path().filename());
    std::ifstream file(entry.path());
    const json config = json::parse(file);
    const auto read = ModelConfig::Parse(config.dump());
    const std::string type = config.value("model_type", "");
    const std::string why(read.status().message());
    if (config.contains("quantization_config")) {
      EXPECT_THAT(why, HasSubstr("is quantised with"));
    } else if (IsTrainable(type)) {
      EXPECT_TRUE(read.ok()) << why;
    } else {
      EXPECT_THAT(why, HasSubstr("'" + type + "' is not supported yet; these families are"));
    }
  }
}

TEST(ModelConfigTest, ZeroMagnitudesOfYarnCountAsAbsent) {
  json config = SmallQwen2();
  config["rope_scaling"] = {{"rope_type", "yarn"}, {"factor", 4.0},  {"mscale", 1.0},
                            {"mscale_all_dim", 0}, {"beta_fast", 0}, {"beta_slow", 0.0}};
  const auto read = Load(config);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_FALSE(read->ropes.at(0).scaling->mscale_all_dim.has_value());
  EXPECT_EQ(read->ropes.at(0).scaling->beta_fast, 32);
  EXPECT_EQ(read->ropes.at(0).scaling->beta_slow, 1);
  config["rope_scaling"]["mscale"] = false;
  EXPECT_FALSE(Load(config)->ropes.at(0).scaling->mscale.has_value());
  config["rope_scaling"]["mscale_all_dim"] = -1;
  EXPECT_THAT(ErrorOf(config), HasSubstr("mscale_all_dim"));
}

TEST(ModelConfigTest, OnlyTheOuterTieOfAMultimodalConfigCounts) {
  json text = {{"vocab_size", 100},      {"hidden_size", 64},           {"intermediate_size", 128},
               {"num_hidden_layers", 2}, {"num_attention_heads", 4},    {"num_key_value_heads", 2},
               {"head_dim", 16},         {"tie_word_embeddings", false}};
  json config = {{"model_type", "gemma3"}, {"text_config", text}};
  EXPECT_TRUE(Load(config)->tie_word_embeddings);  // the class's default
  config["tie_word_embeddings"] = true;
  EXPECT_TRUE(Load(config)->tie_word_embeddings);
  config["tie_word_embeddings"] = nullptr;
  EXPECT_FALSE(Load(config)->tie_word_embeddings);
  config["text_config"]["tie_word_embeddings"] = true;
  config["tie_word_embeddings"] = false;
  EXPECT_FALSE(Load(config)->tie_word_embeddings);
}

TEST(ModelConfigTest, RefusesAQuantisationThatCannotBeTrained) {
  json config = SmallQwen2();
  config["quantization_config"] = {{"quant_method", "gptq"}, {"bits", 4}};
  EXPECT_EQ(Load(config).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(ErrorOf(config), AllOf(HasSubstr("config.json"), HasSubstr("GPTQ"),
                                     HasSubstr("unquantised checkpoint")));
  config["quantization_config"] = {{"quant_method", "bitsandbytes"}, {"load_in_4bit", true}};
  EXPECT_TRUE(Load(config).ok());
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

TEST(ModelConfigTest, WhatIsNestedWithoutEndIsRefused) {
  const std::string deep = std::string(1000000, '[') + std::string(1000000, ']');
  const auto config =
      ModelConfig::Parse("{\"model_type\": \"qwen2\", \"vocab_size\": " + deep + "}");
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ModelConfigTest, NoFileAndNoJsonAreSaidSo) {
  TemporaryDirectory directory;
  EXPECT_EQ(ModelConfig::Load(directory.path()).status().code(), absl::StatusCode::kNotFound);
  directory.Write("config.json", "{\"model_type\": ");
  EXPECT_THAT(std::string(ModelConfig::Load(directory.path()).status().message()),
              HasSubstr("no JSON"));
}

}  // namespace
}  // namespace mozgach
