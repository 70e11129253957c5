// AdamW: Adam with decoupled weight decay (Loshchilov and Hutter, 2019), with the arithmetic and
// defaults of torch.optim.AdamW, in float32. With training.optim adamw_8bit the moments of all
// except small parameters are stored in 8 bits (blockwise_adamw.h). Deterministic; its complete
// state can be named, saved and restored. One thread at a time.
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
  // Step() updates `parameters` (name, leaf) in place; the caller owns them.
  AdamW(std::vector<std::pair<std::string, at::Tensor>> parameters, const TrainingSpec& training);

  // Updates the parameters with their current gradients. A parameter without a gradient stays
  // unchanged.
  void Step(double learning_rate);

  // Frees the gradients, so that the next backward pass starts without gradients.
  void ForgetGradients();

  // Returns the global norm of all gradients and scales them down to `max_norm` if they are larger,
  // as torch.nn.utils.clip_grad_norm_ does; 0: no clipping.
  double ClipGradients(double max_norm);

  // First and second moments as "exp_avg.<name>" and "exp_avg_sq.<name>", to save or to overwrite.
  // Moments in 8 bits also have the scales of their blocks as "exp_avg_absmax.<name>" and
  // "exp_avg_sq_absmax.<name>".
  std::vector<std::pair<std::string, at::Tensor>> NamedMoments() const;

  // Number of updates so far; set it when resuming.
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps);

 private:
  struct Entry {
    std::string name;
    at::Tensor parameter;
    std::optional<BlockwiseMoments> blockwise;  // 8-bit moments; nullopt: the float32 moments below
    at::Tensor exp_avg;
    at::Tensor exp_avg_sq;
    at::Tensor step_count;  // one float, as the fused kernel expects it
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
