// A LineReader reads lines from a stream and never buffers more than `limit_bytes` of a line. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <istream>
#include <optional>
#include <string>

#include "common/status.h"

namespace mozgach {

class LineReader {
 public:
  LineReader(std::istream& in, size_t limit_bytes) : in_(in), limit_(limit_bytes) {}

  // Returns the next line without its line break; blocks. nullopt at the end of the stream.
  // RESOURCE_EXHAUSTED for a line over the limit, which is skipped.
  absl::StatusOr<std::optional<std::string>> Next();

 private:
  std::istream& in_;
  size_t limit_;
};

}  // namespace mozgach
