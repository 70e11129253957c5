// A Heartbeat tells the worker every ten seconds that the current job makes progress. The worker
// can thus distinguish a long task from a trainer that hangs.
//
// It writes from its own thread, and only if the working thread has made progress since the last
// event (common/work_count.h). If the working thread hangs, nothing is written.
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

  // Starts: the calling thread works on this attempt from now on.
  void Begin(const AttemptId& id);
  // Stops: no more events about the attempt are written.
  void End();

 private:
  void Run();

  EventWriter& events_;
  const std::chrono::milliseconds interval_;
  Mutex mutex_;
  std::condition_variable_any ended_;
  std::optional<AttemptId> id_ ABSL_GUARDED_BY(mutex_);
  bool end_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // declared last: it uses all other members
};

}  // namespace mozgach
