#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>

#include <limits>

#include "tests/trainer/models/random_base.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

std::string ErrorOf(const RandomBase& base, absl::StatusCode code,
                    const LoadOptions& options = LoadOptions()) {
  const auto status = base.Load(options).status();
  EXPECT_EQ(status.code(), code) << status;
  return std::string(status.message());
}

TEST(LoadTest, ATiedHeadIsTheEmbeddingItself) {
  const RandomBase tied;
  const RandomBase untied(nlohmann::json{{"tie_word_embeddings", false}});
  const auto model = *tied.Load();
  EXPECT_TRUE(model->head().equal(tied.tensors.at("model.embed_tokens.weight")));
  EXPECT_TRUE((*untied.Load())->head().equal(untied.tensors.at("lm_head.weight")));
}

TEST(LoadTest, AMissingTensorIsNamed) {
  RandomBase base;
  base.tensors.erase("model.layers.1.mlp.up_proj.weight");
  EXPECT_THAT(ErrorOf(base, absl::StatusCode::kNotFound),
              HasSubstr("'model.layers.1.mlp.up_proj.weight' is missing"));
}

TEST(LoadTest, AMissingBiasIsNamed) {
  RandomBase base;
  base.tensors.erase("model.layers.2.self_attn.k_proj.bias");
  EXPECT_THAT(ErrorOf(base, absl::StatusCode::kNotFound), HasSubstr("k_proj.bias"));
}

TEST(LoadTest, AShapeThatDoesNotFitTheConfigIsNamedWithBoth) {
  RandomBase base;
  base.tensors["model.layers.0.self_attn.q_proj.weight"] = at::randn({24, 23});
  EXPECT_THAT(ErrorOf(base, absl::StatusCode::kDataLoss), HasSubstr("[24, 23]"));
}

TEST(LoadTest, AConfigThatAsksForMoreLayersThanThereAreIsRefused) {
  RandomBase base;
  base.config["num_hidden_layers"] = 4;
  EXPECT_THAT(ErrorOf(base, absl::StatusCode::kNotFound), HasSubstr("model.layers.3."));
}

TEST(LoadTest, WeightsThatAreNotFiniteAreRefusedWhenTheyAreQuantised) {
  RandomBase base;
  base.tensors["model.layers.0.mlp.up_proj.weight"].fill_(std::numeric_limits<float>::infinity());
  EXPECT_THAT(ErrorOf(base, absl::StatusCode::kDataLoss), HasSubstr("up_proj.weight"));
}

TEST(LoadTest, WeightsThatAreNoFloatingNumbersAreRefused) {
  RandomBase base;
  base.tensors["model.norm.weight"] = at::full({24}, 1, at::kLong);
  EXPECT_THAT(ErrorOf(base, absl::StatusCode::kDataLoss), HasSubstr("model.norm.weight"));
}

TEST(LoadTest, AFileThatIsCutOffIsRefused) {
  const RandomBase base;
  base.Write();
  const auto path = base.directory / "model.safetensors";
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 100);
  const auto status = CausalLm::Load(base.directory.path(), LoadOptions()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("model.safetensors"));
}

TEST(LoadTest, TheDigestFollowsTheBytes) {
  RandomBase base;
  const std::string digest = (*base.Load())->digest();
  EXPECT_EQ(digest.size(), 64u);
  EXPECT_EQ((*base.Load())->digest(), digest);
  base.tensors["model.norm.weight"].add_(1);
  EXPECT_NE((*base.Load())->digest(), digest);
}

}  // namespace
}  // namespace mozgach
