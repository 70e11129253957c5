#include "trainer/evaluate/held_out_loss.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/index_select.h>

#include <cmath>

#include "planner/step_bounds.h"
#include "trainer/models/runtime.h"
#include "trainer/models/torch_status.h"
#include "trainer/train/cross_entropy.h"
#include "trainer/train/training_batch.h"

namespace mozgach {
namespace {

constexpr int64_t kLeastBatchTokens = 64;

absl::StatusOr<double> LossInBatchesOf(int64_t tokens, const CausalLm& model,
                                       const LoraAdapter* adapter,
                                       const std::vector<Example>& examples,
                                       TrainingObserver& observer) {
  const at::NoGradGuard no_grad;
  ForwardOptions options;
  options.adapter = adapter;
  double sum = 0;
  int64_t trained = 0;
  for (const MicroBatch& rows : InBatchesOf(examples, tokens)) {
    RETURN_IF_ERROR(CheckInterruption(observer));
    const TrainingBatch batch = MakeTrainingBatch(examples, rows, model.device());
    const at::Tensor hidden = model.Forward(batch.tokens, options);
    sum += TokenNll(at::index_select(hidden, 0, batch.positions), model.head(), batch.targets)
               .sum(at::kDouble)
               .item<double>();
    trained += batch.Trained();
  }
  const double loss = sum / static_cast<double>(trained);
  if (std::isfinite(loss)) return loss;
  return absl::OutOfRangeError(
      "the loss on the validation rows is not finite; try a smaller learning_rate");
}

}  // namespace

absl::StatusOr<double> HeldOutLoss(const CausalLm& model, const LoraAdapter* adapter,
                                   const std::vector<Example>& examples,
                                   TrainingObserver& observer) {
  for (int64_t tokens = kHeldOutTokens;; tokens /= 2) {
    const absl::StatusOr<double> loss = CatchTorch(
        [&] { return LossInBatchesOf(tokens, model, adapter, examples, observer); });
    if (!absl::IsResourceExhausted(loss.status()) || tokens <= kLeastBatchTokens) return loss;
    ReleaseFreeMemory();
  }
}

}  // namespace mozgach
