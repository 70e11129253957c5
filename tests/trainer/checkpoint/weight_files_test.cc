#include "trainer/checkpoint/weight_files.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trainer/checkpoint/temporary_directory.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

class WeightFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(WriteSafetensors(directory_ / "one.safetensors", {{"a", a_}}, {}).ok());
    ASSERT_TRUE(WriteSafetensors(directory_ / "two.safetensors", {{"b", b_}}, {}).ok());
  }

  absl::StatusOr<WeightFiles> OpenWith(const std::string& index) {
    directory_.Write("model.safetensors.index.json", index);
    return WeightFiles::Open(directory_.path());
  }

  TemporaryDirectory directory_;
  const at::Tensor a_ = at::randn({2, 3}), b_ = at::randn({4});
};

TEST_F(WeightFilesTest, CombinesShards) {
  const auto weights = OpenWith(
      R"({"metadata": {}, "weight_map": {"a": "one.safetensors", "b": "two.safetensors"}})");
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_TRUE(at::equal(*weights->Read("a", {2, 3}), a_));
  EXPECT_TRUE(at::equal(*weights->Read("b"), b_));
  EXPECT_EQ(weights->files().size(), 2u);
}

TEST_F(WeightFilesTest, RejectsIndexThatLeavesItsDirectory) {
  for (const char* shard : {"../one.safetensors", "/etc/passwd", "..", "sub/one.safetensors", "",
                            "one.bin", ".safetensors"}) {
    const auto weights = OpenWith(std::string(R"({"weight_map": {"a": ")") + shard + "\"}}");
    EXPECT_EQ(weights.status().code(), absl::StatusCode::kInvalidArgument) << shard;
    EXPECT_THAT(std::string(weights.status().message()), HasSubstr("same directory")) << shard;
  }
}

TEST_F(WeightFilesTest, RejectsTensorUnderTwoPrefixes) {
  ASSERT_TRUE(
      WriteSafetensors(directory_ / "model.safetensors",
                       {{"model.norm.weight", b_}, {"language_model.model.norm.weight", b_}}, {})
          .ok());
  EXPECT_THAT(std::string(WeightFiles::Open(directory_.path()).status().message()),
              HasSubstr("twice"));
  EXPECT_TRUE(WeightFiles::OpenAsStored(directory_.path()).ok());
}

TEST_F(WeightFilesTest, ReadsTheNamesThatTransformersReads) {
  for (const auto& [stored, plain] : std::vector<std::pair<std::string, std::string>>{
           {"layers.0.mlp.up_proj.weight", "model.layers.0.mlp.up_proj.weight"},
           {"embed_tokens.weight", "model.embed_tokens.weight"},
           {"norm.weight", "model.norm.weight"},
           {"model.lm_head.weight", "lm_head.weight"},
           {"language_model.model.norm.weight", "model.norm.weight"},
           {"language_model.norm.weight", "model.norm.weight"},
           {"language_model.lm_head.weight", "lm_head.weight"},
           {"model.language_model.layers.1.mlp.up_proj.weight",
            "model.layers.1.mlp.up_proj.weight"},
           {"model.language_model.model.norm.weight", "model.norm.weight"},
           {"vision_tower.layers.0.weight", "vision_tower.layers.0.weight"}}) {
    ASSERT_TRUE(WriteSafetensors(directory_ / "model.safetensors", {{stored, b_}}, {}).ok());
    const auto weights = WeightFiles::Open(directory_.path());
    ASSERT_TRUE(weights.ok()) << weights.status();
    EXPECT_TRUE(weights->Contains(plain)) << stored;
  }
}

TEST_F(WeightFilesTest, ReadsTensorsMissingInIndex) {
  ASSERT_TRUE(WriteSafetensors(directory_ / "one.safetensors", {{"a", a_}, {"c", b_}}, {}).ok());
  const auto weights = OpenWith(R"({"weight_map": {"a": "one.safetensors"}})");
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_TRUE(at::equal(*weights->Read("c"), b_));
}

TEST_F(WeightFilesTest, RejectsTensorWithDifferentValuesInTwoShards) {
  const std::string index = R"({"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}})";
  ASSERT_TRUE(WriteSafetensors(directory_ / "two.safetensors", {{"a", a_}, {"b", b_}}, {}).ok());
  EXPECT_TRUE(OpenWith(index).ok());
  ASSERT_TRUE(WriteSafetensors(directory_ / "two.safetensors", {{"a", b_}, {"b", b_}}, {}).ok());
  EXPECT_EQ(OpenWith(index).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(WeightFilesTest, ReportsTensorThatOnlyIndexNamesWhenRead) {
  const auto weights =
      OpenWith(R"({"weight_map": {"a": "one.safetensors", "c": "one.safetensors"}})");
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_EQ(weights->Read("c").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(weights->Read("c").status().message()),
              HasSubstr("one.safetensors: tensor 'c' is missing, although the index names it"));
  EXPECT_EQ(weights->absent().size(), 1u);
}

TEST_F(WeightFilesTest, RejectsIndexWithMissingFile) {
  EXPECT_EQ(OpenWith(R"({"weight_map": {"a": "three.safetensors"}})").status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(OpenWith(R"({"weight_map": )").status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(WeightFilesTest, ErrorNamesMissingTensorOrWrongShape) {
  const auto weights = WeightFiles::OpenFile(directory_ / "one.safetensors");
  ASSERT_TRUE(weights.ok());
  EXPECT_EQ(weights->Read("b").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(weights->Read("b").status().message()), HasSubstr("'b' is missing"));
  const auto wrong = weights->Read("a", {3, 2}).status();
  EXPECT_EQ(wrong.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(wrong.message()), HasSubstr("[2, 3], config.json asks for [3, 2]"));
}

TEST_F(WeightFilesTest, DirectoryWithoutWeightsIsNotFound) {
  EXPECT_EQ(WeightFiles::Open(directory_.path()).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace mozgach
