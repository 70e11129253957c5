// A RateLimit lets each name call so many times a second, and more for a moment: one bucket for
// each, which fills with time.  Thread-safe.
#pragma once

#include <map>
#include <string>

#include "common/clock.h"
#include "common/mutex.h"

namespace mozgach {

class RateLimit {
 public:
  // Up to `burst` calls at once after a pause.
  RateLimit(double per_second, double burst) : per_second_(per_second), burst_(burst) {}

  // False: too many.  Names are those of identities: there are only as many as were issued.
  bool Take(const std::string& name, Milliseconds now);

 private:
  struct Bucket {
    double left;
    Milliseconds at;
  };

  const double per_second_;
  const double burst_;
  Mutex mutex_;
  std::map<std::string, Bucket> buckets_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mozgach
