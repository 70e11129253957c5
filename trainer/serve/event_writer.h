// An EventWriter puts events on a stream, one JSON object per line, each line whole and flushed.
// Safe from any thread.
#pragma once

#include <ostream>

#include "common/mutex.h"
#include "nlohmann/json_fwd.hpp"

namespace mozgach {

class EventWriter {
 public:
  explicit EventWriter(std::ostream& out) : out_(out) {}

  // `event` is an object; text in it that is not UTF-8 is replaced, not refused.
  void Write(const nlohmann::json& event);

 private:
  Mutex mutex_;
  std::ostream& out_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mozgach
