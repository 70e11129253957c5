// The Inbox is a queue between the thread that reads requests and the working thread. It also tells
// the work in progress when to stop. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <optional>
#include <variant>

#include "common/mutex.h"
#include "trainer/serve/request.h"
#include "trainer/train/trainer.h"

namespace mozgach {

class Inbox {
 public:
  using Work = std::variant<LoadRequest, TrainRequest>;

  // Most requests that may wait, apart from the one in progress.
  static constexpr size_t kWaiting = 4;

  // RESOURCE_EXHAUSTED if kWaiting requests wait already.
  absl::Status Add(Work work);

  // Returns true while a job is in progress or waits.
  bool busy() const;

  // Cancels an attempt. If it is in progress, asks it to stop, with a checkpoint if `save`, and
  // returns false. If it waits, removes it and returns true.
  bool Cancel(const AttemptId& id, bool save = false);

  // Ends the work: drops waiting requests and asks the work in progress to stop with a checkpoint.
  void Close();

  // Waits for work or Close(). Returns false if neither happens within `timeout`.
  bool WaitForWork(std::chrono::milliseconds timeout);

  // Blocks until there is work and returns it; it is then in progress. Returns nullopt after
  // Close().
  std::optional<Work> Next();

  // Returns what the work in progress should do.
  Interruption Current() const;

 private:
  mutable Mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Work> waiting_ ABSL_GUARDED_BY(mutex_);
  std::optional<AttemptId> current_ ABSL_GUARDED_BY(mutex_);
  Interruption asked_ ABSL_GUARDED_BY(mutex_) =
      Interruption::kNone;  // the request to the work in progress
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace mozgach
