#include "trainer/train/adamw.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "absl/strings/str_cat.h"
#include "planner/step_bounds.h"
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
    Entry entry{std::move(name), std::move(tensor), std::nullopt, {}, {}, {}};
    const at::Tensor& parameter = entry.parameter;
    if (training.optim == "adamw_8bit" && parameter.numel() >= kLeastBlockwise) {
      entry.blockwise = BlockwiseMoments::Zeros(parameter.numel(), parameter.device());
    } else {
      entry.exp_avg = at::zeros_like(parameter.detach());
      entry.exp_avg_sq = at::zeros_like(parameter.detach());
      entry.step_count = at::zeros({}, parameter.options().requires_grad(false));
    }
    entries_.push_back(std::move(entry));
  }
}

void AdamW::Step(double learning_rate) {
  const at::NoGradGuard no_grad;
  ++steps_;
  const AdamWUpdate update{learning_rate, beta1_, beta2_, weight_decay_, epsilon_, steps_};
  for (const Entry& entry : entries_) {
    if (!entry.blockwise || !entry.parameter.grad().defined()) continue;
    UpdateBlockwise(update, entry.parameter.grad(), entry.parameter, *entry.blockwise);
  }
  StepFused(learning_rate);
}

void AdamW::StepFused(double learning_rate) {
  std::vector<at::Tensor> parameters, gradients, exp_avg, exp_avg_sq, step_counts;
  for (const Entry& entry : entries_) {
    if (entry.blockwise || !entry.parameter.grad().defined()) continue;
    entry.step_count.fill_(static_cast<double>(steps_));
    parameters.push_back(entry.parameter);
    gradients.push_back(entry.parameter.grad());
    exp_avg.push_back(entry.exp_avg);
    exp_avg_sq.push_back(entry.exp_avg_sq);
    step_counts.push_back(entry.step_count);
  }
  if (parameters.empty()) return;
  at::_fused_adamw_(parameters, gradients, exp_avg, exp_avg_sq, {}, step_counts, learning_rate,
                    beta1_, beta2_, weight_decay_, epsilon_, /*amsgrad=*/false,
                    /*maximize=*/false);
}

void AdamW::ForgetGradients() {
  for (Entry& entry : entries_) entry.parameter.mutable_grad() = at::Tensor();
}

double AdamW::ClipGradients(double max_norm) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const Entry& entry : entries_) {
    if (entry.parameter.grad().defined()) gradients.push_back(entry.parameter.grad());
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
  for (const Entry& entry : entries_) {
    const auto add = [&](const char* what, const at::Tensor& tensor) {
      moments.emplace_back(absl::StrCat(what, ".", entry.name), tensor);
    };
    if (entry.blockwise) {
      add("exp_avg", entry.blockwise->exp_avg.codes);
      add("exp_avg_absmax", entry.blockwise->exp_avg.absmax);
      add("exp_avg_sq", entry.blockwise->exp_avg_sq.codes);
      add("exp_avg_sq_absmax", entry.blockwise->exp_avg_sq.absmax);
    } else {
      add("exp_avg", entry.exp_avg);
      add("exp_avg_sq", entry.exp_avg_sq);
    }
  }
  return moments;
}

void AdamW::set_steps(int64_t steps) { steps_ = steps; }

}  // namespace mozgach
