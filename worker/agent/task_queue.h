// A TaskQueue runs tasks one after another on a thread of its own.  Its destructor lets the one
// that runs end and drops the others.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <stop_token>
#include <thread>
#include <utility>

#include "common/mutex.h"

namespace mozgach {

class TaskQueue {
 public:
  TaskQueue() : thread_([this](std::stop_token stop) { Run(stop); }) {}

  // From any thread.
  void Add(std::function<void()> task) {
    {
      const MutexLock lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    added_.notify_one();
  }

 private:
  void Run(std::stop_token stop) {
    for (;;) {
      MutexLock lock(mutex_);
      if (!added_.wait(lock, stop,
                       [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !tasks_.empty(); }) ||
          stop.stop_requested())
        return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
  }

  Mutex mutex_;
  std::condition_variable_any added_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);  // guarded by mutex_
  std::jthread thread_;                                              // last: it uses the others
};

}  // namespace mozgach
