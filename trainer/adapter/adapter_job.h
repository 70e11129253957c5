// An AdapterJob makes one adapter on a loaded base: data → training → scores → PEFT directory.
// The service, the command line and the tests share it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/domain/domain_spec.h"
#include "common/status.h"
#include "nlohmann/json_fwd.hpp"
#include "trainer/adapter/job_data.h"
#include "trainer/evaluate/scores.h"
#include "trainer/train/base.h"
#include "trainer/train/trainer.h"

namespace mozgach {

struct AdapterJob {
  DomainSpec spec;
  DatasetPaths data;
  std::filesystem::path output_dir;      // the PEFT directory, with mlx-lm's in mlx/
  std::filesystem::path checkpoint_dir;  // the newest whole checkpoint of this job is gone on from
  std::filesystem::path cache_dir;       // the bare base's scores; empty: not kept
  bool resume_only_own = false;  // refuse to start over beside checkpoints of another training
  PinnedChoices pinned;          // what holds in this process, for the checkpoints
  std::optional<std::filesystem::path> init_adapter;  // a PEFT directory to start from
  std::optional<JobData> prepared;  // PrepareData() of all this, where it was done ahead
};

// What is known once the data is there.
struct PreparedJob {
  DataReport report;
  int64_t train_rows = 0;
  int64_t trainable_parameters = 0;
  int64_t max_length = 0;
  Recompute recompute = Recompute::kNothing;
  int64_t recomputed_layers = kEveryLayer;
  int64_t memory_planned_bytes = 0;  // planned peak of this process and device
};

class JobObserver : public TrainingObserver {
 public:
  // Before OnStarted().
  virtual void OnPrepared(const PreparedJob& prepared) {}
  // {"adapter": {…}} in mid-training; at the end {"base": {…}, "adapter": {…}}, `final`.
  virtual void OnEvaluation(int64_t step, const nlohmann::json& metrics, bool final) {}
  // The training is over: the scores are computed next.
  virtual void OnEvaluating() {}
};

struct FinishedJob {
  Scores base;
  Scores adapter;
  int64_t train_rows = 0;
  TrainingTotals totals;
};

// Blocks until the adapter lies in `output_dir`. CANCELLED when the observer asks to leave; other
// errors carry a class (failure.h). Throws nothing.
absl::StatusOr<FinishedJob> MakeAdapter(AdapterJob job, const Base& base, JobObserver& observer);

// {"base": {…}, "adapter": {…}}.
nlohmann::json MetricsJson(const Scores& base, const Scores& adapter);

// Names everything that decides the bare base's scores on this data.
std::string BaseScoresKey(const DomainSpec& spec, const Base& base, const JobData& data);

}  // namespace mozgach
