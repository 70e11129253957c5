#include "trainer/lora/low_rank.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/mul.h>

#include "trainer/lora/dropout_mask.h"

namespace mozgach {
namespace {

// Returns gradient · scaling in float32.
at::Tensor Scaled(const at::Tensor& gradient, double scaling) {
  return gradient.to(at::kFloat).mul_(scaling);
}

}  // namespace

LowRank::LowRank(const AdaptedLinear& adapted, const LoraContext& context)
    : linear(&adapted),
      seed(context.seed),
      step(context.step),
      micro_batch(context.micro_batch),
      buffer(context.buffer) {
  if (context.adapter == nullptr) return;
  scaling = context.adapter->scaling();
  dropout = context.training ? context.adapter->dropout() : 0;
  int64_t row = 0;
  for (size_t i = 0; i < adapted.projections.size(); ++i) {
    const LoraPair* pair = context.adapter->Find(adapted.layer, adapted.projections[i]);
    if (pair != nullptr) {
      parts.push_back({adapted.projections[i], row, adapted.rows[i], pair->a, pair->b});
    }
    row += adapted.rows[i];
  }
}

bool LowRank::Merges(int64_t tokens) const {
  const int64_t rows = linear->weight.rows(), columns = linear->weight.columns();
  return !parts.empty() && dropout == 0 && linear->weight.compute_dtype() == at::kFloat &&
         rows * columns < tokens * (rows + columns);
}

at::Tensor LowRank::MergedWeight() const {
  at::Tensor weight = linear->weight.Get(*buffer);
  if (!linear->weight.quantized()) {
    const at::Tensor dense = weight;
    weight = buffer->Take(dense.size(0), dense.size(1), dense.scalar_type(), dense.device());
    weight.copy_(dense);
  }
  for (const Part& part : parts) {
    weight.narrow(0, part.first_row, part.rows).addmm_(part.b, part.a, 1, scaling);
  }
  return weight;
}

at::Tensor LowRank::BaseProduct(const at::Tensor& x, const at::Tensor& weight) const {
  return linear->bias.defined() ? at::addmm(linear->bias, x, weight.t()) : at::mm(x, weight.t());
}

at::Tensor LowRank::Mask(const Part& part, const at::Tensor& x) const {
  const auto place =
      static_cast<uint32_t>(linear->layer * kProjections + static_cast<int64_t>(part.projection));
  return DropoutMask({seed, step, micro_batch, place}, dropout, x.size(0), x.size(1), x.options());
}

at::Tensor LowRank::StackedA(at::ScalarType type) const {
  if (parts.size() == 1) return parts[0].a.to(type);
  std::vector<at::Tensor> matrices;
  for (const Part& part : parts) matrices.push_back(part.a);
  return at::cat(matrices).to(type);
}

at::Tensor LowRank::Forward(const at::Tensor& x) const {
  if (Merges(x.size(0))) return BaseProduct(x, MergedWeight());
  at::Tensor y = BaseProduct(x, linear->weight.Get(*buffer));
  if (parts.empty()) return y;
  const at::Tensor shared = dropout == 0 ? at::mm(x, StackedA(x.scalar_type()).t()) : at::Tensor();
  int64_t rank_begin = 0;
  for (const Part& part : parts) {
    const int64_t rank = part.a.size(0);
    const at::Tensor inner =
        shared.defined() ? shared.narrow(1, rank_begin, rank)
                         : at::mm(at::mul(x, Mask(part, x)), part.a.to(x.scalar_type()).t());
    y.narrow(1, part.first_row, part.rows)
        .addmm_(inner, part.b.to(x.scalar_type()).t(), 1, scaling);
    rank_begin += rank;
  }
  return y;
}

LowRank::Gradients LowRank::Backward(const at::Tensor& x, const at::Tensor& grad_y,
                                     bool want_x) const {
  Gradients gradients;
  const bool merges = Merges(grad_y.size(0));
  if (want_x) {
    gradients.x = at::mm(grad_y, merges ? MergedWeight() : linear->weight.Get(*buffer));
  }
  if (parts.empty()) return gradients;
  if (dropout == 0) {
    BackwardShared(x, grad_y, want_x && !merges, &gradients);
  } else {
    BackwardWithDropout(x, grad_y, &gradients);
  }
  return gradients;
}

// All parts have the same x, so their A matrices are stacked and two products serve all parts.
void LowRank::BackwardShared(const at::Tensor& x, const at::Tensor& grad_y, bool add_to_x,
                             Gradients* gradients) const {
  const at::Tensor a = StackedA(x.scalar_type());
  const at::Tensor inner = at::mm(x, a.t());
  at::Tensor grad_inner = at::empty_like(inner);
  int64_t rank_begin = 0;
  for (const Part& part : parts) {
    at::Tensor slice = grad_inner.narrow(1, rank_begin, part.a.size(0));
    const at::Tensor grad_part = grad_y.narrow(1, part.first_row, part.rows);
    at::mm_out(slice, grad_part, part.b.to(x.scalar_type()));
    rank_begin += part.a.size(0);
  }
  const at::Tensor grad_a = Scaled(at::mm(grad_inner.t(), x), scaling);
  if (add_to_x) gradients->x.addmm_(grad_inner, a, 1, scaling);
  rank_begin = 0;
  for (const Part& part : parts) {
    const int64_t rank = part.a.size(0);
    const at::Tensor grad_part = grad_y.narrow(1, part.first_row, part.rows);
    gradients->ab.push_back(grad_a.narrow(0, rank_begin, rank));
    // Computes the transposed product, which reads the large matrix without transposing it.
    gradients->ab.push_back(
        Scaled(at::mm(inner.narrow(1, rank_begin, rank).t(), grad_part), scaling).t());
    rank_begin += rank;
  }
}

void LowRank::BackwardWithDropout(const at::Tensor& x, const at::Tensor& grad_y,
                                  Gradients* gradients) const {
  for (const Part& part : parts) {
    const at::Tensor a = part.a.to(x.scalar_type());
    const at::Tensor mask = Mask(part, x);
    const at::Tensor dropped = at::mul(x, mask);
    const at::Tensor grad_part = grad_y.narrow(1, part.first_row, part.rows);
    const at::Tensor grad_inner = at::mm(grad_part, part.b.to(x.scalar_type()));
    gradients->ab.push_back(Scaled(at::mm(grad_inner.t(), dropped), scaling));
    gradients->ab.push_back(Scaled(at::mm(grad_part.t(), at::mm(dropped, a.t())), scaling));
    if (gradients->x.defined()) {
      gradients->x.addcmul_(at::mm(grad_inner, a), mask, scaling);
    }
  }
}

}  // namespace mozgach
