// The Agenda is what will happen, by time; what is due at the same time happens in the order in
// which it was put down.  Simulated time is milliseconds since the start of a life.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "common/clock.h"

namespace mozgach::sim {

class Agenda {
 public:
  using Deed = std::function<void()>;

  Milliseconds now() const { return now_; }
  void At(Milliseconds time, Deed deed) {
    entries_.push({std::max(time, now_), next_++, std::move(deed)});
  }
  void After(Milliseconds wait, Deed deed) { At(now_ + wait, std::move(deed)); }

  // Does what comes next, unless that is later than `end`: then time is `end`, and it is false.
  bool Step(Milliseconds end) {
    if (entries_.empty() || entries_.top().time > end) {
      now_ = std::max(now_, end);
      return false;
    }
    Deed deed = std::move(const_cast<Entry&>(entries_.top()).deed);
    now_ = entries_.top().time;
    entries_.pop();
    deed();
    return true;
  }

 private:
  struct Entry {
    Milliseconds time;
    int64_t number;
    Deed deed;

    bool operator<(const Entry& other) const {
      return std::pair(other.time, other.number) < std::pair(time, number);
    }
  };

  Milliseconds now_{0};
  int64_t next_ = 0;
  std::priority_queue<Entry> entries_;
};

}  // namespace mozgach::sim
