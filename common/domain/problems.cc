#include "common/domain/problems.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mozgach {

void Problems::Add(Place place, std::string message) {
  if (!full()) problems_.push_back({place, std::move(message)});
}

absl::Status Problems::ToStatus(const std::string& name) const {
  if (empty()) return absl::OkStatus();
  std::vector<Problem> sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
  });
  std::vector<std::string> lines;
  for (const Problem& problem : sorted) {
    std::string where = name;
    if (problem.place.line > 0) {
      absl::StrAppend(&where, ":", problem.place.line, ":", problem.place.column);
    }
    lines.push_back(absl::StrCat(where, where.empty() ? "" : ": ", problem.message));
  }
  return absl::InvalidArgumentError(absl::StrJoin(lines, "\n"));
}

}  // namespace mozgach
