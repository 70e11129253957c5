// Metrics are the core's state at the moment of a scrape, in Prometheus' words.
#pragma once

#include <prometheus/collectable.h>

#include <string>
#include <vector>

#include "scheduler/front_desk.h"

namespace mozgach {

class Metrics final : public prometheus::Collectable {
 public:
  // The desk outlives it.
  explicit Metrics(FrontDesk& desk) : desk_(desk) {}

  // Thread-safe.
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  FrontDesk& desk_;
};

// What Collect says about a core.
std::vector<prometheus::MetricFamily> CollectFrom(Core& core, const Moment& now);

}  // namespace mozgach
