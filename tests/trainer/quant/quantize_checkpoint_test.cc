// tests/interop/four_bit_checkpoint_test.py loads such a checkpoint with transformers.
#include "trainer/quant/quantize_checkpoint.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <limits>
#include <map>

#include "nlohmann/json.hpp"
#include "tests/trainer/checkpoint/temporary_directory.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/quant/checkpoint_plan.h"
#include "trainer/quant/four_bit_checkpoint.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

json ReadJson(const fs::path& path) {
  std::ifstream file(path);
  return json::parse(file);
}

class QuantizeCheckpointTest : public ::testing::Test {
 protected:
  QuantizeCheckpointTest() {
    fs::create_directories(base());
    config_ = {{"model_type", "qwen2"}, {"torch_dtype", "bfloat16"}};
    tensors_["model.embed_tokens.weight"] = at::randn({50, 32}).to(at::kBFloat16);
    tensors_["model.norm.weight"] = at::randn({33});
    for (const char* name : {"model.layers.0.self_attn.q_proj", "model.layers.1.mlp.down_proj"}) {
      tensors_[std::string(name) + ".weight"] = at::randn({7, 33}).to(at::kBFloat16);
    }
    tensors_["model.layers.0.self_attn.q_proj.bias"] = at::randn({7}).to(at::kHalf);
  }

  fs::path base() const { return directory_ / "base"; }
  fs::path output() const { return directory_ / "out"; }

  absl::StatusOr<QuantizeReport> Quantize(const QuantizeOptions& options = {}) {
    directory_.Write("base/config.json", config_.dump());
    std::vector<std::pair<std::string, at::Tensor>> list(tensors_.begin(), tensors_.end());
    EXPECT_TRUE(WriteSafetensors(base() / "model.safetensors", list, {}).ok());
    return QuantizeCheckpoint(base(), output(), options);
  }

  void ExpectRightTensors(bool double_quant) const {
    const auto files = WeightFiles::OpenAsStored(output());
    ASSERT_TRUE(files.ok()) << files.status();
    for (const auto& [name, tensor] : tensors_) {
      ASSERT_EQ(IsFourBit(*files, name), IsDecoderLinear(name)) << name;
      if (!IsDecoderLinear(name)) {
        EXPECT_TRUE(at::equal(*files->Read(name), tensor)) << name;
        continue;
      }
      const auto read = ReadFourBit(*files, name, tensor.sizes().vec());
      ASSERT_TRUE(read.ok()) << read.status();
      EXPECT_EQ(read->double_quantized(), double_quant);
      EXPECT_TRUE(at::equal(read->codes, QuantizeNf4(tensor, double_quant)->codes));
    }
    for (const auto& file : files->files()) {
      for (const auto& [name, stored] : file->tensors()) {
        EXPECT_EQ(reinterpret_cast<uintptr_t>(stored.bytes.data()) % c10::elementSize(stored.dtype),
                  0u)
            << name;
      }
    }
  }

  TemporaryDirectory directory_;
  json config_;
  std::map<std::string, at::Tensor> tensors_;
};

TEST_F(QuantizeCheckpointTest, QuantisesLinearLayersAndCopiesTheRest) {
  const auto report = Quantize();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->quantized, 2);
  EXPECT_EQ(report->copied, 3);
  ExpectRightTensors(true);
  const json config = ReadJson(output() / "config.json");
  EXPECT_EQ(config["model_type"], "qwen2");
  const json& quantization = config["quantization_config"];
  EXPECT_EQ(quantization["quant_method"], "bitsandbytes");
  EXPECT_EQ(quantization["load_in_4bit"], true);
  EXPECT_EQ(quantization["bnb_4bit_use_double_quant"], true);
  EXPECT_EQ(quantization["bnb_4bit_compute_dtype"], "bfloat16");
  EXPECT_TRUE(quantization["llm_int8_skip_modules"].is_null());
}

TEST_F(QuantizeCheckpointTest, WorksWithoutDoubleQuantisation) {
  ASSERT_TRUE(Quantize({.double_quant = false}).ok());
  ExpectRightTensors(false);
  const json config = ReadJson(output() / "config.json");
  EXPECT_EQ(config["quantization_config"]["bnb_4bit_use_double_quant"], false);
}

TEST_F(QuantizeCheckpointTest, WritesShardsWithIndex) {
  const auto report = Quantize({.shard_bytes = 3000});
  ASSERT_TRUE(report.ok()) << report.status();
  const json index = ReadJson(output() / "model.safetensors.index.json");
  EXPECT_EQ(index["metadata"]["total_size"], report->bytes);
  EXPECT_TRUE(fs::exists(output() / "model-00001-of-00004.safetensors"));
  ExpectRightTensors(true);
}

TEST_F(QuantizeCheckpointTest, CopiesVisionTowerAndListsItForTransformers) {
  tensors_["vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight"] =
      at::randn({8, 8});
  tensors_["language_model.model.layers.0.mlp.up_proj.weight"] = at::randn({8, 8});
  const auto report = Quantize();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->quantized, 3);
  ExpectRightTensors(true);
  const json config = ReadJson(output() / "config.json");
  EXPECT_EQ(config["quantization_config"]["llm_int8_skip_modules"],
            json({"lm_head", "model.vision_tower", "vision_tower"}));
}

TEST_F(QuantizeCheckpointTest, CopiesTokenizerAndTemplatesButNotOtherWeights) {
  for (const char* name :
       {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json",
        "merges.txt", "pytorch_model.bin", "pytorch_model.bin.index.json"}) {
    directory_.Write(std::string("base/") + name, name);
  }
  ASSERT_TRUE(Quantize().ok());
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja",
                           "generation_config.json", "merges.txt"}) {
    EXPECT_TRUE(fs::exists(output() / name)) << name;
  }
  EXPECT_FALSE(fs::exists(output() / "pytorch_model.bin"));
  EXPECT_FALSE(fs::exists(output() / "pytorch_model.bin.index.json"));
}

TEST_F(QuantizeCheckpointTest, AcceptsOnlyEmptyOutput) {
  fs::create_directories(output());
  directory_.Write("out/mine", "x");
  EXPECT_EQ(Quantize().status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(fs::exists(output() / "mine"));
  fs::remove(output() / "mine");
  EXPECT_TRUE(Quantize().ok());
}

TEST_F(QuantizeCheckpointTest, FailureLeavesNoFiles) {
  tensors_["model.layers.1.mlp.down_proj.weight"].fill_(std::numeric_limits<float>::infinity());
  const auto report = Quantize();
  EXPECT_EQ(report.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(report.status().message()), HasSubstr("down_proj"));
  EXPECT_FALSE(fs::exists(output()));
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_.path()), fs::directory_iterator()), 1);
}

TEST_F(QuantizeCheckpointTest, RemovesLeftoversOfKilledRunButNotForeignFiles) {
  fs::create_directories(directory_ / "out.mozgach-partial");
  directory_.Write("out.mozgach-partial/mine", "x");
  EXPECT_THAT(Quantize().status().message(), HasSubstr("was not made by this command"));
  EXPECT_TRUE(fs::exists(directory_ / "out.mozgach-partial/mine"));
  directory_.Write("out.mozgach-partial/quantize.lock", "");
  ASSERT_TRUE(Quantize().ok());
  EXPECT_FALSE(fs::exists(output() / "mine"));
  EXPECT_FALSE(fs::exists(output() / "quantize.lock"));
  EXPECT_FALSE(fs::exists(directory_ / "out.mozgach-partial"));
}

TEST_F(QuantizeCheckpointTest, RejectsImpossibleOutputBeforeWork) {
  directory_.Write("file", "x");
  fs::create_symlink("nowhere", directory_ / "link");
  Quantize().IgnoreError();
  const std::pair<fs::path, const char*> cases[] = {
      {"", "no output"},
      {directory_ / "file", "is a file"},
      {directory_ / "link", "is a link"},
      {directory_ / "file" / "out", "not a directory"},
      {directory_ / "none" / "out", "not a directory"}};
  for (const auto& [place, what] : cases) {
    const auto report = QuantizeCheckpoint(base(), place, {});
    EXPECT_EQ(report.status().code(), absl::StatusCode::kInvalidArgument) << place;
    EXPECT_THAT(report.status().message(), HasSubstr(what));
  }
}

TEST_F(QuantizeCheckpointTest, ErrorNamesTensorThatCannotBeQuantised) {
  const std::string name = "model.layers.0.self_attn.v_proj.weight";
  tensors_[name] = at::empty({0, 8});
  EXPECT_THAT(Quantize().status().message(), AllOf(HasSubstr(name), HasSubstr("no elements")));
  tensors_[name] = at::randn({8, 8});
  tensors_[name + ".absmax"] = at::randn({8});
  EXPECT_THAT(Quantize().status().message(), HasSubstr(name + ".absmax"));
  EXPECT_FALSE(fs::exists(output()));
}

TEST_F(QuantizeCheckpointTest, RejectsQuantisedBaseAndBaseWithoutLinearLayers) {
  config_["quantization_config"] = {{"quant_method", "gptq"}};
  EXPECT_EQ(Quantize().status().code(), absl::StatusCode::kInvalidArgument);
  config_.erase("quantization_config");
  ASSERT_TRUE(Quantize().ok());
  const auto again = QuantizeCheckpoint(output(), directory_ / "again", {});
  EXPECT_THAT(std::string(again.status().message()), HasSubstr("already"));
  tensors_ = {{"bert.encoder.weight", at::randn({4, 4})}};
  fs::remove_all(output());
  EXPECT_THAT(std::string(Quantize().status().message()), HasSubstr("nothing to quantise"));
}

TEST(CheckpointPlanTest, RecognisesLinearLayersOfDecoder) {
  for (const char* name : {"model.layers.0.self_attn.q_proj.weight",
                           "language_model.model.layers.11.mlp.gate_proj.weight",
                           "model.language_model.layers.3.self_attn.o_proj.weight"}) {
    EXPECT_TRUE(IsDecoderLinear(name)) << name;
  }
  for (const char* name :
       {"model.layers.0.self_attn.q_proj.bias", "model.embed_tokens.weight", "lm_head.weight",
        "model.layers.0.self_attn.q_norm.weight", "model.layers.x.mlp.up_proj.weight",
        "vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight",
        "model.vision_tower.layers.0.mlp.up_proj.weight"}) {
    EXPECT_FALSE(IsDecoderLinear(name)) << name;
  }
}

}  // namespace
}  // namespace mozgach
