// The Inbox stands between the thread that reads requests and the one that works: it holds what
// waits, and tells the work in progress when to leave. Safe from any thread.
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

  // At most so many wait behind the one in progress.
  static constexpr size_t kWaiting = 4;

  // RESOURCE_EXHAUSTED when too many wait already.
  absl::Status Add(Work work);

  // True while a job is in progress or waits.
  bool busy() const;

  // The attempt in progress is told to leave, with a checkpoint where it is to `save`; one that
  // waits is taken out and true returned.
  bool Cancel(const AttemptId& id, bool save = false);

  // No more work: what waits is dropped, what is in progress is told to stop with a checkpoint.
  void Close();

  // True as soon as there is work, or it is closed; false where neither comes within `timeout`.
  bool WaitForWork(std::chrono::milliseconds timeout);

  // Blocks for the next work, which is in progress from then on; nullopt once closed.
  std::optional<Work> Next();

  // What the work in progress should do.
  Interruption Current() const;

 private:
  mutable Mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Work> waiting_ ABSL_GUARDED_BY(mutex_);
  std::optional<AttemptId> current_ ABSL_GUARDED_BY(mutex_);
  Interruption asked_ ABSL_GUARDED_BY(mutex_) =
      Interruption::kNone;  // what was asked of the work in progress
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace mozgach
