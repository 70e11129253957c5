#include "trainer/commands/train_progress.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/end_signals.h"
#include "common/terminal_text.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

using Json = nlohmann::json;

constexpr int kBarWidth = 30;
constexpr std::chrono::milliseconds kBetweenFrames{100};

std::atomic<bool> asked_to_stop{false};
static_assert(std::atomic<bool>::is_always_lock_free);

// A second signal ends the process at once.
void AskToStop(int signal) {
  asked_to_stop = true;
  std::signal(signal, SIG_DFL);
}

std::string Figures(const StepReport& report) {
  return absl::StrFormat("step %d/%d  loss %.4f  mean %.4f  lr %.3g  %.0f tokens/s", report.step,
                         report.steps, report.loss, report.mean_loss, report.learning_rate,
                         report.tokens_per_second);
}

std::string Bar(const StepReport& report) {
  const auto filled = static_cast<size_t>(kBarWidth * report.step / report.steps);
  return absl::StrCat("\r[", std::string(filled, '#'), std::string(kBarWidth - filled, '.'), "] ",
                      Figures(report), "\x1b[K");
}

}  // namespace

TrainProgress::TrainProgress(bool json) : json_(json), terminal_(isatty(STDERR_FILENO) != 0) {
  for (const int signal : SignalsThatEnd()) std::signal(signal, AskToStop);
}

void TrainProgress::Say(const std::string& line) {
  std::cerr << (bar_open_ ? "\n" : "") << EscapeControls(line) << std::endl;
  bar_open_ = false;
}

void TrainProgress::OnPrepared(const PreparedJob& prepared) {
  const DataReport& report = prepared.report;
  Say(
      absl::StrFormat("%d rows (%d dropped, %d truncated), %d tokens, %d of them trained; "
                      "%d trainable parameters%s",
                      report.rows, report.dropped, report.truncated, report.tokens,
                      report.trained_tokens, prepared.trainable_parameters,
                      prepared.recompute == Recompute::kNothing
                          ? ""
                          : absl::StrCat("; recomputes ",
                                         prepared.recomputed_layers == kEveryLayer
                                             ? ""
                                             : absl::StrCat(prepared.recomputed_layers, " "),
                                         RecomputeName(prepared.recompute))));
}

void TrainProgress::OnStarted(int64_t step, int64_t steps, std::optional<double> mean_loss) {
  if (step > 0) Say(absl::StrCat("going on after step ", step, " of ", steps));
}

void TrainProgress::OnStep(const StepReport& report) {
  if (!json_) return ShowStep(report);
  std::cout << Json{{"step", report.step},
                    {"steps", report.steps},
                    {"loss", report.loss},
                    {"step_loss", report.step_loss},
                    {"mean_loss", report.mean_loss},
                    {"learning_rate", report.learning_rate},
                    {"grad_norm", report.grad_norm},
                    {"tokens", report.tokens},
                    {"tokens_per_second", report.tokens_per_second},
                    {"memory_peak_bytes", report.memory_peak_bytes}}
            << std::endl;
}

void TrainProgress::ShowStep(const StepReport& report) {
  if (!terminal_) return Say(Figures(report));
  const auto now = std::chrono::steady_clock::now();
  if (report.step < report.steps && now - last_shown_ < kBetweenFrames) return;
  last_shown_ = now;
  std::cerr << Bar(report) << std::flush;
  bar_open_ = true;
}

void TrainProgress::OnCheckpoint(int64_t step, const std::filesystem::path& path) {
  Say(absl::StrCat("checkpoint ", path.string()));
}

void TrainProgress::OnEvaluation(int64_t step, const Json& metrics, bool final) {
  Say(absl::StrCat("scores after step ", step, ": ", metrics.dump()));
}

void TrainProgress::OnEvaluating() { Say("computing the scores"); }

void TrainProgress::OnNotice(const std::string& text) { Say(text); }

Interruption TrainProgress::Poll() {
  return asked_to_stop ? Interruption::kStop : Interruption::kNone;
}

}  // namespace mozgach
