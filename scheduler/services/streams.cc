#include "scheduler/services/streams.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace mozgach {
namespace {

constexpr size_t kLogChunkBytes = 256 << 10;

absl::Status CheckAttempt(const Job& job, int64_t attempt) {
  if (job.attempt == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("job ", job.job, " of ", job.domain,
                     " has had no attempt yet; `mozgachctl explain ", job.job, "` says why"));
  }
  if (attempt <= job.attempt) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat("job ", job.job, " of ", job.domain, " has no attempt ",
                                          attempt, "; its latest is ", job.attempt));
}

}  // namespace

WatchStream::Step WatchStream::Next(v1::WatchResponse& response) {
  absl::StatusOr<std::vector<v1::Job>> jobs = executor_.RunWithoutSync(
      [&](Core& core, const Now& now) { return changes_.Next(core, now); });
  if (!jobs.ok()) return {.ends = true, .status = jobs.status()};
  for (v1::Job& job : *jobs) *response.add_jobs() = std::move(job);
  // The first message comes even when there is nothing: the watcher knows then.
  const bool first = !std::exchange(started_, true);
  return {.writes = first || response.jobs_size() > 0, .ends = changes_.Over()};
}

LogStream::Step LogStream::Next(v1::LogsResponse& response) {
  // Asked before reading: what was written before the attempt ended is not missed.
  if (runs_) {
    if (absl::Status status = Locate(); !status.ok()) return {.ends = true, .status = status};
  }
  absl::StatusOr<std::string> data = logs_.Read(job_, attempt_, offset_, kLogChunkBytes);
  if (!data.ok()) return {.ends = true, .status = data.status()};
  offset_ += data->size();
  if (data->empty()) return {.ends = !request_.follow() || !runs_};
  response.set_data(*std::move(data));
  return {.writes = true};
}

absl::Status LogStream::Locate() {
  return executor_.RunWithoutSync([&](Core& core, const Now&) -> absl::Status {
    if (job_ == 0) {
      ASSIGN_OR_RETURN(job_, core.FindJob(request_.job(), request_.domain()));
    }
    ASSIGN_OR_RETURN(const Job job, core.state().queue.Get(job_));
    const bool latest = request_.attempt() == 0;
    // Followed, a job that is queued again goes on in the log of its next attempt.
    const int64_t attempt = latest ? job.attempt : request_.attempt();
    if (!request_.follow() || IsTerminal(job.state)) RETURN_IF_ERROR(CheckAttempt(job, attempt));
    if (attempt != attempt_ && attempt_ != 0) offset_ = 0;
    attempt_ = attempt;
    runs_ =
        latest ? !IsTerminal(job.state) : job.attempt == attempt && job.state == JobState::kRunning;
    return absl::OkStatus();
  });
}

}  // namespace mozgach
