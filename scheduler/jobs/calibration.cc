#include "scheduler/jobs/calibration.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_format.h"
#include "registry/query.h"
#include "scheduler/queries.h"

namespace mozgach {
namespace sql = scheduler_sql;
namespace {

constexpr int64_t kKept = 33;
constexpr size_t kFewest = 3;
constexpr double kLeast = 0.5, kMost = 2;

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<int64_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

absl::Status Calibrations::Recover() {
  seen_.clear();
  Query rows(database_, sql::kEveryObservation);
  while (rows.Next()) {
    Add(rows.Text(0), rows.Text(1), static_cast<uint64_t>(rows.Int(2)),
        static_cast<uint64_t>(rows.Int(3)));
  }
  return rows.status();
}

absl::Status Calibrations::Save(const std::string& base, const std::string& device_kind,
                                uint64_t planned, uint64_t peak) {
  RETURN_IF_ERROR(Run(database_, sql::kInsertObservation, base, device_kind, planned, peak));
  return Run(database_, sql::kForgetOldObservations, base, device_kind, kKept);
}

void Calibrations::Add(const std::string& base, const std::string& device_kind, uint64_t planned,
                       uint64_t peak) {
  Seen& seen = seen_[{base, device_kind}];
  seen.ratios.push_back(static_cast<double>(peak) / static_cast<double>(planned));
  if (seen.ratios.size() > static_cast<size_t>(kKept)) seen.ratios.pop_front();
  if (seen.ratios.size() < kFewest) return;
  const double median = Median({seen.ratios.begin(), seen.ratios.end()});
  seen.calibration = {std::clamp(median, kLeast, kMost), static_cast<int64_t>(seen.ratios.size())};
}

Calibration Calibrations::Of(const std::string& base, const std::string& device_kind) const {
  const auto found = seen_.find({base, device_kind});
  return found == seen_.end() ? Calibration() : found->second.calibration;
}

std::string ShowCalibration(const Calibration& calibration, const std::string& device_kind) {
  if (calibration.attempts == 0) return "";
  return absl::StrFormat(" ×%.2f from %d attempts on %s", calibration.factor, calibration.attempts,
                         device_kind.empty() ? "it" : device_kind);
}

}  // namespace mozgach
