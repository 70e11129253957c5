// Scores measure a model on a domain's rows, by the metric names of the domain file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/domain/domain_spec.h"
#include "common/status.h"
#include "trainer/data/example.h"
#include "trainer/lora/lora_adapter.h"
#include "trainer/train/base.h"
#include "trainer/train/trainer.h"

namespace mozgach {

// By name: "eval_loss" (if there are validation rows) and the metrics in evaluation.metrics:
// "perplexity" = exp(eval_loss), "exact_match" = the fraction of questions answered exactly.
using Scores = std::map<std::string, double>;

// The rows for scoring a model.
struct EvaluationSet {
  std::vector<Example> held_out;    // the validation rows
  std::vector<Question> questions;  // the test rows; if there are none, the validation rows
  std::vector<int32_t> stop_ids;    // tokens that end an answer
};

bool Wants(const EvaluationSpec& evaluation, const std::string& metric);

// Returns only eval_loss and perplexity, which are cheap enough to compute during training.
absl::StatusOr<Scores> LossScores(const Base& base, const LoraAdapter* adapter,
                                  const EvaluationSet& set, const EvaluationSpec& evaluation,
                                  TrainingObserver& observer);

// Returns all scores of the adapter, or of the bare base if `adapter` is null. Errors: see
// HeldOutLoss().
absl::StatusOr<Scores> AllScores(const Base& base, const LoraAdapter* adapter,
                                 const EvaluationSet& set, const EvaluationSpec& evaluation,
                                 TrainingObserver& observer);

// Returns AllScores() of the bare base. Computes them once per `key`, a digest of all inputs, and
// caches them in `cache_dir`. An empty `cache_dir` disables the cache.
absl::StatusOr<Scores> BaseScores(const Base& base, const EvaluationSet& set,
                                  const EvaluationSpec& evaluation, const std::string& key,
                                  const std::filesystem::path& cache_dir,
                                  TrainingObserver& observer);

}  // namespace mozgach
