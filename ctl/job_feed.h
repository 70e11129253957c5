// A JobFeed is the jobs of a selection as they change: JobService.Watch on a thread of its own,
// opened anew when the scheduler restarts.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "ctl/connection.h"

namespace mozgach {

class JobFeed {
 public:
  JobFeed(Connection& connection, v1::Selector selector);
  // Hangs up.
  ~JobFeed();
  JobFeed(const JobFeed&) = delete;
  JobFeed& operator=(const JobFeed&) = delete;

  struct News {
    std::vector<v1::Job> changed;
    // Set once, when nothing more will come: OK when every job is over, otherwise why.
    std::optional<absl::Status> ended;
  };

  // What has changed since the last call; waits at most `patience` for something to change.
  News Next(Milliseconds patience);

 private:
  void Run();
  absl::Status WaitUntilUp();
  // One call of Watch; OK when the scheduler ended it.
  grpc::Status Watch();
  // Gives the call a deadline, and hangs up when the feed is being destroyed.
  grpc::ClientContext& NewContext();
  bool Stopped();
  void End(absl::Status status);

  Connection& connection_;
  const v1::Selector selector_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int64_t, v1::Job> news_;
  std::optional<absl::Status> ended_;
  bool stopped_ = false;
  std::unique_ptr<grpc::ClientContext> context_;

  std::thread thread_;  // last: it uses all the above
};

}  // namespace mozgach
