// Properties of every base, independent of its weights. tests/interop compares with transformers.
#include "trainer/models/causal_lm.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "tests/trainer/models/random_base.h"

namespace mozgach {
namespace {

double Distance(const at::Tensor& a, const at::Tensor& b) {
  return a.sub(b).norm().item<double>() / b.norm().item<double>();
}

at::Tensor Hidden(const CausalLm& model, const TokenBatch& batch, const LoraAdapter* adapter) {
  at::NoGradGuard no_gradients;
  ForwardOptions options;
  options.adapter = adapter;
  return model.Forward(batch, options);
}

// Gradients of a loss that weights every hidden value differently.
std::vector<at::Tensor> Gradients(const CausalLm& model, const TokenBatch& batch,
                                  ForwardOptions options, const at::Tensor& weights) {
  std::vector<at::Tensor> matrices;
  for (const auto& [name, tensor] : options.adapter->NamedTensors(model.config())) {
    matrices.push_back(tensor);
  }
  return torch::autograd::grad({model.Forward(batch, options)}, matrices, {weights});
}

class CausalLmTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    LoadOptions options;
    options.quantize = GetParam();
    model_ = *base_.Load(options);
    adapter_ = RandomBase::Adapter(*model_);
  }

  RandomBase base_;
  std::unique_ptr<CausalLm> model_;
  LoraAdapter adapter_;
};

INSTANTIATE_TEST_SUITE_P(DenseAndFourBits, CausalLmTest, ::testing::Bool());

TEST_P(CausalLmTest, PackedDocumentsMatchSingleDocuments) {
  const TokenBatch batch = RandomDocuments({7, 30, 1, 30, 12, 2, 64});
  const at::Tensor packed = Hidden(*model_, batch, &adapter_);
  for (size_t i = 0; i + 1 < batch.document_offsets.size(); ++i) {
    const TokenBatch alone = OneDocument(batch, i);
    const at::Tensor expected = Hidden(*model_, alone, &adapter_);
    const at::Tensor ours = packed.narrow(0, batch.document_offsets[i], alone.ids.size(0));
    EXPECT_LT(Distance(ours, expected), 1e-5) << i;
  }
}

TEST_P(CausalLmTest, PackedGradientsAreTheSumOfDocumentGradients) {
  const TokenBatch batch = RandomDocuments({7, 30, 12});
  ForwardOptions options;
  options.adapter = &adapter_;
  const at::Tensor weights = at::randn({batch.ids.size(0), 24});
  const auto packed = Gradients(*model_, batch, options, weights);
  std::vector<at::Tensor> sum;
  for (size_t i = 0; i < 3; ++i) {
    const TokenBatch alone = OneDocument(batch, i);
    const auto own = Gradients(*model_, alone, options,
                               weights.narrow(0, batch.document_offsets[i], alone.ids.size(0)));
    for (size_t j = 0; j < own.size(); ++j) {
      if (i == 0)
        sum.push_back(own[j].clone());
      else
        sum[j].add_(own[j]);
    }
  }
  for (size_t j = 0; j < sum.size(); ++j) EXPECT_LT(Distance(packed[j], sum[j]), 1e-5) << j;
}

TEST_P(CausalLmTest, TokenDoesNotDependOnLaterTokens) {
  const TokenBatch batch = RandomDocuments({20});
  TokenBatch changed = batch;
  changed.ids = batch.ids.clone();
  changed.ids.narrow(0, 12, 8).fill_(3);
  const at::Tensor one = Hidden(*model_, batch, &adapter_);
  const at::Tensor other = Hidden(*model_, changed, &adapter_);
  EXPECT_LT(Distance(one.narrow(0, 0, 12), other.narrow(0, 0, 12)), 1e-6);
  EXPECT_GT(Distance(one.narrow(0, 12, 8), other.narrow(0, 12, 8)), 1e-3);
}

TEST_P(CausalLmTest, RecomputationGivesTheSameBits) {
  const TokenBatch batch = RandomDocuments({30, 9, 17});
  const at::Tensor weights = at::randn({56, 24});
  ForwardOptions options;
  options.adapter = &adapter_;
  const auto plain = Gradients(*model_, batch, options, weights);
  for (const Recompute recompute : {Recompute::kCheap, Recompute::kLayers}) {
    options.recompute = recompute;
    const auto again = Gradients(*model_, batch, options, weights);
    for (size_t i = 0; i < plain.size(); ++i) {
      EXPECT_TRUE(at::equal(plain[i], again[i])) << RecomputeName(recompute) << " " << i;
    }
  }
  options.recomputed_layers = 1;
  const auto some = Gradients(*model_, batch, options, weights);
  for (size_t i = 0; i < plain.size(); ++i) EXPECT_TRUE(at::equal(plain[i], some[i])) << i;
}

TEST_P(CausalLmTest, RepeatedStepGivesTheSameBits) {
  const TokenBatch batch = RandomDocuments({30, 9, 17});
  const at::Tensor weights = at::randn({56, 24});
  ForwardOptions options;
  options.adapter = &adapter_;
  const auto one = Gradients(*model_, batch, options, weights);
  const auto two = Gradients(*model_, batch, options, weights);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(at::equal(one[i], two[i])) << i;
}

TEST_P(CausalLmTest, DropoutDependsOnlyOnStepAndMicroBatch) {
  LoraSpec spec;
  spec.lora_dropout = 0.4;
  const LoraAdapter adapter = RandomBase::Adapter(*model_, spec);
  const TokenBatch batch = RandomDocuments({30, 9});
  const at::Tensor weights = at::randn({39, 24});
  ForwardOptions options;
  options.adapter = &adapter;
  options.training = true;
  options.seed = 3;
  options.step = 5;
  const auto first = Gradients(*model_, batch, options, weights);
  options.recompute = Recompute::kCheap;
  const auto cheap = Gradients(*model_, batch, options, weights);
  options.recompute = Recompute::kLayers;
  const auto again = Gradients(*model_, batch, options, weights);
  options.step = 6;
  const auto later = Gradients(*model_, batch, options, weights);
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_TRUE(at::equal(first[i], cheap[i])) << i;
    EXPECT_TRUE(at::equal(first[i], again[i])) << i;
    EXPECT_FALSE(at::equal(first[i], later[i])) << i;
  }
  // Evaluation uses no dropout.
  EXPECT_TRUE(at::equal(Hidden(*model_, batch, &adapter), Hidden(*model_, batch, &adapter)));
}

TEST_P(CausalLmTest, AdaptedUpperLayersGetGradients) {
  LoraSpec spec;
  spec.layers_to_transform = {1, 2};
  const LoraAdapter upper = RandomBase::Adapter(*model_, spec);
  const TokenBatch batch = RandomDocuments({30, 9});
  const at::Tensor weights = at::randn({39, 24});
  for (const Recompute recompute : {Recompute::kNothing, Recompute::kCheap, Recompute::kLayers}) {
    ForwardOptions options;
    options.adapter = &upper;
    options.recompute = recompute;
    for (const at::Tensor& gradient : Gradients(*model_, batch, options, weights)) {
      EXPECT_GT(gradient.norm().item<double>(), 0);
    }
  }
}

TEST_P(CausalLmTest, ReleasedBuffersAreRecreated) {
  const TokenBatch batch = RandomDocuments({30, 9});
  const at::Tensor before = Hidden(*model_, batch, &adapter_);
  model_->ReleaseBuffers();
  EXPECT_TRUE(at::equal(before, Hidden(*model_, batch, &adapter_)));
}

TEST_P(CausalLmTest, LogitsAreFloat32) {
  const at::Tensor logits = model_->Logits(Hidden(*model_, RandomDocuments({4}), nullptr));
  EXPECT_EQ(logits.sizes(), at::IntArrayRef({4, 50}));
  EXPECT_EQ(logits.scalar_type(), at::kFloat);
}

TEST(CausalLmBfloat16Test, StaysCloseToFloat32) {
  const RandomBase base;
  const auto exact = *base.Load();
  LoadOptions options = RandomBase::Float32();
  options.compute_dtype = at::kBFloat16;
  const auto rounded = *base.Load(options);
  const LoraAdapter adapter = RandomBase::Adapter(*exact);
  const TokenBatch batch = RandomDocuments({30, 9, 11});
  EXPECT_EQ(Hidden(*rounded, batch, &adapter).scalar_type(), at::kBFloat16);
  EXPECT_LT(
      Distance(Hidden(*rounded, batch, &adapter).to(at::kFloat), Hidden(*exact, batch, &adapter)),
      0.05);
  ForwardOptions forward;
  forward.adapter = &adapter;
  const at::Tensor weights = at::randn({50, 24});
  const auto ours = Gradients(*rounded, batch, forward, weights.to(at::kBFloat16));
  const auto reference = Gradients(*exact, batch, forward, weights);
  for (size_t i = 0; i < ours.size(); ++i) EXPECT_LT(Distance(ours[i], reference[i]), 0.15) << i;
}

}  // namespace
}  // namespace mozgach
