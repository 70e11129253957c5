#include "scheduler/http/metric_families.h"

#include <limits>

namespace mozgach {

prometheus::ClientMetric& MetricFamilies::Add(const std::string& name, const std::string& help,
                                              prometheus::MetricType type, Labels labels) {
  // Values of several names may be interleaved (all that is known of one job).
  for (prometheus::MetricFamily& family : families_) {
    if (family.name == name) {
      family.metric.emplace_back().label = std::move(labels);
      return family.metric.back();
    }
  }
  prometheus::MetricFamily& family = families_.emplace_back();
  family.name = name;
  family.help = help;
  family.type = type;
  family.metric.emplace_back().label = std::move(labels);
  return family.metric.back();
}

void MetricFamilies::Gauge(const std::string& name, const std::string& help, double value,
                           Labels labels) {
  Add(name, help, prometheus::MetricType::Gauge, std::move(labels)).gauge.value = value;
}

void MetricFamilies::Counter(const std::string& name, const std::string& help, double value,
                             Labels labels) {
  Add(name, help, prometheus::MetricType::Counter, std::move(labels)).counter.value = value;
}

void MetricFamilies::Observations(const std::string& name, const std::string& help,
                                  const Histogram& histogram) {
  auto& shown = Add(name, help, prometheus::MetricType::Histogram, {}).histogram;
  uint64_t count = 0;
  for (size_t i = 0; i < histogram.counts.size(); ++i) {
    count += histogram.counts[i];
    const bool last = i == histogram.bounds.size();
    shown.bucket.push_back(
        {count, last ? std::numeric_limits<double>::infinity() : histogram.bounds[i]});
  }
  shown.sample_count = count;
  shown.sample_sum = histogram.sum;
}

}  // namespace mozgach
