#include "common/interruptible_sleep.h"

#include <condition_variable>
#include <mutex>

namespace mozgach {

bool SleepUnlessStopped(std::stop_token stop, Milliseconds time) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, time, [] { return false; });
  return stop.stop_requested();
}

}  // namespace mozgach
