#include "trainer/train/trainer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/work_count.h"
#include "trainer/device/runtime.h"
#include "trainer/device/torch_status.h"
#include "trainer/train/adamw.h"
#include "trainer/train/failure.h"
#include "trainer/train/memory_ladder.h"
#include "trainer/train/schedule.h"
#include "trainer/train/training_batch.h"

namespace mozgach {
namespace {

bool Due(int64_t step, int64_t every) { return every > 0 && step % every == 0; }

absl::Status Diverged(const char* what, int64_t step, double learning_rate) {
  return absl::OutOfRangeError(absl::StrCat(
      "the ", what, " is not finite at step ", step, " (learning rate ", learning_rate,
      "): the training diverged; try a smaller learning_rate, more warmup_steps or a smaller "
      "max_grad_norm"));
}

// The error before the first step, when the training settings cannot be the cause.
absl::Status NotFiniteFromTheStart(const char* what) {
  return WithClass(
      absl::DataLossError(absl::StrCat(
          "the ", what,
          " is not finite before the first step: the base gives NaN or infinite "
          "numbers for these rows. Its weights or its config.json are damaged (or the adapter it "
          "starts from is); fetch the base again, or set quantization.bnb_4bit_compute_dtype to "
          "float32")),
      FailureClass::kData);
}

// Rows of the largest micro-batch among the first steps. With packing, later steps differ little.
int64_t LargestMicroBatch(const BatchPlan& plan) {
  constexpr int64_t kLooked = 100;
  int64_t most = 1;
  for (int64_t i = 0; i < std::min(plan.steps(), kLooked); ++i) {
    for (const MicroBatch& micro_batch : plan.step(i)) {
      int64_t rows = 0;
      for (const Sequence& each : micro_batch) rows += static_cast<int64_t>(each.examples.size());
      most = std::max(most, rows);
    }
  }
  return most;
}

int64_t TokensOf(const MicroBatch& micro_batch) {
  int64_t tokens = 0;
  for (const Sequence& each : micro_batch) tokens += each.tokens;
  return tokens;
}

// The largest of the remaining micro-batches.
MicroBatch LargestToCome(const BatchPlan& plan, int64_t step) {
  constexpr int64_t kLooked = 2000;  // at least an epoch for most datasets
  MicroBatch largest;
  for (int64_t i = step; i < std::min(plan.steps(), step + kLooked); ++i) {
    for (const MicroBatch& each : plan.step(i)) {
      if (TokensOf(each) > TokensOf(largest)) largest = each;
    }
  }
  return largest;
}

struct WindowTokens {
  int64_t all = 0;
  int64_t trained = 0;
};

// A training in progress.
class Training {
 public:
  Training(const TrainingInputs& inputs, TrainingObserver& observer)
      : in_(inputs),
        observer_(observer),
        adapter_tensors_(inputs.adapter->NamedTensors(inputs.model->config())),
        optimizer_(adapter_tensors_, inputs.training),
        ladder_(LargestMicroBatch(*inputs.plan), inputs.recompute, inputs.recomputed_layers),
        rung_(std::min(inputs.rung, ladder_.lowest())) {}

  absl::StatusOr<TrainingTotals> Run();

 private:
  absl::Status Restore();
  absl::Status HeedInterruption();
  // Runs the largest micro-batch once without keeping a result, so that a training that does not
  // fit fails at the start.
  absl::Status TryLargest();
  absl::Status Step();
  absl::Status NotFinite(const char* what, double learning_rate) const;
  // Computes gradients and loss of the window; the loss is a mean over its trained tokens. If
  // memory runs out, steps down one rung and starts over.
  absl::StatusOr<double> Backward(const StepPlan& window);
  double BackwardOn(const MemoryRung& rung, const StepPlan& window, WindowTokens* tokens);
  std::optional<double> MeanSoFar() const;
  absl::Status StepDown(const absl::Status& ran_out);
  absl::Status Save();
  absl::Status CheckAdapter() const;
  NamedTensorList State() const;

  const TrainingInputs& in_;
  TrainingObserver& observer_;
  NamedTensorList adapter_tensors_;
  AdamW optimizer_;
  const MemoryLadder ladder_;
  int64_t rung_;
  int64_t trained_tokens_ = 0;  // trained tokens of the last window
  TrainingTotals totals_;
};

absl::StatusOr<TrainingTotals> Training::Run() {
  RETURN_IF_ERROR(Restore());
  const int64_t steps = in_.plan->steps();
  observer_.OnStarted(totals_.step, steps, MeanSoFar());
  if (totals_.step < steps) RETURN_IF_ERROR(TryLargest());
  while (totals_.step < steps) {
    RETURN_IF_ERROR(HeedInterruption());
    RETURN_IF_ERROR(Step());
    const int64_t step = totals_.step;
    if (in_.evaluate && step < steps && Due(step, in_.training.eval_steps.value_or(0))) {
      RETURN_IF_ERROR(in_.evaluate(step));
    }
    if (step == steps || Due(step, in_.training.save_steps)) RETURN_IF_ERROR(Save());
  }
  RETURN_IF_ERROR(CheckAdapter());
  totals_.rung = rung_;
  return totals_;
}

absl::Status Training::TryLargest() {
  const MicroBatch largest = LargestToCome(*in_.plan, totals_.step);
  for (const MicroBatch& first : in_.plan->step(totals_.step)) {
    if (TokensOf(first) == TokensOf(largest)) return absl::OkStatus();  // the first step covers it
  }
  RETURN_IF_ERROR(HeedInterruption());
  const int64_t tokens = totals_.tokens;
  ASSIGN_OR_RETURN(const double loss, Backward({largest}));
  optimizer_.ForgetGradients();
  if (!std::isfinite(loss) && totals_.step == 0) return NotFiniteFromTheStart("loss");
  totals_.tokens = tokens;
  return absl::OkStatus();
}

absl::Status Training::Step() {
  const auto begin = std::chrono::steady_clock::now();
  const int64_t steps = in_.plan->steps();
  const StepPlan& window = in_.plan->step(totals_.step);
  const double learning_rate = LearningRate(in_.training, totals_.step, steps);
  ASSIGN_OR_RETURN(const double loss, Backward(window));
  if (!std::isfinite(loss)) return NotFinite("loss", learning_rate);
  const double norm = optimizer_.ClipGradients(in_.training.max_grad_norm);
  if (!std::isfinite(norm)) return NotFinite("gradient", learning_rate);
  optimizer_.Step(learning_rate);
  optimizer_.ForgetGradients();

  ++totals_.step;
  totals_.loss = loss;
  totals_.mean.Add(totals_.step, loss, trained_tokens_);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  totals_.seconds += took.count();
  if (Due(totals_.step, in_.training.logging_steps) || totals_.step == steps) {
    observer_.OnStep({totals_.step, steps, totals_.mean.TakeInterval(), loss,
                      totals_.mean.Running(), learning_rate, norm, totals_.tokens,
                      static_cast<double>(totals_.tokens) / totals_.seconds, MemoryPeakBytes()});
  }
  return absl::OkStatus();
}

absl::Status Training::NotFinite(const char* what, double learning_rate) const {
  return totals_.step == 0 ? NotFiniteFromTheStart(what)
                           : Diverged(what, totals_.step + 1, learning_rate);
}

absl::StatusOr<double> Training::Backward(const StepPlan& window) {
  for (;;) {
    WindowTokens tokens;
    const absl::StatusOr<double> loss = CatchTorch(
        [&]() -> absl::StatusOr<double> { return BackwardOn(ladder_.At(rung_), window, &tokens); });
    if (loss.ok()) {
      totals_.tokens += tokens.all;
      trained_tokens_ = tokens.trained;
      return loss;
    }
    if (!absl::IsResourceExhausted(loss.status())) {
      return WithClass(loss.status(), FailureClass::kData);
    }
    RETURN_IF_ERROR(StepDown(loss.status()));
  }
}

absl::Status Training::StepDown(const absl::Status& ran_out) {
  optimizer_.ForgetGradients();
  ReleaseFreeMemory();
  if (rung_ >= ladder_.lowest()) {
    return WithClass(absl::ResourceExhaustedError(absl::StrCat(
                         ran_out.message(), "; step ", totals_.step + 1,
                         " does not fit on the lowest rung (", ladder_.Describe(rung_),
                         "): try a smaller data.max_length, or a device with more memory")),
                     FailureClass::kOutOfMemory);
  }
  ++rung_;
  observer_.OnSteppedDown(totals_.step, rung_, ladder_.Describe(rung_));
  if (in_.checkpoints != nullptr) {
    PinnedChoices pinned = in_.checkpoints->pinned();
    pinned.rung = rung_;
    in_.checkpoints->Pin(pinned);
  }
  return absl::OkStatus();
}

double Training::BackwardOn(const MemoryRung& rung, const StepPlan& window, WindowTokens* tokens) {
  std::vector<TrainingBatch> batches;
  for (const MicroBatch& whole : window) {
    for (const MicroBatch& micro_batch : InParts(*in_.examples, whole, rung.parts)) {
      batches.push_back(MakeTrainingBatch(*in_.examples, micro_batch, in_.model->device()));
      tokens->trained += batches.back().Trained();
      tokens->all += batches.back().tokens.ids.size(0);
    }
  }
  ForwardOptions options;
  options.adapter = in_.adapter;
  options.recompute = rung.recompute;
  options.recomputed_layers = rung.recomputed_layers;
  options.loss_chunk_bytes = rung.loss_chunk_bytes;
  options.training = true;
  options.seed = static_cast<uint64_t>(in_.training.seed);
  options.step = static_cast<uint32_t>(totals_.step);
  double loss = 0;
  for (const TrainingBatch& batch : batches) {
    const at::Tensor share =
        SummedLoss(*in_.model, batch, options).div(static_cast<double>(tokens->trained));
    NoteWork();
    share.backward();
    NoteWork();
    loss += share.item<double>();
    ++options.micro_batch;
  }
  return loss;
}

std::optional<double> Training::MeanSoFar() const {
  if (totals_.mean.weight <= 0) return std::nullopt;
  return totals_.mean.Running();
}

absl::Status Training::Restore() {
  if (in_.checkpoints == nullptr) return absl::OkStatus();
  std::vector<std::string> notices;
  ASSIGN_OR_RETURN(const auto restored, in_.checkpoints->Restore(State(), &notices));
  for (const std::string& notice : notices) observer_.OnNotice(notice);
  if (restored) totals_ = *restored;
  optimizer_.set_steps(totals_.step);
  return absl::OkStatus();
}

absl::Status Training::HeedInterruption() {
  const Interruption interruption = observer_.Poll();
  if (interruption == Interruption::kNone) return absl::OkStatus();
  if (interruption == Interruption::kStop && totals_.step > 0) RETURN_IF_ERROR(Save());
  return absl::CancelledError(absl::StrCat("stopped after step ", totals_.step));
}

absl::Status Training::Save() {
  if (in_.checkpoints == nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto path, in_.checkpoints->Save(totals_, State()));
  observer_.OnCheckpoint(totals_.step, path);
  return absl::OkStatus();
}

absl::Status Training::CheckAdapter() const {
  const at::NoGradGuard no_grad;
  bool learned = false;
  for (const auto& [name, tensor] : adapter_tensors_) {
    if (!at::isfinite(tensor).all().item<bool>()) {
      return absl::OutOfRangeError(absl::StrCat(name,
                                                " holds numbers that are not finite after step ",
                                                totals_.step, "; try a smaller learning_rate"));
    }
    if (absl::StrContains(name, "lora_B") && tensor.any().item<bool>()) learned = true;
  }
  if (learned) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the adapter is still all zero after ", totals_.step,
                   " steps; try more steps, fewer warmup_steps or a larger learning_rate"));
}

NamedTensorList Training::State() const {
  NamedTensorList state = adapter_tensors_;
  for (auto& moment : optimizer_.NamedMoments()) state.push_back(std::move(moment));
  return state;
}

}  // namespace

absl::StatusOr<TrainingTotals> Train(const TrainingInputs& inputs, TrainingObserver& observer) {
  return Training(inputs, observer).Run();
}

absl::Status CheckInterruption(TrainingObserver& observer) {
  if (observer.Poll() == Interruption::kNone) return absl::OkStatus();
  return absl::CancelledError("stopped on request");
}

}  // namespace mozgach
