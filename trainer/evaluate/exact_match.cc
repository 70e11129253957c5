#include "trainer/evaluate/exact_match.h"

#include <c10/core/ScalarType.h>

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "planner/step_bounds.h"
#include "trainer/device/runtime.h"
#include "trainer/device/torch_status.h"

namespace mozgach {
namespace {

size_t BatchSize(const Base& base, const std::vector<Question>& questions, int64_t max_new_tokens) {
  size_t longest = 0;
  for (const Question& question : questions) longest = std::max(longest, question.prompt.size());
  const int64_t tokens = static_cast<int64_t>(longest) + max_new_tokens;
  return static_cast<size_t>(PromptsAtOnce(
      base.model->config(), static_cast<int64_t>(c10::elementSize(base.compute_type)), tokens));
}

std::string WithoutThought(const std::string& generated, const std::string& answer) {
  const std::string thought_end = "</think>";
  const size_t end = generated.rfind(thought_end);
  if (end == std::string::npos || absl::StrContains(answer, thought_end)) return generated;
  return generated.substr(end + thought_end.size());
}

}  // namespace

bool SaysAnswer(const std::string& generated, const std::string& answer) {
  return absl::StripAsciiWhitespace(WithoutThought(generated, answer)) ==
         absl::StripAsciiWhitespace(answer);
}

absl::StatusOr<double> ExactMatch(const Base& base, const LoraAdapter* adapter,
                                  const std::vector<Question>& questions,
                                  const GenerationOptions& options, TrainingObserver& observer) {
  size_t batch_size = BatchSize(base, questions, options.max_new_tokens);
  size_t right = 0;
  for (size_t begin = 0, end = 0; begin < questions.size(); begin = end) {
    RETURN_IF_ERROR(CheckInterruption(observer));
    end = std::min(questions.size(), begin + batch_size);
    std::vector<std::vector<int32_t>> prompts;
    for (size_t i = begin; i < end; ++i) prompts.push_back(questions[i].prompt);
    const auto answered =
        CatchTorch([&] { return Generate(*base.model, adapter, prompts, options); });
    if (absl::IsResourceExhausted(answered.status()) && batch_size > 1) {
      batch_size /= 2;
      end = begin;
      ReleaseFreeMemory();
      continue;
    }
    RETURN_IF_ERROR(answered.status());
    const auto& answers = *answered;
    for (size_t i = begin; i < end; ++i) {
      const std::string text = base.tokenizer->Decode(answers[i - begin], /*skip_special=*/true);
      if (SaysAnswer(text, questions[i].answer)) ++right;
    }
  }
  return static_cast<double>(right) / static_cast<double>(questions.size());
}

}  // namespace mozgach
