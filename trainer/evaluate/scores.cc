#include "trainer/evaluate/scores.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/json_text.h"
#include "failpoint/failpoint.h"
#include "nlohmann/json.hpp"
#include "trainer/evaluate/exact_match.h"
#include "trainer/evaluate/held_out_loss.h"

namespace mozgach {
namespace {

using Json = nlohmann::json;

// Returns the scores that an earlier job stored; nullopt if the file is missing or damaged.
std::optional<Scores> ReadCached(const std::filesystem::path& file) {
  const auto text = ReadFile(file, 1 << 16);
  if (!text.ok()) return std::nullopt;
  const absl::StatusOr<Json> json = ParseJson(*text);
  if (!json.ok() || !json->is_object()) return std::nullopt;
  Scores scores;
  for (const auto& [name, value] : json->items()) {
    if (!value.is_number()) return std::nullopt;
    scores[name] = value.get<double>();
  }
  return scores;
}

}  // namespace

bool Wants(const EvaluationSpec& evaluation, const std::string& metric) {
  return std::count(evaluation.metrics.begin(), evaluation.metrics.end(), metric) > 0;
}

absl::StatusOr<Scores> LossScores(const Base& base, const LoraAdapter* adapter,
                                  const EvaluationSet& set, const EvaluationSpec& evaluation,
                                  TrainingObserver& observer) {
  Scores scores;
  if (set.held_out.empty()) return scores;
  ASSIGN_OR_RETURN(const double loss, HeldOutLoss(*base.model, adapter, set.held_out, observer));
  scores["eval_loss"] = loss;
  if (Wants(evaluation, "perplexity")) scores["perplexity"] = std::exp(loss);
  return scores;
}

absl::StatusOr<Scores> AllScores(const Base& base, const LoraAdapter* adapter,
                                 const EvaluationSet& set, const EvaluationSpec& evaluation,
                                 TrainingObserver& observer) {
  ASSIGN_OR_RETURN(Scores scores, LossScores(base, adapter, set, evaluation, observer));
  if (Wants(evaluation, "exact_match") && !set.questions.empty()) {
    GenerationOptions options;
    options.max_new_tokens = evaluation.max_new_tokens;
    options.stop_ids = set.stop_ids;
    ASSIGN_OR_RETURN(scores["exact_match"],
                     ExactMatch(base, adapter, set.questions, options, observer));
  }
  return scores;
}

absl::StatusOr<Scores> BaseScores(const Base& base, const EvaluationSet& set,
                                  const EvaluationSpec& evaluation, const std::string& key,
                                  const std::filesystem::path& cache_dir,
                                  TrainingObserver& observer) {
  if (cache_dir.empty()) return AllScores(base, nullptr, set, evaluation, observer);
  const std::filesystem::path file = cache_dir / absl::StrCat("base-scores-", key, ".json");
  if (const auto cached = ReadCached(file)) return *cached;
  ASSIGN_OR_RETURN(const Scores scores, AllScores(base, nullptr, set, evaluation, observer));
  RETURN_IF_ERROR(MakeDirectories(cache_dir));
  RETURN_IF_ERROR(
      DURABLE("trainer.scores.keep", WriteFileAtomically(file, Json(scores).dump(2) + "\n")));
  return scores;
}

}  // namespace mozgach
