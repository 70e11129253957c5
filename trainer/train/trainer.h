// Train() is the training loop. All inputs are arguments and all events go to an observer, so that
// the service, the command line and the tests can share it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/domain/domain_spec.h"
#include "common/status.h"
#include "trainer/data/batches.h"
#include "trainer/data/example.h"
#include "trainer/lora/lora_adapter.h"
#include "trainer/models/causal_lm.h"
#include "trainer/train/training_checkpoint.h"

namespace mozgach {

// One optimizer step.
struct StepReport {
  int64_t step = 0;  // 1-based: completed steps
  int64_t steps = 0;
  double loss = 0;       // mean since the last report (loss_mean.h)
  double step_loss = 0;  // this step's mean over the trained tokens of its accumulation window
  double mean_loss = 0;  // running mean (loss_mean.h)
  double learning_rate = 0;
  double grad_norm = 0;  // before clipping
  int64_t tokens = 0;    // tokens seen so far
  double tokens_per_second = 0;
  int64_t memory_peak_bytes = 0;
};

enum class Interruption {
  kNone,
  kCancel,  // stop now
  kStop,    // write a checkpoint, then stop, so that the training can resume
};

// All methods are called from the training thread.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;
  // Called before the first step. The training starts or resumes after `step`, which is 0 at first.
  // `mean_loss` is the running mean of the steps before it, if known.
  virtual void OnStarted(int64_t step, int64_t steps, std::optional<double> mean_loss) {}
  virtual void OnStep(const StepReport& report) {}
  virtual void OnCheckpoint(int64_t step, const std::filesystem::path& path) {}
  // A note for readers of the log.
  virtual void OnNotice(const std::string& text) {}
  // Memory ran out in the step after `step`. That step and all later ones use `rung` of the
  // MemoryLadder.
  virtual void OnSteppedDown(int64_t step, int64_t rung, const std::string& what) {}
  // Called before every step and between the batches of other long operations.
  virtual Interruption Poll() { return Interruption::kNone; }
};

// All pointers are borrowed for the call.
struct TrainingInputs {
  const CausalLm* model = nullptr;
  LoraAdapter* adapter = nullptr;  // trained in place
  const std::vector<Example>* examples = nullptr;
  const BatchPlan* plan = nullptr;
  TrainingSpec training;
  Recompute recompute = Recompute::kNothing;
  int64_t recomputed_layers = kEveryLayer;     // for Recompute::kLayers
  int64_t rung = 0;                            // first rung of the MemoryLadder
  TrainingCheckpoints* checkpoints = nullptr;  // null: checkpoints are neither read nor written
  std::function<absl::Status(int64_t step)> evaluate;  // called at eval_steps; may be empty
};

// Trains from the newest checkpoint, or from the adapter as it is, to the end of the plan. First
// runs the largest micro-batch once, without effect on the training, to find out whether it fits.
// If memory runs out in a step, repeats the step one rung lower; on the lowest rung returns
// RESOURCE_EXHAUSTED. CANCELLED if interrupted; OUT_OF_RANGE if loss or gradient is not finite;
// FAILED_PRECONDITION if the adapter has not learned anything.
absl::StatusOr<TrainingTotals> Train(const TrainingInputs& inputs, TrainingObserver& observer);

// Returns CANCELLED if `observer` requests to stop.
absl::Status CheckInterruption(TrainingObserver& observer);

}  // namespace mozgach
