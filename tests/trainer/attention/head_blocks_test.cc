// Compares the loops with tensor operations in float64.
#include "trainer/attention/head_blocks.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

namespace mozgach {
namespace {

double LargestDifference(const at::Tensor& a, const at::Tensor& b) {
  return a.to(at::kDouble).sub(b.to(at::kDouble)).abs().max().item<double>();
}

class HeadBlocksTest : public ::testing::Test {
 protected:
  HeadBlocksTest() { rotary_.Reach(blocks_->longest); }

  // q, k and v of every block, and the gradient of qkv for fixed weights of all slots except
  // padding.
  std::vector<at::Tensor> Run(const at::Tensor& qkv, at::ScalarType type) const {
    const at::Tensor x = qkv.clone().requires_grad_(true);
    const auto heads = SplitIntoBlocks(x, layout_, blocks_, rotary_, type);
    std::vector<at::Tensor> results, joined;
    for (const HeadBlock& block : heads) {
      const auto flat = [&](const at::Tensor& h) { return h.reshape({h.size(0), h.size(1), -1}); };
      results.insert(results.end(), {block.q.detach(), block.k.detach(), block.v.detach()});
      joined.push_back(at::cat({flat(block.q), flat(block.k), flat(block.v)}, 2));
    }
    const at::Tensor rows = JoinBlocks(joined, blocks_, type);
    results.push_back(rows.detach());
    results.push_back(torch::autograd::grad({rows}, {x}, {weights_.to(type)})[0]);
    return results;
  }

  const HeadLayout layout_{4, 2, 6};
  const std::shared_ptr<const DocumentBlocks> blocks_ =
      std::make_shared<DocumentBlocks>(std::vector<int64_t>{0, 3, 40, 41, 81}, at::kCPU);
  RotaryTable rotary_{RopeSetup{{1e4, std::nullopt}, std::nullopt, 6, 128}, at::kCPU};
  const at::Tensor qkv_ = at::randn({81, 48});
  const at::Tensor weights_ = at::randn({81, 48});
};

TEST_F(HeadBlocksTest, LoopsMatchTensorOperations) {
  ASSERT_GT(blocks_->blocks.size(), 1u);
  ASSERT_GT(blocks_->slots, blocks_->tokens);
  const auto ours = Run(qkv_, at::kFloat), reference = Run(qkv_, at::kDouble);
  ASSERT_EQ(ours.size(), reference.size());
  const size_t tensors_of_blocks = 3 * blocks_->blocks.size();
  for (size_t i = tensors_of_blocks; i < ours.size(); ++i) {
    EXPECT_LT(LargestDifference(ours[i], reference[i]), 1e-5) << i;
  }
}

TEST_F(HeadBlocksTest, Bfloat16RowsBecomeFloat32Heads) {
  const auto ours = Run(qkv_.to(at::kBFloat16), at::kFloat);
  const auto reference = Run(qkv_.to(at::kBFloat16).to(at::kFloat), at::kDouble);
  EXPECT_EQ(ours[0].scalar_type(), at::kFloat);
  EXPECT_EQ(ours.back().scalar_type(), at::kBFloat16);
  EXPECT_LT(LargestDifference(ours[ours.size() - 2], reference[reference.size() - 2]), 1e-5);
  EXPECT_LT(LargestDifference(ours.back(), reference.back()), 0.03);
}

}  // namespace
}  // namespace mozgach
