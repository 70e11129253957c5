#include "tests/sim/shrink.h"

#include <algorithm>
#include <cctype>

#include "tests/sim/scratch.h"

namespace mozgach::sim {
namespace {

// A violation without its numbers: what kind it is.
std::string KindOf(const std::string& violation) {
  std::string kind;
  std::copy_if(violation.begin(), violation.end(), std::back_inserter(kind),
               [](unsigned char c) { return std::isdigit(c) == 0; });
  return kind.substr(0, kind.find(':'));
}

bool FailsAlike(const Plan& plan, const std::string& kind) {
  const Outcome outcome = LiveInScratch(plan);
  return !outcome.violation.empty() && KindOf(outcome.violation) == kind;
}

// Leaves out runs of `length` items as long as what is left still fails.
bool LeaveOut(Plan& plan, size_t length, const std::string& kind) {
  bool smaller = false;
  for (size_t start = 0; start < plan.items.size();) {
    Plan candidate = plan;
    const auto first = candidate.items.begin() + static_cast<std::ptrdiff_t>(start);
    const size_t count = std::min(length, plan.items.size() - start);
    candidate.items.erase(first, first + static_cast<std::ptrdiff_t>(count));
    if (FailsAlike(candidate, kind)) {
      plan = std::move(candidate);
      smaller = true;
    } else {
      start += count;
    }
  }
  return smaller;
}

// Fewer domains in each submit.
bool SubmitLess(Plan& plan, const std::string& kind) {
  bool smaller = false;
  for (size_t i = 0; i < plan.items.size(); ++i) {
    while (plan.items[i].deed == Deed::kSubmit && plan.items[i].number > 1) {
      Plan candidate = plan;
      candidate.items[i].number /= 2;
      if (!FailsAlike(candidate, kind)) break;
      plan = std::move(candidate);
      smaller = true;
    }
  }
  return smaller;
}

}  // namespace

Plan Shrink(const Plan& plan, const std::string& violation) {
  const std::string kind = KindOf(violation);
  Plan smallest = plan;
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (size_t length = std::max<size_t>(1, smallest.items.size() / 2); length > 0; length /= 2) {
      smaller = LeaveOut(smallest, length, kind) || smaller;
    }
    smaller = SubmitLess(smallest, kind) || smaller;
  }
  return smallest;
}

}  // namespace mozgach::sim
