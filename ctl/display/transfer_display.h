// A TransferDisplay shows on stderr how far a long reading or sending of bytes is: a line redrawn
// in place on a terminal, a line now and then elsewhere.  One thread at a time.
#pragma once

#include <cstdint>
#include <string>

#include "common/clock.h"

namespace mozgach {

class TransferDisplay {
 public:
  // `what`: "hashing 1.2 GiB", said at once.  `bytes` are all of them.
  TransferDisplay(const std::string& what, uint64_t bytes);
  // Takes the redrawn line away.
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
