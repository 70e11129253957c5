// An Inbox carries what other threads have to say to the one thread that decides.
//
// Post may be called from any thread; the rest belongs to the owner.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

#include "common/clock.h"

namespace mozgach {

class Inbox {
 public:
  using Message = std::function<void(Milliseconds now)>;

  void Post(Message message) {
    {
      const std::lock_guard lock(mutex_);
      messages_.push_back(std::move(message));
    }
    arrived_.notify_one();
  }

  // Waits at most `wait` for a message; takes all that are there.
  std::deque<Message> Take(Milliseconds wait) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, wait, [&] { return !messages_.empty(); });
    return std::exchange(messages_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Message> messages_;  // guarded by mutex_
};

}  // namespace mozgach
