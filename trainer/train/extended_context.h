// Extends the context window of a base for the duration of a job.
#pragma once

#include "common/domain/domain_spec.h"
#include "planner/rope_config.h"
#include "trainer/models/causal_lm.h"

namespace mozgach {

class ExtendedContext {
 public:
  // Extends as the domain file requests; `model` must outlive this object.
  ExtendedContext(CausalLm& model, const RopeScalingSpec& spec) : model_(model) {
    model_.ExtendContext(RopeScalingOf(spec));
  }
  ~ExtendedContext() { model_.ExtendContext(std::nullopt); }
  ExtendedContext(const ExtendedContext&) = delete;
  ExtendedContext& operator=(const ExtendedContext&) = delete;

 private:
  CausalLm& model_;
};

}  // namespace mozgach
