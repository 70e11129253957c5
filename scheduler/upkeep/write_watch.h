// The WriteWatch finds out whether the scheduler can store what it is told, and says so: to /health
// and /metrics (SchedulerState::write_problem), to the gRPC health service, and in the log, one
// line when a problem begins and one when it ends.
//
// Once a second it looks at what has failed since, at the files that the scheduler holds open, and
// at the disk.  Now and then it writes a small file of its own; it reads the whole database too, on
// a connection of its own and for no more than a hundredth of the time.  It makes again what
// somebody removed by hand and every start makes.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "scheduler/executor/core_executor.h"

namespace mozgach {

class WriteWatch {
 public:
  struct Options {
    std::filesystem::path data;
    // A path that is always there while the scheduler runs, and how to make it again.
    std::vector<std::pair<std::filesystem::path, std::function<absl::Status()>>> kept;
    // Called when a problem begins (false) and ends (true), on the watch's thread.
    std::function<void(bool can_write)> announce;
    Milliseconds interval{1000};
    Milliseconds probe_interval{10'000};  // between test files; during a problem: interval
    Milliseconds read_interval{10'000};   // at least, between reads of the database
    Milliseconds quiet_before{2'500};     // without a failure, before a problem is over
  };

  // The executor outlives it.
  WriteWatch(CoreExecutor& executor, const Clock& clock, Options options);
  ~WriteWatch();

 private:
  struct File {
    uint64_t device = 0;
    uint64_t inode = 0;

    bool operator==(const File&) const = default;
  };

  void Run(std::stop_token stop);
  void Look();
  // Why something cannot be stored; empty: nothing is known against it.
  std::string FindProblem(Milliseconds now);
  // What has failed since the last look.
  std::string FailedSince();
  std::string CheckOpenFiles();
  std::string CheckDisk(Milliseconds now);
  std::string CheckDatabase(Milliseconds now);
  void MakeWhatIsGone();
  // A transaction of its own, before a problem counts as over.
  std::string WriteToDatabase();
  void Tell(const std::string& problem);

  CoreExecutor& executor_;
  const Clock& clock_;
  const Options options_;
  std::map<std::string, File> open_files_;  // by name in the data directory
  SchedulerState::Failures failures_;       // as of the last look
  std::string problem_;
  std::string damage_;  // what the last reading of the database found
  Milliseconds began_{0};
  Milliseconds failed_at_{0};
  Milliseconds probe_at_{0};
  Milliseconds read_at_{0};
  std::string disk_problem_;
  std::jthread thread_;
};

}  // namespace mozgach
