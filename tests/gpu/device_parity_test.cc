// A GPU gives the numbers of the CPU: values, gradients and generated tokens of each family's
// parts.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "tests/trainer/models/random_base.h"
#include "trainer/device/compute_device.h"
#include "trainer/device/runtime.h"
#include "trainer/models/generation.h"
#include "trainer/quant/nf4_cuda.h"

namespace mozgach {
namespace {

double Distance(const at::Tensor& a, const at::Tensor& b) {
  return a.to(at::kCPU).sub(b).norm().item<double>() / b.norm().item<double>();
}

// The adapter `like`, on `device`.
LoraAdapter CopyTo(const LoraAdapter& like, const ModelConfig& config, at::Device device) {
  LoraSpec spec;
  spec.r = like.rank();
  LoraAdapter copy = *LoraAdapter::Create(config, spec, 1, device);
  const auto from = like.NamedTensors(config), to = copy.NamedTensors(config);
  for (size_t i = 0; i < to.size(); ++i) to[i].second.detach().copy_(from[i].second.detach());
  return copy;
}

class DeviceParityTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    StartRuntime();
    if (ComputeDevice().is_cpu()) GTEST_SKIP() << "libtorch sees no GPU here";
    LoadOptions options;
    options.quantize = GetParam();
    cpu_ = *base_.Load(options);
    options.device = ComputeDevice();
    gpu_ = *base_.Load(options);
    adapter_ = RandomBase::Adapter(*cpu_);
    moved_ = CopyTo(adapter_, cpu_->config(), options.device);
  }

  RandomBase base_;
  std::unique_ptr<CausalLm> cpu_;
  std::unique_ptr<CausalLm> gpu_;
  LoraAdapter adapter_;
  LoraAdapter moved_;
};

INSTANTIATE_TEST_SUITE_P(DenseAndFourBits, DeviceParityTest, ::testing::Bool());

TEST_P(DeviceParityTest, ValuesAndGradients) {
  TokenBatch batch = RandomDocuments({7, 30, 1, 30, 64});
  const at::Tensor weights = at::randn({batch.ids.size(0), 24});
  const auto run = [&](const CausalLm& model, const LoraAdapter& adapter) {
    ForwardOptions options;
    options.adapter = &adapter;
    TokenBatch moved = batch;
    moved.ids = batch.ids.to(model.device());
    std::vector<at::Tensor> matrices;
    for (const auto& [name, tensor] : adapter.NamedTensors(model.config())) {
      matrices.push_back(tensor);
    }
    const at::Tensor hidden = model.Forward(moved, options);
    auto results = torch::autograd::grad({hidden}, matrices, {weights.to(model.device())});
    results.push_back(hidden.detach());
    return results;
  };
  const auto expected = run(*cpu_, adapter_), ours = run(*gpu_, moved_);
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_LT(Distance(ours[i], expected[i]), 1e-4) << i;
}

TEST_P(DeviceParityTest, GreedyTokens) {
  GenerationOptions options;
  options.max_new_tokens = 20;
  const std::vector<std::vector<int32_t>> prompts = {{3, 9, 27}, {1}, {4, 4, 4, 4, 4, 8, 8}};
  EXPECT_EQ(*Generate(*gpu_, &moved_, prompts, options),
            *Generate(*cpu_, &adapter_, prompts, options));
}

// The kernel's bits are those of the processor's loops, and it is what the trainer uses.
TEST(DeviceDequantizeTest, GivesTheBitsOfTheProcessor) {
  StartRuntime();
  const at::Device device = ComputeDevice();
  if (!device.is_cuda()) GTEST_SKIP() << "libtorch sees no CUDA device here";
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{512, 896}, {4864, 896}, {7, 50}, {3, 5}}) {
    const QuantizedWeight weight = *QuantizeNf4(at::randn(shape), true);
    const QuantizedWeight moved = weight.To(device);
    for (at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
      at::Tensor expected = at::empty(shape, type);
      weight.DequantizeInto(expected);
      at::Tensor out = at::empty(shape, at::TensorOptions().dtype(type).device(device));
      ASSERT_TRUE(DequantizeByKernel(moved, out));
      EXPECT_TRUE(at::equal(out.cpu(), expected)) << c10::toString(type);
    }
  }
}

}  // namespace
}  // namespace mozgach
