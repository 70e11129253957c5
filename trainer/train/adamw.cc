#include "trainer/train/adamw.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "trainer/memory/counted_memory.h"

namespace mozgach {

AdamW::AdamW(std::vector<std::pair<std::string, at::Tensor>> parameters,
             const TrainingSpec& training)
    : beta1_(training.adam_beta1),
      beta2_(training.adam_beta2),
      weight_decay_(training.weight_decay),
      epsilon_(training.adam_epsilon) {
  const MemoryScope scope(MemoryLine::kOptimizer);
  for (auto& [name, tensor] : parameters) {
    names_.push_back(std::move(name));
    exp_avg_.push_back(at::zeros_like(tensor.detach()));
    exp_avg_sq_.push_back(at::zeros_like(tensor.detach()));
    step_counts_.push_back(at::zeros({}, tensor.options().requires_grad(false)));
    parameters_.push_back(std::move(tensor));
  }
}

void AdamW::Step(double learning_rate) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> parameters, gradients, exp_avg, exp_avg_sq, step_counts;
  ++steps_;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    step_counts_[i].fill_(static_cast<double>(steps_));
    if (!parameters_[i].grad().defined()) continue;
    parameters.push_back(parameters_[i]);
    gradients.push_back(parameters_[i].grad());
    exp_avg.push_back(exp_avg_[i]);
    exp_avg_sq.push_back(exp_avg_sq_[i]);
    step_counts.push_back(step_counts_[i]);
  }
  if (parameters.empty()) return;
  at::_fused_adamw_(parameters, gradients, exp_avg, exp_avg_sq, {}, step_counts, learning_rate,
                    beta1_, beta2_, weight_decay_, epsilon_, /*amsgrad=*/false,
                    /*maximize=*/false);
}

void AdamW::ForgetGradients() {
  for (at::Tensor& parameter : parameters_) parameter.mutable_grad() = at::Tensor();
}

double AdamW::ClipGradients(double max_norm) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& parameter : parameters_) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  if (gradients.empty()) return 0;
  const double norm =
      at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients))).item<double>();
  if (max_norm > 0) {
    const double scale = max_norm / (norm + 1e-6);
    if (scale < 1) at::_foreach_mul_(gradients, scale);
  }
  return norm;
}

std::vector<std::pair<std::string, at::Tensor>> AdamW::NamedMoments() const {
  std::vector<std::pair<std::string, at::Tensor>> moments;
  for (size_t i = 0; i < names_.size(); ++i) {
    moments.emplace_back(absl::StrCat("exp_avg.", names_[i]), exp_avg_[i]);
    moments.emplace_back(absl::StrCat("exp_avg_sq.", names_[i]), exp_avg_sq_[i]);
  }
  return moments;
}

void AdamW::set_steps(int64_t steps) { steps_ = steps; }

}  // namespace mozgach
