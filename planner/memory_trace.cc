#include "planner/memory_trace.h"

namespace mozgach {

void MemoryTrace::Take(MemoryLine line, int64_t bytes) {
  now_[static_cast<size_t>(line)] += bytes;
  held_ += bytes;
  if (held_ <= peak_) return;
  peak_ = held_;
  at_peak_ = now_;
}

void MemoryTrace::Give(MemoryLine line, int64_t bytes) {
  now_[static_cast<size_t>(line)] -= bytes;
  held_ -= bytes;
}

void MemoryTrace::Touch(MemoryLine line, int64_t bytes) {
  Take(line, bytes);
  Give(line, bytes);
}

}  // namespace mozgach
