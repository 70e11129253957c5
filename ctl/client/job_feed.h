// A JobFeed is the jobs of a selection as they change: JobService.Watch on a thread of its own,
// called again when the scheduler restarts.
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
  // `timeout`: how long the scheduler may be away before the feed ends.
  JobFeed(Connection& connection, v1::Selector selector, Milliseconds timeout);
  // Hangs up.
  ~JobFeed();
  JobFeed(const JobFeed&) = delete;
  JobFeed& operator=(const JobFeed&) = delete;

  struct News {
    std::vector<v1::Job> changed;
    // `changed` holds every selected job: the scheduler has been asked again.
    bool whole = false;
    std::string waiting;  // while the scheduler is away: a sentence for people
    std::string back;     // once, when it has come back: a sentence for people
    // Set once, when nothing more will come: OK when every job is over, otherwise why.
    std::optional<absl::Status> ended;
  };

  // What has changed since the last call; waits at most `timeout` for something to change.
  News Next(Milliseconds timeout);

 private:
  void Run();
  // One call of Watch; OK when the scheduler ended it.  `*answered`: it brought something.
  grpc::Status Watch(bool* answered);
  void Take(v1::WatchResponse& response, bool whole);
  // Gives the call a deadline, and hangs up when the feed is being destroyed.
  grpc::ClientContext& NewContext();
  void ShowWaiting();
  bool Stopped();
  void End(absl::Status status);

  Connection& connection_;
  const v1::Selector selector_;
  Reconnection reconnection_;  // used by the thread only

  Mutex mutex_;
  std::condition_variable_any changed_;
  std::map<int64_t, v1::Job> news_ ABSL_GUARDED_BY(mutex_);
  bool whole_ ABSL_GUARDED_BY(mutex_) = false;
  std::string waiting_ ABSL_GUARDED_BY(mutex_);
  std::string back_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> ended_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<grpc::ClientContext> context_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;  // last: it uses all the above
};

}  // namespace mozgach
