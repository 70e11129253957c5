// DataAhead reads and tokenises the data of jobs that wait, while another one trains, on a thread
// of its own that gives way to all others. One job's data at a time; what is ready for a job that
// does not come next after all is thrown away.
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
  // Files of more bytes than this together are left for the job itself: what is ready takes memory,
  // some five times as much at most.
  static constexpr int64_t kMostBytes = int64_t{32} << 20;

  // Told on the own thread that an attempt's data is ready.
  using Tell = std::function<void(const AttemptId& id, const DataReport& report, double seconds)>;
  explicit DataAhead(Tell tell);
  // Waits for what is in progress.
  ~DataAhead();

  // The base that lies in memory; null: none. Data for other bases is not prepared, and what is
  // ready is thrown away.
  void SetBase(const Base* base);

  // From any thread. In this order they are made ready.
  void Begin(const TrainRequest& request);
  void Drop(const AttemptId& id);

  // The data of the job that begins now, where it is ready or about to be. Nothing where it is
  // not, or could not be prepared: the job finds out why.
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
  std::deque<TrainRequest> wanted_ ABSL_GUARDED_BY(mutex_);      // not begun yet
  std::optional<TrainRequest> current_ ABSL_GUARDED_BY(mutex_);  // in progress, or ready
  std::optional<JobData> ready_ ABSL_GUARDED_BY(mutex_);         // data of current_
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace mozgach
