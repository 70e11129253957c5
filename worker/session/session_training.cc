// The session and its trainers: what they say, and what it means for the attempt.
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "worker/session/log_words.h"
#include "worker/session/session.h"

namespace mozgach {

// Sends each event to the device or the attempt it speaks of.
struct Session::Running {
  Session& session;
  int index;
  Milliseconds now;

  Device& device() const { return session.devices_[static_cast<size_t>(index)]; }

  void operator()(const TrainerReady& event) const {
    device().Ready(event);
    session.calls_.UrgentNews();
  }
  void operator()(const TrainerMemory& event) const {
    device().Has(event);
    session.LookAtMemory();
  }
  void operator()(const TrainerBaseLoaded& event) const {
    device().BaseLoaded(event);
    session.calls_.UrgentNews();
    if (const WorkerAttempt* attempt = session.RunningOn(index)) {
      session.Log(*attempt,
                  absl::StrFormat("loaded the base %s in %.1f s", event.base, event.seconds));
    }
  }
  // It waits still: that its trainer knows it does not make it the one the trainer works on.
  void operator()(const TrainerPrepared& event) const {
    const WorkerAttempt* attempt = session.Find(event.id);
    if (attempt == nullptr) return;
    session.Log(*attempt, absl::StrFormat("its data is ready: %d rows, %d tokens (%.1f s)",
                                          event.rows, event.tokens, event.seconds));
  }
  void operator()(const TrainerComplaint&) const {}
  void operator()(const TrainerFailed& event) const {
    if (event.id.has_value()) Tell(*event.id, event);
  }
  template <typename Event>
  void operator()(const Event& event) const {
    Tell(event.id, event);
  }

  template <typename Event>
  void Tell(const AttemptId& id, const Event& event) const {
    WorkerAttempt* attempt = session.Find(id);
    if (attempt == nullptr || attempt->device != index) return;
    const bool running = attempt->state == AttemptState::kInTrainer;
    const bool stopping = attempt->state == AttemptState::kStopping;
    if (!running && !stopping) return;
    attempt->heard_of = true;
    constexpr bool kLast = std::is_same_v<Event, TrainerDone> ||
                           std::is_same_v<Event, TrainerFailed> ||
                           std::is_same_v<Event, TrainerCancelled>;
    constexpr bool kSaved = std::is_same_v<Event, TrainerCheckpoint>;
    if (running || (kSaved && attempt->hands_back)) {
      session.On(*attempt, event, now);
    } else if (kLast) {
      session.Settle(*attempt);
    }
  }
};

void Session::TrainerSaid(int device, const TrainerEvent& event, Milliseconds now) {
  // Other threads of the trainer than the one that works write these.
  const bool proves_nothing = std::holds_alternative<TrainerPrepared>(event) ||
                              std::holds_alternative<TrainerComplaint>(event) ||
                              std::holds_alternative<TrainerMemory>(event);
  if (!proves_nothing) EndSilence(device, now);
  std::visit(Running{*this, device, now}, event);
}

void Session::On(WorkerAttempt& attempt, const TrainerPhase& event, Milliseconds now) {
  if (const std::string data = DataInWords(event.data_json); !data.empty()) Log(attempt, data);
  if (attempt.phase == event.phase) return;
  attempt.phase = event.phase;
  if (event.phase == v1::AttemptReport::EVALUATING) Log(attempt, "evaluating");
  calls_.UrgentNews();
}

void Session::On(WorkerAttempt& attempt, const TrainerStarted& event, Milliseconds now) {
  attempt.progress.set_step(event.step);
  attempt.progress.set_steps(event.steps);
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  attempt.progress.set_loss(event.mean_loss.value_or(kNone));  // a new training has none so far
  attempt.progress.set_step_loss(kNone);
  attempt.progress.set_resumed_from_step(event.step);
  attempt.progress.set_memory_planned_bytes(event.memory_planned_bytes);
  attempt.result.set_train_rows(event.train_rows);
  attempt.last_step_at = now;
  Log(attempt, absl::StrCat("training ", event.trainable_parameters, " parameters on ",
                            event.train_rows, " rows, ", event.steps, " steps",
                            event.step > 0 ? absl::StrCat(", from step ", event.step) : ""));
  attempt.work.pinned_json = event.pinned_json;
  calls_.UrgentNews();
}

void Session::On(WorkerAttempt& attempt, const TrainerSteppedDown& event, Milliseconds now) {
  attempt.work.pinned_json = event.pinned_json;
  attempt.stepped_down = event.message;
  Log(attempt, event.message);
  calls_.UrgentNews();
}

void Session::On(WorkerAttempt& attempt, const TrainerStep& event, Milliseconds now) {
  v1::Progress& progress = attempt.progress;
  const int64_t made = event.step - progress.step();
  if (attempt.last_step_at >= Milliseconds(0) && made > 0) {
    const double each = static_cast<double>((now - attempt.last_step_at).count()) / 1000.0 /
                        static_cast<double>(made);
    attempt.step_seconds =
        attempt.step_seconds <= 0 ? std::max(each, 1e-4) : 0.8 * attempt.step_seconds + 0.2 * each;
  }
  attempt.last_step_at = now;
  progress.set_step(event.step);
  progress.set_steps(event.steps);
  if (std::isfinite(event.mean_loss)) progress.set_loss(event.mean_loss);
  if (std::isfinite(event.step_loss)) progress.set_step_loss(event.step_loss);
  progress.set_learning_rate(event.learning_rate);
  progress.set_tokens(event.tokens);
  progress.set_tokens_per_second(event.tokens_per_second);
  progress.set_memory_peak_bytes(event.memory_peak_bytes);
  calls_.ProgressNews();
  Log(attempt,
      absl::StrFormat("step %d/%d  loss %.4f  mean %.4f  learning rate %.3g  %.0f tokens/s",
                      event.step, event.steps, event.loss, event.mean_loss, event.learning_rate,
                      event.tokens_per_second));
}

void Session::On(WorkerAttempt& attempt, const TrainerAlive& event, Milliseconds now) {}

void Session::TakeEvalLoss(WorkerAttempt& attempt, const std::string& metrics_json) {
  const std::optional<double> loss = EvalLossIn(metrics_json);
  if (!loss.has_value()) return;
  attempt.progress.set_eval_loss(*loss);
  calls_.ProgressNews();
}

void Session::On(WorkerAttempt& attempt, const TrainerEvaluation& event, Milliseconds now) {
  TakeEvalLoss(attempt, event.metrics_json);
  Log(attempt,
      absl::StrCat("evaluation at step ", event.step, ": ", MetricsInWords(event.metrics_json)));
}

void Session::On(WorkerAttempt& attempt, const TrainerDone& event, Milliseconds now) {
  if (devices_[static_cast<size_t>(attempt.device)].JobDone(event.memory_bytes)) {
    Log(attempt, absl::StrFormat("the trainer holds %s, much more than after its first job: it "
                                 "restarts",
                                 BytesInWords(event.memory_bytes)));
    actions_.push_back(EndTrainer{attempt.device});
  }
  if (event.memory_peak_bytes > 0) attempt.progress.set_memory_peak_bytes(event.memory_peak_bytes);
  TakeEvalLoss(attempt, event.metrics_json);
  attempt.result.set_metrics_json(event.metrics_json);
  attempt.result.set_base_digest(event.base_digest);
  attempt.result.set_code_version(event.code_version);
  if (event.train_rows > 0) attempt.result.set_train_rows(event.train_rows);
  attempt.result.set_train_seconds(event.train_seconds);
  attempt.state = AttemptState::kUploading;
  Log(attempt,
      absl::StrFormat("trained in %.1f s; the trainer holds %d bytes (%s); uploading the adapter",
                      event.train_seconds, event.memory_bytes, BytesInWords(event.memory_bytes)));
  actions_.push_back(UploadAdapter{attempt.work.id});
  calls_.UrgentNews();
}

void Session::On(WorkerAttempt& attempt, const TrainerFailed& event, Milliseconds now) {
  Fail(attempt, event.failure.class_(), event.failure.message());
}

void Session::On(WorkerAttempt& attempt, const TrainerCancelled& event, Milliseconds now) {
  // It had begun when its trainer was told to end: the next one goes on with it.
  if (devices_[static_cast<size_t>(attempt.device)].ending()) {
    attempt.state = AttemptState::kWaiting;
    attempt.heard_of = false;
    return;
  }
  Fail(attempt, v1::Failure::INFRASTRUCTURE, "the trainer cancelled it without being told to");
}

}  // namespace mozgach
