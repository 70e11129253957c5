// A LineReader cuts a stream into lines without ever holding more than its limit of one.
// One thread at a time.
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

  // The next line without its line break; blocks. nullopt at the end of the stream.
  // RESOURCE_EXHAUSTED for a line over the limit, which has then been passed over.
  absl::StatusOr<std::optional<std::string>> Next();

 private:
  std::istream& in_;
  size_t limit_;
};

}  // namespace mozgach
