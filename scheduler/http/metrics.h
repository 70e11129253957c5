// Metrics are the core's state at the moment of a scrape, in Prometheus' words.
#pragma once

#include <prometheus/collectable.h>

#include <string>
#include <vector>

#include "scheduler/access/refused_calls.h"
#include "scheduler/executor/core_executor.h"

namespace mozgach {

class Metrics final : public prometheus::Collectable {
 public:
  // Both outlive it.
  Metrics(CoreExecutor& executor, const RefusedCalls& refused)
      : executor_(executor), refused_(refused) {}

  // Thread-safe.
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  CoreExecutor& executor_;
  const RefusedCalls& refused_;
};

// What Collect says about a core.
std::vector<prometheus::MetricFamily> CollectFrom(Core& core, const Now& now);

}  // namespace mozgach
