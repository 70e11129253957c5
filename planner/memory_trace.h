// A MemoryTrace follows what a job holds from tensor to tensor and remembers the moment it held
// most.  Plain value.
#pragma once

#include <cstdint>

#include "planner/memory_line.h"

namespace mozgach {

class MemoryTrace {
 public:
  void Take(MemoryLine line, int64_t bytes);
  void Give(MemoryLine line, int64_t bytes);
  // Takes and gives back at once.
  void Touch(MemoryLine line, int64_t bytes);

  const MemoryLines& now() const { return now_; }
  int64_t peak() const { return peak_; }
  // What was held at the peak.
  const MemoryLines& at_peak() const { return at_peak_; }

 private:
  MemoryLines now_{};
  MemoryLines at_peak_{};
  int64_t held_ = 0;
  int64_t peak_ = 0;
};

// Bytes held for as long as this lives.
class Held {
 public:
  Held(MemoryTrace& trace, MemoryLine line, int64_t bytes)
      : trace_(&trace), line_(line), bytes_(bytes) {
    trace.Take(line, bytes);
  }
  ~Held() { Give(); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  // Earlier than that.
  void Give() {
    trace_->Give(line_, bytes_);
    bytes_ = 0;
  }

 private:
  MemoryTrace* trace_;
  MemoryLine line_;
  int64_t bytes_;
};

}  // namespace mozgach
