// An AdapterJob trains one adapter on a loaded base: data → training → scores → PEFT directory.
// Used by the service, the command line and the tests.
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
  std::filesystem::path output_dir;      // the PEFT directory; mlx-lm's is mlx/ in it
  std::filesystem::path checkpoint_dir;  // resumes from the newest complete checkpoint in it
  std::filesystem::path cache_dir;       // caches the bare base's scores; empty: no cache
  bool resume_only_own = false;          // fail if it has only checkpoints of another training
  PinnedChoices pinned;                  // the choices of this process, stored in the checkpoints
  std::optional<std::filesystem::path> init_adapter;  // a PEFT directory to start from
  std::optional<JobData> prepared;  // the result of PrepareData(), if it was computed ahead
};

// Facts known after the data is prepared.
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
  // Called before OnStarted().
  virtual void OnPrepared(const PreparedJob& prepared) {}
  // `metrics` is {"adapter": {…}} during training. At the end it is {"base": {…}, "adapter": {…}},
  // and `final` is true.
  virtual void OnEvaluation(int64_t step, const nlohmann::json& metrics, bool final) {}
  // The training is complete; the scores are computed next.
  virtual void OnEvaluating() {}
};

struct FinishedJob {
  Scores base;
  Scores adapter;
  int64_t train_rows = 0;
  TrainingTotals totals;
};

// Blocks until the adapter is in `output_dir`. CANCELLED if the observer interrupts; other errors
// have a class (failure.h). Throws nothing.
absl::StatusOr<FinishedJob> MakeAdapter(AdapterJob job, const Base& base, JobObserver& observer);

// Returns {"base": {…}, "adapter": {…}}.
nlohmann::json MetricsJson(const Scores& base, const Scores& adapter);

// Returns a digest of everything that determines the bare base's scores on this data.
std::string BaseScoresKey(const DomainSpec& spec, const Base& base, const JobData& data);

}  // namespace mozgach
