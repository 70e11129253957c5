#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <thread>

#include "tests/trainer/models/random_base.h"
#include "trainer/checkpoint/weight_files.h"
#include "trainer/quant/four_bit_checkpoint.h"
#include "trainer/quant/quantize_checkpoint.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

std::string ErrorOf(const RandomBase& base, absl::StatusCode code,
                    const LoadOptions& options = LoadOptions()) {
  const auto status = base.Load(options).status();
  EXPECT_EQ(status.code(), code) << status;
  return std::string(status.message());
}

TEST(LoadTest, TiedHeadSharesTheEmbedding) {
  const RandomBase tied;
  const RandomBase untied(nlohmann::json{{"tie_word_embeddings", false}});
  const auto model = *tied.Load();
  EXPECT_TRUE(model->head().equal(tied.tensors.at("model.embed_tokens.weight")));
  EXPECT_TRUE((*untied.Load())->head().equal(untied.tensors.at("lm_head.weight")));
}

TEST(LoadTest, UsesHeadThatDiffersFromTiedEmbedding) {
  RandomBase base;
  const at::Tensor head = at::randn({50, 24});
  base.tensors["lm_head.weight"] = head;
  for (const bool quantize : {false, true}) {
    LoadOptions options;
    options.quantize = quantize;
    const auto model = base.Load(options);
    ASSERT_TRUE(model.ok()) << model.status();
    EXPECT_TRUE((*model)->head().equal(head));
    EXPECT_FALSE((*model)->config().tie_word_embeddings);
    ASSERT_EQ((*model)->notices().size(), 1u);
    EXPECT_THAT((*model)->notices()[0], HasSubstr("lm_head.weight"));
  }
}

TEST(LoadTest, HeadEqualToTiedEmbeddingStaysTied) {
  RandomBase base;
  const at::Tensor embedding = base.tensors["model.embed_tokens.weight"].to(at::kBFloat16);
  base.tensors["model.embed_tokens.weight"] = embedding;
  for (const at::ScalarType type : {at::kBFloat16, at::kFloat}) {
    base.tensors["lm_head.weight"] = embedding.to(type);
    const auto model = *base.Load();
    EXPECT_TRUE(model->config().tie_word_embeddings);
    EXPECT_TRUE(model->notices().empty());
  }
}

TEST(LoadTest, TiedHeadWithoutEmbeddingServesAsBoth) {
  RandomBase base;
  auto embedding = base.tensors.extract("model.embed_tokens.weight");
  const at::Tensor head = embedding.mapped();
  embedding.key() = "lm_head.weight";
  base.tensors.insert(std::move(embedding));
  const auto model = base.Load();
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_TRUE((*model)->head().equal(head));
  base.config["tie_word_embeddings"] = false;
  EXPECT_THAT(ErrorOf(base, absl::StatusCode::kNotFound), HasSubstr("embed_tokens"));
}

TEST(LoadTest, ReadsNamesWithoutModelPrefix) {
  RandomBase base;
  const auto whole = *base.Load();
  RandomBase bare;
  bare.tensors.clear();
  for (const auto& [name, tensor] : base.tensors) bare.tensors[name.substr(6)] = tensor;
  const auto model = bare.Load();
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_TRUE((*model)->head().equal(whole->head()));
  const auto output = bare.directory / "four_bits";
  const auto report = QuantizeCheckpoint(bare.directory.path(), output, {});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->quantized, 21);
  EXPECT_TRUE(WeightFiles::OpenFile(output / "model.safetensors")
                  ->Contains("model.layers.0.mlp.up_proj.weight.absmax"));
}

TEST(LoadTest, ErrorNamesTensorThatIsNotFinite) {
  for (const char* name : {"model.norm.weight", "model.layers.1.input_layernorm.weight",
                           "lm_head.weight", "model.layers.2.self_attn.k_proj.bias",
                           "model.embed_tokens.weight", "model.layers.0.mlp.down_proj.weight"}) {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf, at::kDouble}) {
      for (const bool quantize : {false, true}) {
        if (quantize && type == at::kDouble) continue;  // float64 cannot be quantised
        RandomBase base(nlohmann::json{{"tie_word_embeddings", false}});
        at::Tensor& tensor = base.tensors[name];
        tensor = tensor.to(type);
        tensor.view({-1})[5] = quantize ? std::numeric_limits<double>::quiet_NaN()
                                        : -std::numeric_limits<double>::infinity();
        LoadOptions options;
        options.quantize = quantize;
        EXPECT_THAT(ErrorOf(base, absl::StatusCode::kDataLoss, options),
                    testing::AllOf(HasSubstr(name), HasSubstr("NaN or infinite"),
                                   HasSubstr("model.safetensors")));
      }
    }
  }
}

TEST(LoadTest, AcceptsLargestFiniteNumbers) {
  RandomBase base;
  base.tensors["model.norm.weight"] = at::full({24}, std::numeric_limits<float>::max(), at::kFloat);
  EXPECT_TRUE(base.Load().ok());
  base.tensors["model.norm.weight"] = at::full({24}, 65504.0, at::kHalf);
  EXPECT_TRUE(base.Load().ok());
}

TEST(LoadTest, ErrorNamesOtherQuantisationMethods) {
  RandomBase base;
  base.tensors.erase("model.layers.0.mlp.up_proj.weight");
  base.tensors["model.layers.0.mlp.up_proj.qweight"] = at::full({3, 40}, 1, at::kInt);
  base.tensors["model.layers.0.mlp.up_proj.g_idx"] = at::full({24}, 0, at::kInt);
  EXPECT_THAT(ErrorOf(base, absl::StatusCode::kInvalidArgument), HasSubstr("GPTQ"));
}

TEST(LoadTest, ErrorNamesMissingTensor) {
  RandomBase base;
  base.tensors.erase("model.layers.1.mlp.up_proj.weight");
  EXPECT_THAT(ErrorOf(base, absl::StatusCode::kNotFound),
              HasSubstr("'model.layers.1.mlp.up_proj.weight' is missing"));
}

TEST(LoadTest, ErrorNamesMissingBias) {
  RandomBase base;
  base.tensors.erase("model.layers.2.self_attn.k_proj.bias");
  EXPECT_THAT(ErrorOf(base, absl::StatusCode::kNotFound), HasSubstr("k_proj.bias"));
}

TEST(LoadTest, ErrorNamesStoredAndConfiguredShape) {
  RandomBase base;
  base.tensors["model.layers.0.self_attn.q_proj.weight"] = at::randn({24, 23});
  EXPECT_THAT(ErrorOf(base, absl::StatusCode::kDataLoss), HasSubstr("[24, 23]"));
}

TEST(LoadTest, RejectsConfigWithTooManyLayers) {
  RandomBase base;
  base.config["num_hidden_layers"] = 4;
  EXPECT_THAT(ErrorOf(base, absl::StatusCode::kNotFound), HasSubstr("model.layers.3."));
}

TEST(LoadTest, RejectsWeightsThatAreNotFiniteWhenQuantising) {
  RandomBase base;
  base.tensors["model.layers.0.mlp.up_proj.weight"].fill_(std::numeric_limits<float>::infinity());
  EXPECT_THAT(ErrorOf(base, absl::StatusCode::kDataLoss), HasSubstr("up_proj.weight"));
}

TEST(LoadTest, RejectsIntegerWeights) {
  RandomBase base;
  base.tensors["model.norm.weight"] = at::full({24}, 1, at::kLong);
  EXPECT_THAT(ErrorOf(base, absl::StatusCode::kDataLoss), HasSubstr("model.norm.weight"));
}

TEST(LoadTest, RejectsTruncatedFile) {
  const RandomBase base;
  base.Write();
  const auto path = base.directory / "model.safetensors";
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 100);
  const auto status = CausalLm::Load(base.directory.path(), LoadOptions()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("model.safetensors"));
}

TEST(LoadTest, DigestFollowsTheBytes) {
  RandomBase base;
  const std::string digest = (*base.Load())->digest();
  EXPECT_EQ(digest.size(), 64u);
  EXPECT_EQ((*base.Load())->digest(), digest);
  base.tensors["model.norm.weight"].add_(1);
  EXPECT_NE((*base.Load())->digest(), digest);
}

// Logits of a fixed token sequence.
at::Tensor LogitsOf(const CausalLm& model) {
  const at::NoGradGuard no_gradients;
  const at::Tensor ids = at::arange(20, at::kLong).mul(7).remainder(50);
  return model.Logits(model.Forward({ids, {0, 9, 20}}, {}));
}

// A 4-bit copy of the base, as written by `quantize`.
std::filesystem::path InFourBits(const RandomBase& base) {
  base.Write();
  const auto output = base.directory / "four_bits";
  EXPECT_TRUE(QuantizeCheckpoint(base.directory.path(), output, {}).ok());
  return output;
}

class StoredTypeTest : public ::testing::TestWithParam<at::ScalarType> {};

TEST_P(StoredTypeTest, StoredTypeDoesNotChangeTheResult) {
  for (bool tied : {true, false}) {
    RandomBase base(nlohmann::json{{"tie_word_embeddings", tied}});
    for (auto& [name, tensor] : base.tensors) tensor = tensor.to(GetParam());
    const auto model = base.Load();
    ASSERT_TRUE(model.ok()) << model.status();
    RandomBase wide(nlohmann::json{{"tie_word_embeddings", tied}});
    for (auto& [name, tensor] : wide.tensors) tensor = base.tensors.at(name).to(at::kFloat);
    EXPECT_TRUE(LogitsOf(**model).equal(LogitsOf(**wide.Load())));
  }
}

INSTANTIATE_TEST_SUITE_P(Types, StoredTypeTest,
                         ::testing::Values(at::kFloat, at::kBFloat16, at::kHalf));

TEST(LoadTest, RejectsEightBitNumbers) {
  RandomBase base;
  at::Tensor& norm = base.tensors["model.norm.weight"];
  norm = norm.to(at::kFloat8_e4m3fn);
  EXPECT_THAT(ErrorOf(base, absl::StatusCode::kInvalidArgument), HasSubstr("FP8"));
}

TEST(LoadTest, StoredFourBitBaseMatchesQuantisationAtLoad) {
  const RandomBase base;
  const auto output = InFourBits(base);
  const auto stored = CausalLm::Load(output, LoadOptions());
  ASSERT_TRUE(stored.ok()) << stored.status();
  const at::Tensor expected = LogitsOf(**CausalLm::Load(base.directory.path(), LoadOptions()));
  EXPECT_TRUE(LogitsOf(**stored).equal(expected));
  // Dequantised once at load.
  const auto dense = CausalLm::Load(output, RandomBase::Float32());
  EXPECT_TRUE(LogitsOf(**dense).equal(expected));
}

TEST(LoadTest, KeepsDenseLayersOfFourBitBase) {
  RandomBase base;
  const auto output = InFourBits(base);
  // Keeps one of the three layers that share an input, and one single layer, dense.
  std::map<std::string, at::Tensor> tensors;
  {
    const WeightFiles files = *WeightFiles::Open(output);
    for (const std::string& name : files.Names()) tensors[name] = files.Read(name)->clone();
  }
  for (const std::string path :
       {"model.layers.0.self_attn.k_proj", "model.layers.1.mlp.down_proj"}) {
    const std::string name = path + ".weight";
    std::erase_if(tensors, [&](const auto& entry) { return entry.first.starts_with(name); });
    tensors[name] = base.tensors.at(name);
  }
  std::vector<std::pair<std::string, at::Tensor>> list(tensors.begin(), tensors.end());
  ASSERT_TRUE(WriteSafetensors(output / "model.safetensors", list, {}).ok());
  const auto mixed = CausalLm::Load(output, LoadOptions());
  ASSERT_TRUE(mixed.ok()) << mixed.status();
  // Must match a dense base with the dequantised weights.
  for (auto& [name, tensor] : base.tensors) {
    if (!tensors.count(name + ".absmax")) continue;
    const WeightFiles files = *WeightFiles::Open(output);
    const auto weight = ReadFourBit(files, name, tensor.sizes().vec());
    weight->DequantizeInto(tensor);
  }
  EXPECT_TRUE(LogitsOf(**mixed).equal(LogitsOf(**base.Load())));
}

class CachedLoadTest : public ::testing::Test {
 protected:
  CachedLoadTest() { options_.cache_dir = base_.directory / "cache"; }

  void Write() {
    base_.Write();
    // Waits until a later change of the file must get different times.
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  absl::StatusOr<std::unique_ptr<CausalLm>> Load() const {
    return CausalLm::Load(base_.directory.path(), options_);
  }
  std::vector<std::filesystem::path> Kept() const {
    std::vector<std::filesystem::path> files;
    for (const auto& entry :
         std::filesystem::directory_iterator(base_.directory / "cache" / "quantized")) {
      files.push_back(entry.path());
    }
    return files;
  }

  RandomBase base_;
  LoadOptions options_;
};

TEST_F(CachedLoadTest, SecondStartUsesCacheAndGivesTheSameResult) {
  Write();
  const auto first = *Load();
  ASSERT_EQ(Kept().size(), 1u);
  const auto before = std::filesystem::last_write_time(Kept()[0]);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto second = *Load();
  EXPECT_GT(std::filesystem::last_write_time(Kept()[0]), before);  // marked as used
  EXPECT_EQ(Kept().size(), 1u);
  EXPECT_EQ(second->digest(), first->digest());
  EXPECT_TRUE(LogitsOf(*second).equal(LogitsOf(*first)));
  const auto fresh = *CausalLm::Load(base_.directory.path(), LoadOptions());
  EXPECT_TRUE(LogitsOf(*second).equal(LogitsOf(*fresh)));
  EXPECT_EQ(second->digest(), fresh->digest());
}

TEST_F(CachedLoadTest, ReplacesDamagedCache) {
  Write();
  const at::Tensor expected = LogitsOf(**Load());
  const auto kept = Kept()[0];
  std::filesystem::resize_file(kept, std::filesystem::file_size(kept) / 2);
  EXPECT_TRUE(LogitsOf(**Load()).equal(expected));
  EXPECT_EQ(Kept().size(), 1u);
  EXPECT_TRUE(LogitsOf(**Load()).equal(expected));
}

TEST_F(CachedLoadTest, DetectsAnotherBaseInTheSameDirectory) {
  Write();
  const std::string digest = (*Load())->digest();
  base_.tensors["model.layers.0.mlp.up_proj.weight"].neg_();
  Write();
  const auto changed = *Load();
  EXPECT_NE(changed->digest(), digest);
  EXPECT_TRUE(
      LogitsOf(*changed).equal(LogitsOf(**CausalLm::Load(base_.directory.path(), LoadOptions()))));
  EXPECT_EQ(Kept().size(), 2u);
}

TEST_F(CachedLoadTest, IgnoresUnwritableCache) {
  Write();
  base_.directory.Write("cache", "in the way");
  EXPECT_TRUE(Load().ok());
}

}  // namespace
}  // namespace mozgach
