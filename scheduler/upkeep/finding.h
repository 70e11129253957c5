// A Finding is one thing that a consistency check saw: where, what, and what to do.  Plain value.
#pragma once

#include <compare>
#include <string>

namespace mozgach {

struct Finding {
  enum class Weight {
    kNote,     // worth knowing; mends itself, or is harmless
    kProblem,  // somebody should do something
  };

  Weight weight = Weight::kProblem;
  std::string where;  // a path, a job, a version
  std::string what;
  std::string advice;

  auto operator<=>(const Finding&) const = default;
};

inline const char* Name(Finding::Weight weight) {
  return weight == Finding::Weight::kProblem ? "problem" : "note";
}

}  // namespace mozgach
