// A Heartbeat tells the worker every ten seconds that the present job makes progress, so that a
// trainer at a long task can be told from one that hangs.
//
// It writes from a thread of its own, and only if the thread that works has done something since
// the last line (common/work_count.h): where that one hangs, nothing is written.
#pragma once

#include <chrono>
#include <condition_variable>
#include <optional>
#include <thread>

#include "common/mutex.h"
#include "trainer/serve/event_writer.h"
#include "trainer/serve/request.h"

namespace mozgach {

class Heartbeat {
 public:
  explicit Heartbeat(EventWriter& events,
                     std::chrono::milliseconds interval = std::chrono::seconds(10));
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  // The calling thread works on this attempt from now on.
  void Begin(const AttemptId& id);
  // It is over: no line about it follows.
  void End();

 private:
  void Run();

  EventWriter& events_;
  const std::chrono::milliseconds interval_;
  Mutex mutex_;
  std::condition_variable_any ended_;
  std::optional<AttemptId> id_ ABSL_GUARDED_BY(mutex_);
  bool end_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all the above
};

}  // namespace mozgach
