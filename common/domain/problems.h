// Problems collects what is wrong with one domain file, so that a person is told everything at
// once. Plain value.
#pragma once

#include <string>
#include <vector>

#include "common/domain/spec_value.h"
#include "common/status.h"

namespace mozgach {

// The first kMaxProblems are kept.
class Problems {
 public:
  static constexpr size_t kMaxProblems = 50;

  void Add(Place place, std::string message);
  bool empty() const { return problems_.empty(); }
  bool full() const { return problems_.size() >= kMaxProblems; }
  // INVALID_ARGUMENT, one problem per line in the order of the file; "name:line:column: " stands
  // before each that has a place, "name: " before the others where `name` is not empty.
  absl::Status ToStatus(const std::string& name) const;

 private:
  struct Problem {
    Place place;
    std::string message;
  };
  std::vector<Problem> problems_;
};

}  // namespace mozgach
