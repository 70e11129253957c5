// Shows the progress of `train`: a bar on a terminal, otherwise a line per logged step. With
// --json, one object per logged step on stdout.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "trainer/adapter/adapter_job.h"

namespace mozgach {

class TrainProgress : public JobObserver {
 public:
  // `json`: writes steps to stdout as JSON, not to stderr as text.
  explicit TrainProgress(bool json);

  void OnPrepared(const PreparedJob& prepared) override;
  void OnStarted(int64_t step, int64_t steps, std::optional<double> mean_loss) override;
  void OnStep(const StepReport& report) override;
  void OnCheckpoint(int64_t step, const std::filesystem::path& path) override;
  void OnEvaluation(int64_t step, const nlohmann::json& metrics, bool final) override;
  void OnEvaluating() override;
  void OnNotice(const std::string& text) override;
  // Asks to stop with a checkpoint after SIGTERM, SIGINT or SIGHUP.
  Interruption Poll() override;

 private:
  void ShowStep(const StepReport& report);
  void Say(const std::string& line);  // on a line of its own, even if the bar is open

  bool json_;
  bool terminal_;
  bool bar_open_ = false;
  std::chrono::steady_clock::time_point last_shown_;
};

}  // namespace mozgach
