// An Inbox carries what other threads have to say to the one thread that decides.
//
// Post may be called from any thread; the rest belongs to the owner.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <utility>

#include "common/clock.h"
#include "common/mutex.h"

namespace mozgach {

class Inbox {
 public:
  using Message = std::function<void(Milliseconds now)>;

  void Post(Message message) {
    {
      const MutexLock lock(mutex_);
      messages_.push_back(std::move(message));
    }
    arrived_.notify_one();
  }

  // Waits at most `wait` for a message; takes all that are there.
  std::deque<Message> Take(Milliseconds wait) {
    MutexLock lock(mutex_);
    arrived_.wait_for(lock, wait,
                      [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !messages_.empty(); });
    return std::exchange(messages_, {});
  }

 private:
  Mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<Message> messages_ ABSL_GUARDED_BY(mutex_);  // guarded by mutex_
};

}  // namespace mozgach
