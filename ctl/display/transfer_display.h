// A TransferDisplay shows on stderr the progress of hashing or uploading: on a terminal in one line
// that is redrawn in place, elsewhere in a line every few seconds. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "common/clock.h"

namespace mozgach {

class TransferDisplay {
 public:
  // Prints `what`, such as "hashing 1.2 GiB". `bytes` is the total.
  TransferDisplay(const std::string& what, uint64_t bytes);
  // Removes the redrawn line.
  ~TransferDisplay();
  TransferDisplay(const TransferDisplay&) = delete;
  TransferDisplay& operator=(const TransferDisplay&) = delete;

  void Add(uint64_t bytes);

 private:
  const uint64_t bytes_;
  uint64_t done_ = 0;
  bool live_ = false;
  Milliseconds said_at_;
};

}  // namespace mozgach
