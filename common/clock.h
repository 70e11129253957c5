// A Clock tells the time; code that decides takes `now` instead, so that tests and the simulation
// move time themselves.
#pragma once

#include <chrono>
#include <string>

#include "common/status.h"

namespace mozgach {

// Wall-clock time, milliseconds since 1970 UTC: what is stored and shown.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
using Milliseconds = std::chrono::milliseconds;

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime Now() const = 0;
  // Monotonic and counting suspended time (CLOCK_BOOTTIME): leases are measured with it.
  virtual Milliseconds SinceBoot() const = 0;

  // This machine's clock.
  static const Clock& System();
};

// "2026-11-21T11:57:02.250Z" (RFC 3339, UTC).
std::string FormatTime(WallTime time);
absl::StatusOr<WallTime> ParseTime(const std::string& text);

// "45s", "90m", "12h", "2d": a whole number of one unit, above 0 and at most 365 days.
// INVALID_ARGUMENT for anything else.
absl::StatusOr<Milliseconds> ParseDuration(const std::string& text);

inline int64_t ToMillis(WallTime time) { return time.time_since_epoch().count(); }
inline WallTime FromMillis(int64_t millis) { return WallTime(Milliseconds(millis)); }

}  // namespace mozgach
