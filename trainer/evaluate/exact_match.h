// Scores exact answers of a model, by greedy generation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/status.h"
#include "trainer/data/example.h"
#include "trainer/lora/lora_adapter.h"
#include "trainer/models/generation.h"
#include "trainer/train/base.h"
#include "trainer/train/trainer.h"

namespace mozgach {

// Returns true if a generated text equals the answer, ignoring white space at the ends and a
// thought ("…</think>") that only the generated text has.
bool SaysAnswer(const std::string& generated, const std::string& answer);

// Returns the fraction of `questions` for which SaysAnswer() is true for the generated text without
// special tokens. `options` define where a generated answer ends. If memory runs out, fewer
// questions are answered at once. CANCELLED if `observer` interrupts. REQUIRES: at least one
// question.
absl::StatusOr<double> ExactMatch(const Base& base, const LoraAdapter* adapter,
                                  const std::vector<Question>& questions,
                                  const GenerationOptions& options, TrainingObserver& observer);

}  // namespace mozgach
