// A JobFeed reports changes of the selected jobs. It calls JobService.Watch on its own thread and
// calls it again when the scheduler restarts.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/mutex.h"
#include "ctl/client/connection.h"
#include "ctl/client/reconnection.h"

namespace mozgach {

class JobFeed {
 public:
  // Starts the thread. The feed ends when the scheduler is away for longer than `timeout`.
  JobFeed(Connection& connection, v1::Selector selector, Milliseconds timeout);
  // Cancels the call and joins the thread.
  ~JobFeed();
  JobFeed(const JobFeed&) = delete;
  JobFeed& operator=(const JobFeed&) = delete;

  struct News {
    std::vector<v1::Job> changed;
    // If true, `changed` holds every selected job, because Watch was called again.
    bool whole = false;
    std::string waiting;  // a sentence for the user while the scheduler is away
    std::string back;     // a sentence for the user, once, when it is back
    // Set at the end of the feed: OK if every job is over, otherwise the error.
    std::optional<absl::Status> ended;
  };

  // Returns the changes since the last call. Waits at most `timeout` for a change.
  News Next(Milliseconds timeout);

 private:
  void Run();
  // Makes one call of Watch. OK if the scheduler ended it. Sets `*answered` when a message arrives.
  grpc::Status Watch(bool* answered);
  void Take(v1::WatchResponse& response, bool whole);
  // Returns a new context with a deadline. It is already cancelled if the feed is being destroyed.
  grpc::ClientContext& NewContext();
  void ShowWaiting();
  bool Stopped();
  void End(absl::Status status);

  Connection& connection_;
  const v1::Selector selector_;
  Reconnection reconnection_;  // used only by thread_

  Mutex mutex_;
  std::condition_variable_any changed_;
  std::map<int64_t, v1::Job> news_ ABSL_GUARDED_BY(mutex_);
  bool whole_ ABSL_GUARDED_BY(mutex_) = false;
  std::string waiting_ ABSL_GUARDED_BY(mutex_);
  std::string back_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> ended_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<grpc::ClientContext> context_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;  // last, because it uses all members above
};

}  // namespace mozgach
