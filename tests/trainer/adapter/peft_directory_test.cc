#include "trainer/adapter/peft_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nlohmann/json.hpp"
#include "tests/trainer/train/small_base.h"
#include "trainer/checkpoint/safetensors.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class PeftDirectoryTest : public ::testing::Test {
 protected:
  absl::Status Write() {
    const ModelConfig config = *ModelConfig::Load(base_dir_);
    const LoraAdapter adapter = *LoraAdapter::Create(config, spec_.lora, 1, at::kCPU);
    const Json metrics = {{"base", {{"eval_loss", 3.5}}}, {"adapter", {{"eval_loss", 1.25}}}};
    return WritePeftDirectory(dir_.path() / "out", spec_, config, adapter, metrics,
                              {"abc", 23, 20, 4000, 1.5});
  }
  std::string Read(const char* name) const { return ReadText(dir_.path() / "out" / name); }
  void SetUp() override {
    base_dir_ = dir_.path() / "base";
    WriteSmallBase(base_dir_);
  }

  TemporaryDirectory dir_;
  std::filesystem::path base_dir_;
  DomainSpec spec_ = SmallSpec();
};

TEST_F(PeftDirectoryTest, TheConfigIsWhatPeftWrites) {
  spec_.lora.lora_alpha = 16;
  ASSERT_TRUE(Write().ok());
  const std::string text = Read("adapter_config.json");
  const Json config = Json::parse(text);
  EXPECT_EQ(config.at("peft_type"), "LORA");
  EXPECT_EQ(config.at("task_type"), "CAUSAL_LM");
  EXPECT_EQ(config.at("base_model_name_or_path"), "mozgach/small");
  EXPECT_EQ(config.at("r"), 4);
  EXPECT_EQ(config.at("target_modules").size(), 7u);
  EXPECT_TRUE(config.at("layers_to_transform").is_null());
  EXPECT_TRUE(config.at("modules_to_save").is_null());
  EXPECT_THAT(text, HasSubstr("\n  \"lora_alpha\": 16,\n"));  // indent 2, no point
  EXPECT_EQ(text, config.dump(2) + "\n");                     // sorted
}

TEST_F(PeftDirectoryTest, TheTowerOfABaseThatSeesIsLeftOut) {
  ModelConfig base = *ModelConfig::Load(base_dir_);
  EXPECT_TRUE(PeftConfig(spec_, base).at("exclude_modules").is_null());
  base.architecture = "Gemma3ForConditionalGeneration";
  EXPECT_THAT(PeftConfig(spec_, base).at("exclude_modules").get<std::string>(),
              HasSubstr("vision_tower"));
}

TEST_F(PeftDirectoryTest, ChosenLayersAndModulesAreNamed) {
  spec_.lora.layers_to_transform = std::vector<int64_t>{1};
  spec_.lora.target_modules = {"q_proj", "v_proj"};
  ASSERT_TRUE(Write().ok());
  const Json config = Json::parse(Read("adapter_config.json"));
  EXPECT_EQ(config.at("layers_to_transform"), Json({1}));
  EXPECT_EQ(config.at("target_modules"), Json({"q_proj", "v_proj"}));
  const auto file = SafetensorsFile::Open(dir_.path() / "out/adapter_model.safetensors");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->tensors().size(), 4u);
  EXPECT_EQ((*file)->metadata().at("format"), "pt");
  EXPECT_EQ(
      (*file)->tensors().count("base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight"),
      1u);
}

TEST_F(PeftDirectoryTest, TheCardSaysWhatTheAdapterDoesBetter) {
  spec_.description = "Shouts \"loudly\".";
  ASSERT_TRUE(Write().ok());
  const std::string card = Read("README.md");
  EXPECT_EQ(card.rfind("---\nbase_model: \"mozgach/small\"\nlibrary_name: peft\n", 0), 0u);
  EXPECT_THAT(card, HasSubstr("- type: \"eval_loss\"\n      value: 1.25\n"));
  EXPECT_THAT(card, HasSubstr("| eval_loss | 3.5000 | 1.2500 |"));
  EXPECT_THAT(card, HasSubstr("Shouts \"loudly\"."));
  EXPECT_EQ(Json::parse(Read("metrics.json")).at("adapter").at("eval_loss"), 1.25);
}

TEST_F(PeftDirectoryTest, AnUnwritablePlaceIsAnErrorWithItsPath) {
  WriteText(dir_.path() / "out", "a file is in the way");
  const absl::Status status = Write();
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr((dir_.path() / "out").string()));
}

}  // namespace
}  // namespace mozgach
