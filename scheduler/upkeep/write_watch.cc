#include "scheduler/upkeep/write_watch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/interruptible_sleep.h"
#include "common/log.h"
#include "common/write_all.h"
#include "scheduler/upkeep/backup.h"
#include "scheduler/upkeep/data_directory.h"
#include "scheduler/upkeep/database_copy.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace {

constexpr size_t kProbeBytes = 64 << 10;
constexpr int kReadShare =
    100;  // reading the database takes at most one part of the time in kReadShare

// Writes and syncs a file of the watch's own.
absl::Status WriteProbe(const fs::path& path) {
  const FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd.valid()) return SystemError(errno, absl::StrCat("write ", path.string()));
  absl::Status status = WriteAll(fd.get(), std::string(kProbeBytes, 'w'), path);
  if (status.ok() && ::fsync(fd.get()) != 0) {
    status = SystemError(errno, absl::StrCat("write ", path.string()));
  }
  ::unlink(path.c_str());
  return status;
}

}  // namespace

WriteWatch::WriteWatch(CoreExecutor& executor, const Clock& clock, Options options)
    : executor_(executor), clock_(clock), options_(std::move(options)) {
  CheckOpenFiles();  // as they are now
  failures_ = executor_.RunWithoutSync(
      [](Core& core, const Now&) { return core.state().failures_over = core.state().failures(); });
  read_at_ = clock_.SinceBoot() + options_.read_interval;  // the start has just read it
  thread_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

WriteWatch::~WriteWatch() = default;

void WriteWatch::Run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    Look();
    SleepUnlessStopped(stop, options_.interval);
  }
}

void WriteWatch::Look() {
  const Milliseconds now = clock_.SinceBoot();
  MakeWhatIsGone();
  std::string problem = FindProblem(now);
  if (!problem.empty()) {
    failed_at_ = now;
  } else if (!problem_.empty()) {
    // One write that succeeds does not end it: the next may find no room again.
    problem = now - failed_at_ < options_.quiet_before ? problem_ : WriteToDatabase();
  }
  if (problem == problem_) return;
  const bool begins = problem_.empty(), ends = problem.empty();
  if (begins) {
    began_ = now;
    spdlog::error("what the scheduler is told cannot be stored: {}", problem);
  }
  if (ends) {
    spdlog::info("what the scheduler is told can be stored again, after {} s",
                 (now - began_).count() / 1000);
  }
  Tell(problem);
  if ((begins || ends) && options_.announce) options_.announce(ends);
}

std::string WriteWatch::FindProblem(Milliseconds now) {
  const std::string failed = FailedSince();
  for (std::string found : {CheckOpenFiles(), CheckDatabase(now), CheckDisk(now)}) {
    if (!found.empty()) return found;
  }
  return failed;
}

std::string WriteWatch::FailedSince() {
  return executor_.RunWithoutSync([&](Core& core, const Now&) {
    const SchedulerState& state = core.state();
    std::string failure = state.FailureAfter(failures_);
    failures_ = state.failures();
    return failure;
  });
}

std::string WriteWatch::CheckOpenFiles() {
  for (const std::string& name :
       {std::string(kDatabaseName), absl::StrCat(kDatabaseName, "-wal"), std::string("lock")}) {
    struct stat info {};
    const bool there = ::stat((options_.data / name).c_str(), &info) == 0;
    const File file{static_cast<uint64_t>(info.st_dev), static_cast<uint64_t>(info.st_ino)};
    const auto known = open_files_.find(name);
    if (known == open_files_.end()) {
      if (there) open_files_[name] = file;
      continue;
    }
    if (there && known->second == file) continue;
    const std::string path = (options_.data / name).string();
    if (name == "lock") {
      return absl::StrCat(path, " was ", there ? "replaced" : "removed",
                          " while the scheduler runs: a second one could start on the same files; "
                          "start the scheduler again");
    }
    return absl::StrCat(path, " was ", there ? "replaced" : "removed",
                        " while the scheduler runs: what is written now is lost when it ends; "
                        "stop it, ",
                        HowDatabaseComesBack(options_.data));
  }
  return "";
}

std::string WriteWatch::CheckDisk(Milliseconds now) {
  if (now < probe_at_ && disk_problem_.empty() && problem_.empty()) return "";
  probe_at_ = now + options_.probe_interval;
  absl::Status status = WriteProbe(options_.data / kWriteProbeName);
  // It may be another file system.
  if (status.ok()) status = WriteProbe(options_.data / "blobs" / kWriteProbeName);
  if (status.ok()) {
    status = executor_.RunWithoutSync(
        [](Core& core, const Now&) { return core.state().blobs.CheckRoom(0); });
  }
  disk_problem_ = std::string(status.message());
  return disk_problem_;
}

std::string WriteWatch::CheckDatabase(Milliseconds now) {
  if (now < read_at_) return damage_;
  const auto start = std::chrono::steady_clock::now();
  absl::Status status = absl::OkStatus();
  if (const auto database = Database::OpenToRead((options_.data / kDatabaseName).string());
      database.ok()) {
    status = CheckQuickly(**database);
  } else {
    status = database.status();
  }
  const auto took =
      std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - start);
  read_at_ = now + std::max(options_.read_interval, took * kReadShare);
  damage_ = absl::IsDataLoss(status) ? std::string(status.message()) : "";
  return damage_;
}

void WriteWatch::MakeWhatIsGone() {
  for (const auto& [path, make] : options_.kept) {
    if (Exists(path) || !Exists(options_.data)) continue;
    const absl::Status made = make();
    if (made.ok()) {
      spdlog::warn(
          "{} was removed while the scheduler runs; it is made again, `mozgachctl doctor` "
          "says what was lost with it",
          path.string());
    }
  }
}

std::string WriteWatch::WriteToDatabase() {
  return executor_.RunWithoutSync([](Core& core, const Now&) {
    return std::string(WriteNothingNew(core.state().database).message());
  });
}

void WriteWatch::Tell(const std::string& problem) {
  executor_.RunWithoutSync([&](Core& core, const Now&) {
    SchedulerState& state = core.state();
    if (state.write_problem.empty()) ++state.counters.write_problems;
    state.write_problem = problem;
    if (problem.empty()) state.failures_over = failures_;
    return 0;
  });
  problem_ = problem;
}

}  // namespace mozgach
