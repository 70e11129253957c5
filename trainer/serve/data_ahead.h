// DataAhead reads and tokenises the data of the job that comes next, while another one trains, on a
// thread of its own that gives way to all others.  One job's at a time; what is ready for a job that
// does not come next after all is thrown away.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "planner/model_config.h"
#include "trainer/adapter/job_data.h"
#include "trainer/serve/request.h"

namespace mozgach {

class DataAhead {
 public:
  // Files of more bytes than this together are left for the job itself: what is ready takes memory,
  // some five times as much at most.
  static constexpr int64_t kMostBytes = int64_t{32} << 20;

  struct Done {
    int64_t job = 0;
    DataReport report;
    double seconds = 0;
  };

  // `tell` is called on the own thread.
  explicit DataAhead(std::function<void(const Done&)> tell);
  // Waits for what is in progress.
  ~DataAhead();

  // The base that lies in memory; null: none.  Data for other bases is not prepared.
  void SetBase(const Base* base);

  // From any thread.  Takes the place of what was asked for before.
  void Begin(PrepareRequest request);

  // The data of the job that begins now, where this is what was prepared: waits for it if it is in
  // progress.  Nothing where it is not, or could not be prepared: the job finds out why.
  std::optional<JobData> Take(const TrainRequest& request);

 private:
  struct Text {
    BaseText text;
    ModelConfig config;
  };
  void Work();
  std::optional<JobData> Prepare(const PrepareRequest& request, const Text& base) const;

  std::function<void(const Done&)> tell_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Text> base_;
  std::optional<PrepareRequest> wanted_;   // not begun yet
  std::optional<PrepareRequest> current_;  // in progress, or ready
  std::optional<JobData> ready_;           // of current_
  bool busy_ = false;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace mozgach
