// Scores are how good a model is on a domain's rows, under the metric names of the domain file.
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

// "eval_loss" (wherever there are validation rows) and what evaluation.metrics asks for:
// "perplexity" = exp(eval_loss), "exact_match" = the fraction of questions answered exactly.
using Scores = std::map<std::string, double>;

// What a model is scored on.
struct EvaluationSet {
  std::vector<Example> held_out;    // the validation rows
  std::vector<Question> questions;  // the test rows, or the validation rows where there are none
  std::vector<int32_t> stop_ids;    // where an answer to them ends
};

bool Wants(const EvaluationSpec& evaluation, const std::string& metric);

// eval_loss and perplexity alone: what is cheap enough to do in mid-training.
absl::StatusOr<Scores> LossScores(const Base& base, const LoraAdapter* adapter,
                                  const EvaluationSet& set, const EvaluationSpec& evaluation,
                                  TrainingObserver& observer);

// All scores of the adapter, or of the bare base where it is null.  Errors as HeldOutLoss().
absl::StatusOr<Scores> AllScores(const Base& base, const LoraAdapter* adapter,
                                 const EvaluationSet& set, const EvaluationSpec& evaluation,
                                 TrainingObserver& observer);

// AllScores() of the bare base, computed once per `key` (a digest of everything that decides it)
// and kept in `cache_dir`; an empty `cache_dir` keeps nothing.
absl::StatusOr<Scores> BaseScores(const Base& base, const EvaluationSet& set,
                                  const EvaluationSpec& evaluation, const std::string& key,
                                  const std::filesystem::path& cache_dir,
                                  TrainingObserver& observer);

}  // namespace mozgach
