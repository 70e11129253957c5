#include "common/clock.h"

#include <time.h>

#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace mozgach {
namespace {

class SystemClock : public Clock {
 public:
  WallTime Now() const override {
    return std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
  }
  Milliseconds SinceBoot() const override {
    timespec now;
#ifdef CLOCK_BOOTTIME
    clock_gettime(CLOCK_BOOTTIME, &now);
#else
    clock_gettime(CLOCK_MONOTONIC, &now);  // macOS: this one counts suspended time there
#endif
    return Milliseconds(now.tv_sec * 1000 + now.tv_nsec / 1000000);
  }
};

}  // namespace

const Clock& Clock::System() {
  // Never destroyed: threads ask until the process is gone.
  static const SystemClock& clock = *new SystemClock;
  return clock;
}

std::string FormatTime(WallTime time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(ToMillis(time)),
                          absl::UTCTimeZone());
}

absl::StatusOr<WallTime> ParseTime(const std::string& text) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is not an RFC 3339 time: ", error));
  }
  return FromMillis(absl::ToUnixMillis(time));
}

absl::StatusOr<Milliseconds> ParseDuration(const std::string& text) {
  constexpr int64_t kMost = INT64_C(365) * 24 * 3600 * 1000;
  static const std::map<char, int64_t> kUnits = {
      {'s', 1000}, {'m', 60'000}, {'h', 3'600'000}, {'d', 86'400'000}};
  const auto unit = text.empty() ? kUnits.end() : kUnits.find(text.back());
  int64_t count = 0;
  if (unit == kUnits.end() || !absl::SimpleAtoi(text.substr(0, text.size() - 1), &count) ||
      count < 1 || count > kMost / unit->second) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", text, "' is not a duration: a whole number of s, m, h or d, like 90m, up to 365d"));
  }
  return Milliseconds(count * unit->second);
}

}  // namespace mozgach
