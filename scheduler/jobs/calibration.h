// Calibrations correct plans by what attempts really took: of each base and kind of device the
// peaks of the last attempts that ended well, against what was planned for them.
//
// Rows, and all of them in memory as well: every claim asks.  One thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "registry/database.h"

namespace mozgach {

struct Calibration {
  double factor = 1;     // a plan counts as so many times its bytes; 0.5 to 2
  int64_t attempts = 0;  // it comes from; 0: too few have been seen
};

class Calibrations {
 public:
  explicit Calibrations(Database& database) : database_(database) {}

  // Reads the rows.
  absl::Status Recover();

  // An attempt that ended well.  Joins the open transaction and leaves memory alone; `planned` and
  // `peak` are above 0.
  absl::Status Save(const std::string& base, const std::string& device_kind, uint64_t planned,
                    uint64_t peak);
  // The same in memory, once that is committed.
  void Add(const std::string& base, const std::string& device_kind, uint64_t planned,
           uint64_t peak);

  // The median of peak / planned: single outliers do not move it.
  Calibration Of(const std::string& base, const std::string& device_kind) const;

 private:
  using Key = std::pair<std::string, std::string>;

  struct Seen {
    std::deque<double> ratios;  // oldest first
    Calibration calibration;
  };

  Database& database_;
  std::map<Key, Seen> seen_;
};

// " ×1.07 from 12 attempts on AMD EPYC"; "" where there is none.
std::string ShowCalibration(const Calibration& calibration, const std::string& device_kind);

}  // namespace mozgach
