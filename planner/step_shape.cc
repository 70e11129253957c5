#include "planner/step_shape.h"

#include <algorithm>

#include "planner/memory_plan.h"
#include "planner/step_bounds.h"

namespace mozgach {
namespace {

bool HoldsOut(const DomainSpec& spec) {
  const double* fraction = std::get_if<double>(&spec.data.validation);
  return fraction == nullptr || *fraction > 0;
}

// What is known of `rows` shortens a batch of `tokens`, and says of how many documents it is.
StepShape BatchOf(const RowTokens& rows, int64_t tokens, int64_t max_length) {
  if (rows.rows == 0) return FullBatch(std::max<int64_t>(1, tokens / max_length), max_length);
  StepShape shape;
  shape.tokens = shape.slots = std::max<int64_t>(2, std::min(tokens, rows.total));
  shape.longest = std::clamp<int64_t>(std::min(rows.longest, max_length), 1, shape.tokens);
  shape.documents =
      std::max<int64_t>(1, shape.tokens * rows.rows / std::max<int64_t>(1, rows.total));
  shape.in_order = shape.documents == 1;
  shape.trained = shape.tokens - 1;
  return shape;
}

void AddQuestions(const ModelConfig& config, const DomainSpec& spec, const ComputeSetup& setup,
                  const DomainRows& rows, StepShape* shape) {
  const auto& metrics = spec.evaluation.metrics;
  if (std::find(metrics.begin(), metrics.end(), "exact_match") == metrics.end()) return;
  const RowTokens& asked = rows.test.rows > 0 ? rows.test : rows.validation;
  if (asked.rows == 0) return;
  const int64_t longest = std::min(asked.longest, spec.data.max_length);
  const int64_t new_tokens = spec.evaluation.max_new_tokens;
  shape->prompts = std::min({PromptsAtOnce(config, setup.element, longest + new_tokens), asked.rows,
                             spec.evaluation.samples.value_or(asked.rows)});
  shape->prompt_tokens = longest;
  shape->cache_tokens = longest + new_tokens;
}

}  // namespace

StepShape FullBatch(int64_t documents, int64_t length) {
  StepShape shape;
  shape.tokens = shape.slots = documents * length;
  shape.documents = documents;
  shape.longest = length;
  shape.trained = documents * (length - 1);
  return shape;
}

StepShape LargestStep(const ModelConfig& config, const DomainSpec& spec, const ComputeSetup& setup,
                      const DomainRows& rows) {
  const int64_t batch = spec.training.per_device_train_batch_size;
  const int64_t length = std::max<int64_t>(2, spec.data.max_length);
  StepShape shape;
  if (!spec.data.packing && rows.train.rows > 0) {
    shape = FullBatch(batch, std::clamp<int64_t>(rows.train.longest, 2, length));
  } else {
    shape = BatchOf(rows.train, batch * length, length);
  }
  shape.micro_batches = spec.training.gradient_accumulation_steps;
  if (HoldsOut(spec)) {
    shape.evaluation_tokens = std::max(length, kHeldOutTokens);
    if (rows.validation.rows > 0) {
      shape.evaluation_tokens = std::min(std::max(rows.validation.longest, kHeldOutTokens),
                                         std::max<int64_t>(2, rows.validation.total));
    }
  }
  AddQuestions(config, spec, setup, rows, &shape);
  return shape;
}

}  // namespace mozgach
