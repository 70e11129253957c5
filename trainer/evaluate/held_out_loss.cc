#include "trainer/evaluate/held_out_loss.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/index_select.h>

#include <cmath>

#include "planner/step_bounds.h"
#include "trainer/device/runtime.h"
#include "trainer/device/torch_status.h"
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
  return loss;
}

// Returns the error for a loss that is not finite: caused by the adapter, or by the base.
absl::Status NotFinite(const CausalLm& model, const LoraAdapter* adapter,
                       const std::vector<Example>& examples, TrainingObserver& observer) {
  if (adapter != nullptr) {
    ASSIGN_OR_RETURN(const double bare,
                     LossInBatchesOf(kLeastBatchTokens, model, nullptr, examples, observer));
    if (std::isfinite(bare)) {
      return absl::OutOfRangeError(
          "the loss on the validation rows is not finite with the adapter, but is with the bare "
          "base; try a smaller learning_rate");
    }
  }
  return absl::DataLossError(
      "the bare base's loss on the validation rows is not finite: its weights or its config.json "
      "are damaged; fetch the base again, or set quantization.bnb_4bit_compute_dtype to float32");
}

}  // namespace

absl::StatusOr<double> HeldOutLoss(const CausalLm& model, const LoraAdapter* adapter,
                                   const std::vector<Example>& examples,
                                   TrainingObserver& observer) {
  for (int64_t tokens = kHeldOutTokens;; tokens /= 2) {
    const absl::StatusOr<double> loss =
        CatchTorch([&] { return LossInBatchesOf(tokens, model, adapter, examples, observer); });
    if (loss.ok() && !std::isfinite(*loss)) {
      return CatchTorch([&]() -> absl::StatusOr<double> {
        return NotFinite(model, adapter, examples, observer);
      });
    }
    if (!absl::IsResourceExhausted(loss.status()) || tokens <= kLeastBatchTokens) return loss;
    ReleaseFreeMemory();
  }
}

}  // namespace mozgach
