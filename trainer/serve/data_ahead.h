// DataAhead reads and tokenises the data of waiting jobs while another job trains. It uses one
// thread with the lowest priority and holds the data of one job at a time. If another job runs
// next, that data is discarded.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <optional>
#include <thread>

#include "common/mutex.h"
#include "planner/model_config.h"
#include "trainer/adapter/job_data.h"
#include "trainer/serve/request.h"

namespace mozgach {

class DataAhead {
 public:
  // Prepares only jobs whose files are at most this large together: prepared data needs up to about
  // five times as much memory.
  static constexpr int64_t kMostBytes = int64_t{32} << 20;

  // Called on the own thread when the data of an attempt is ready.
  using Tell = std::function<void(const AttemptId& id, const DataReport& report, double seconds)>;
  explicit DataAhead(Tell tell);
  // Waits for the preparation in progress.
  ~DataAhead();

  // Sets the base in memory; null: none. Discards the prepared data. Data for other bases is not
  // prepared.
  void SetBase(const Base* base);

  // Begin adds a job to the queue; Drop removes one. Thread-safe. Jobs are prepared in the order of
  // Begin().
  void Begin(const TrainRequest& request);
  void Drop(const AttemptId& id);

  // Returns the data of the job that starts now; waits if it is in progress. nullopt if it was not
  // prepared, or could not be: the job itself then reports the error.
  std::optional<JobData> Take(const AttemptId& id);

 private:
  struct Text {
    BaseText text;
    ModelConfig config;
  };
  void Work();
  std::optional<JobData> Prepare(const TrainRequest& request, const Text& base) const;
  bool Holds(const AttemptId& id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return current_ && current_->id == id;
  }

  Tell tell_;
  Mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Text> base_ ABSL_GUARDED_BY(mutex_);
  std::deque<TrainRequest> wanted_ ABSL_GUARDED_BY(mutex_);      // not started yet
  std::optional<TrainRequest> current_ ABSL_GUARDED_BY(mutex_);  // in progress, or ready
  std::optional<JobData> ready_ ABSL_GUARDED_BY(mutex_);         // data of current_
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace mozgach
