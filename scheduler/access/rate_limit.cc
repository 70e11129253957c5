#include "scheduler/access/rate_limit.h"

#include <algorithm>

#include "common/mutex.h"

namespace mozgach {

bool RateLimit::Take(const std::string& name, Milliseconds now) {
  const MutexLock lock(mutex_);
  Bucket& bucket = buckets_.try_emplace(name, Bucket{burst_, now}).first->second;
  const std::chrono::duration<double> since = std::max(now - bucket.at, Milliseconds(0));
  bucket.left = std::min(burst_, bucket.left + since.count() * per_second_);
  bucket.at = std::max(bucket.at, now);
  if (bucket.left < 1) return false;
  bucket.left -= 1;
  return true;
}

}  // namespace mozgach
