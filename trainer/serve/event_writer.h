// An EventWriter writes events to a stream, one JSON object per line. Each line is written as a
// whole and flushed. Thread-safe.
#pragma once

#include <ostream>

#include "common/mutex.h"
#include "nlohmann/json_fwd.hpp"

namespace mozgach {

class EventWriter {
 public:
  explicit EventWriter(std::ostream& out) : out_(out) {}

  // `event` is an object. Text that is not UTF-8 is replaced, not rejected.
  void Write(const nlohmann::json& event);

 private:
  Mutex mutex_;
  std::ostream& out_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mozgach
