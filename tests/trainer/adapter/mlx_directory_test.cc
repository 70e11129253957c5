#include "trainer/adapter/mlx_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "nlohmann/json.hpp"
#include "tests/trainer/train/small_base.h"
#include "trainer/checkpoint/safetensors.h"

namespace mozgach {
namespace {

using ::testing::ElementsAre;
using Json = nlohmann::json;

class MlxDirectoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteSmallBase(dir_.path() / "base");
    config_ = *ModelConfig::Load(dir_.path() / "base");
    config_.num_hidden_layers = 4;
  }

  void Write() {
    adapter_ = *LoraAdapter::Create(config_, spec_.lora, 1, at::kCPU);
    const absl::Status written = WriteMlxDirectory(dir_.path() / "mlx", spec_, config_, adapter_);
    ASSERT_TRUE(written.ok()) << written;
    file_ = *SafetensorsFile::Open(dir_.path() / "mlx" / "adapters.safetensors");
  }

  Json Config() const { return Json::parse(ReadText(dir_.path() / "mlx/adapter_config.json")); }
  at::Tensor Tensor(const std::string& name) const {
    return file_->Tensor(file_->tensors().at(name));
  }

  TemporaryDirectory dir_;
  ModelConfig config_;
  DomainSpec spec_ = SmallSpec();
  LoraAdapter adapter_;
  std::shared_ptr<const SafetensorsFile> file_;
};

TEST_F(MlxDirectoryTest, MatricesAreTransposedUnderMlxNames) {
  Write();
  EXPECT_EQ(file_->tensors().size(), 4u * 7u * 2u);
  const LoraPair* pair = adapter_.Find(3, Projection::kDown);
  EXPECT_TRUE(Tensor("model.layers.3.mlp.down_proj.lora_a").equal(pair->a.t()));
  EXPECT_TRUE(Tensor("model.layers.3.mlp.down_proj.lora_b").equal(pair->b.t()));
}

TEST_F(MlxDirectoryTest, TheScaleIsWhatMultipliesAndNotAlpha) {
  spec_.lora.lora_alpha = 12;
  Write();
  EXPECT_EQ(Config().at("lora_parameters").at("scale"), 3.0);
  spec_.lora.use_rslora = true;
  Write();
  EXPECT_EQ(Config().at("lora_parameters").at("scale"), 6.0);
  EXPECT_EQ(Config().at("lora_parameters").at("rank"), 4);
  EXPECT_EQ(Config().at("fine_tune_type"), "lora");
}

TEST_F(MlxDirectoryTest, LayersBetweenAdaptedOnesAreZeros) {
  spec_.lora.layers_to_transform = std::vector<int64_t>{1, 3};
  spec_.lora.target_modules = {"q_proj"};
  Write();
  EXPECT_EQ(Config().at("num_layers"), 3);
  EXPECT_THAT(Config().at("lora_parameters").at("keys"), ElementsAre("self_attn.q_proj"));
  EXPECT_EQ(file_->tensors().count("model.layers.0.self_attn.q_proj.lora_a"), 0u);
  const at::Tensor gap = Tensor("model.layers.2.self_attn.q_proj.lora_a");
  EXPECT_EQ(gap.size(0), config_.hidden_size);
  EXPECT_EQ(gap.size(1), 4);
  EXPECT_EQ(gap.abs().max().item<float>(), 0.0f);
  EXPECT_GT(Tensor("model.layers.3.self_attn.q_proj.lora_a").abs().max().item<float>(), 0.0f);
}

TEST_F(MlxDirectoryTest, AnImageTextModelHasItsLanguageModelOneLevelDown) {
  config_.architecture = "Gemma3ForConditionalGeneration";
  Write();
  EXPECT_EQ(file_->tensors().count("language_model.model.layers.0.mlp.up_proj.lora_b"), 1u);
}

}  // namespace
}  // namespace mozgach
