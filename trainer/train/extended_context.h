// The context of a base, stretched for as long as a job lasts.
#pragma once

#include "common/domain/domain_spec.h"
#include "planner/rope_config.h"
#include "trainer/models/causal_lm.h"

namespace mozgach {

class ExtendedContext {
 public:
  // As the domain file asks; `model` outlives this.
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
