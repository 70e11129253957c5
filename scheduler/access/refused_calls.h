// Counts the calls that were refused, and logs some of them: callers decide how often that happens,
// so at most one line for each reason is written in ten seconds.  Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "common/clock.h"
#include "common/mutex.h"
#include "common/status.h"

namespace mozgach {

class RefusedCalls {
 public:
  static constexpr Milliseconds kLogInterval{10'000};

  // Reason and role; "none": the caller has none.
  using Key = std::pair<std::string, std::string>;

  // `role` is one of those that exist, or "none"; the text of `refusal` goes to the log behind
  // `caller`, which may be anything.  OK statuses are not counted.
  void Count(const absl::Status& refusal, const std::string& role, const std::string& caller,
             Milliseconds now);
  // A request for a web page that named another host.
  void CountHost(const std::string& host, Milliseconds now);

  std::map<Key, int64_t> counts() const;
  int64_t lines() const;  // number of lines logged

 private:
  struct Reason {
    Milliseconds next_line{0};
    int64_t silent = 0;  // since the last line
  };

  void Count(const std::string& reason, const std::string& role, const std::string& line,
             Milliseconds now);

  mutable Mutex mutex_;
  std::map<Key, int64_t> counts_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Reason> reasons_ ABSL_GUARDED_BY(mutex_);
  int64_t lines_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace mozgach
