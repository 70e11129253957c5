// A Trace is what happened in a simulated life, in order, as one number: two runs with the same
// trace did the same.  Printed as well where a person wants to read it.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/clock.h"

namespace mozgach::sim {

class Trace {
 public:
  explicit Trace(bool print) : print_(print) {}

  // `who` did `what`; `first` and `second` are a job and an attempt, or whatever `what` speaks of.
  void Note(Milliseconds at, std::string_view who, std::string_view what, int64_t first = 0,
            int64_t second = 0);

  uint64_t hash() const { return hash_; }
  int64_t length() const { return length_; }

 private:
  const bool print_;
  uint64_t hash_ = 0;
  int64_t length_ = 0;
};

}  // namespace mozgach::sim
