// Now is "now", given into every call of the core, which has no clock of its own.
#pragma once

#include "common/clock.h"

namespace mozgach {

struct Now {
  WallTime wall{};            // what is stored and shown; may jump
  Milliseconds since_boot{};  // never jumps: leases and waits are measured with it

  static Now Of(const Clock& clock) { return {clock.Now(), clock.SinceBoot()}; }
};

}  // namespace mozgach
