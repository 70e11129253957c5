// How many questions a model answers exactly, by greedy generation.
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

// Whether a generated text is the answer: both are trimmed of white space, and the text of a
// thought
// ("…</think>") that the answer does not have.
bool SaysAnswer(const std::string& generated, const std::string& answer);

// The fraction of `questions` whose generated text, special tokens left out, SaysAnswer().  An
// answer of the model ends as `options` say.  CANCELLED when `observer`
// asks to leave.  Where memory runs out fewer are
// answered at once.  REQUIRES: a question.
absl::StatusOr<double> ExactMatch(const Base& base, const LoraAdapter* adapter,
                                  const std::vector<Question>& questions,
                                  const GenerationOptions& options, TrainingObserver& observer);

}  // namespace mozgach
