// AdamW: Adam with decoupled weight decay (Loshchilov and Hutter, 2019), as torch.optim.AdamW with
// its defaults computes it, in float32; with training.optim adamw_8bit the moments of all but small
// parameters are kept in 8 bits (blockwise_adamw.h).  Deterministic; its whole state can be named,
// saved and put back.  One thread at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/domain/domain_spec.h"
#include "trainer/train/blockwise_adamw.h"

namespace mozgach {

class AdamW {
 public:
  // `parameters` (name, leaf) are updated in place by Step() and stay the caller's.
  AdamW(std::vector<std::pair<std::string, at::Tensor>> parameters, const TrainingSpec& training);

  // One update with the gradients the parameters hold; a parameter without one is left alone.
  void Step(double learning_rate);

  // Frees the gradients, so that the next backward pass starts from none.
  void ForgetGradients();

  // Global norm of all gradients, after which they are scaled down to `max_norm` where they are
  // larger, as torch.nn.utils.clip_grad_norm_ does (0: never).
  double ClipGradients(double max_norm);

  // First and second moments as "exp_avg.<name>" and "exp_avg_sq.<name>", to save or to copy into;
  // those in 8 bits with the scales of their blocks as "exp_avg_absmax.<name>" and
  // "exp_avg_sq_absmax.<name>".
  std::vector<std::pair<std::string, at::Tensor>> NamedMoments() const;

  // Updates done so far; set on resuming.
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps);

 private:
  struct Entry {
    std::string name;
    at::Tensor parameter;
    std::optional<BlockwiseMoments> blockwise;  // or, in float32:
    at::Tensor exp_avg;
    at::Tensor exp_avg_sq;
    at::Tensor step_count;  // one float, as the fused kernel wants it
  };

  void StepFused(double learning_rate);

  std::vector<Entry> entries_;
  int64_t steps_ = 0;
  double beta1_;
  double beta2_;
  double weight_decay_;
  double epsilon_;
};

}  // namespace mozgach
