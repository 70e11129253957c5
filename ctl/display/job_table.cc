#include "ctl/display/job_table.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace mozgach {
namespace {

constexpr std::array<const char*, 5> kStates = {"running", "failed", "queued", "cancelled",
                                                "succeeded"};

Tone ToneOf(const v1::Job& job) {
  if (job.state() == "succeeded") return Tone::kGood;
  if (job.state() == "failed") return Tone::kBad;
  if (job.state() == "running") return Tone::kActive;
  if (job.state() == "cancelled") return Tone::kFaint;
  return Tone::kPlain;
}

std::string Steps(const v1::Job& job) {
  return job.steps() > 0 ? absl::StrCat(job.step(), "/", job.steps()) : "";
}

std::string Loss(const v1::Job& job) {
  return job.has_loss() ? absl::StrFormat("%.4f", job.loss()) : "";
}

std::string EvalLoss(const v1::Job& job) {
  return job.has_eval_loss() ? absl::StrFormat("%.4f", job.eval_loss()) : "";
}

std::string Note(const v1::Job& job) {
  if (job.state() == "succeeded") return job.version();
  if (job.state() == "running") {
    if (job.cancel_requested()) return "being cancelled";
    std::string note = job.phase();
    if (job.attempt() > 1) absl::StrAppend(&note, ", attempt ", job.attempt());
    if (!job.reason().empty()) absl::StrAppend(&note, ", ", job.reason());
    return note;
  }
  return job.reason();
}

}  // namespace

bool IsOver(const v1::Job& job) {
  return job.state() == "succeeded" || job.state() == "failed" || job.state() == "cancelled";
}

Table JobTable(const std::vector<v1::Job>& jobs) {
  Table table({{.title = "JOB", .right = true},
               {.title = "DOMAIN", .least = 10},
               {.title = "STATE"},
               {.title = "STEP", .right = true, .rank = 1},
               {.title = "LOSS", .right = true, .rank = 3},
               {.title = "EVAL", .right = true, .rank = 4},
               {.title = "TOKENS/S", .right = true, .rank = 6},
               {.title = "WORKER", .least = 8, .rank = 5},
               {.title = "NOTE", .least = 10, .wanted = 40, .rank = 2}});
  for (const v1::Job& job : jobs) {
    const bool runs = job.state() == "running" && job.tokens_per_second() > 0;
    table.AddRow({absl::StrCat(job.job()),
                  job.domain(),
                  {job.state(), ToneOf(job)},
                  Steps(job),
                  Loss(job),
                  EvalLoss(job),
                  runs ? absl::StrFormat("%.0f", job.tokens_per_second()) : "",
                  job.worker(),
                  Note(job)});
  }
  return table;
}

std::string Summary(const std::vector<v1::Job>& jobs) {
  std::map<std::string, int> counts;
  for (const v1::Job& job : jobs) ++counts[job.state()];
  std::vector<std::string> parts;
  for (const char* state : kStates) {
    if (counts[state] > 0) parts.push_back(absl::StrCat(counts[state], " ", state));
  }
  return absl::StrCat(jobs.size(), jobs.size() == 1 ? " job" : " jobs", parts.empty() ? "" : ": ",
                      absl::StrJoin(parts, ", "));
}

std::vector<v1::Job> ByUrgency(std::vector<v1::Job> jobs) {
  const auto urgency = [](const v1::Job& job) {
    return std::find(kStates.begin(), kStates.end(), job.state()) - kStates.begin();
  };
  std::stable_sort(jobs.begin(), jobs.end(), [&](const v1::Job& a, const v1::Job& b) {
    return std::make_tuple(urgency(a), a.job()) < std::make_tuple(urgency(b), b.job());
  });
  return jobs;
}

std::string OneLine(const v1::Job& job) {
  std::string line = absl::StrCat(job.domain(), ": ", job.state());
  if (!Steps(job).empty()) absl::StrAppend(&line, ", step ", Steps(job));
  if (job.has_loss()) absl::StrAppend(&line, ", loss ", Loss(job));
  if (job.has_eval_loss()) absl::StrAppend(&line, ", validation loss ", EvalLoss(job));
  if (job.state() == "running") absl::StrAppend(&line, ", on ", job.worker());
  if (!Note(job).empty()) absl::StrAppend(&line, ", ", Note(job));
  return Clip(line, 0);
}

std::string Ago(const std::string& time, absl::Time now) {
  absl::Time then;
  if (!absl::ParseTime(absl::RFC3339_full, time, &then, nullptr)) return time;
  // The clocks of two hosts differ slightly, so the difference may be negative.
  const int64_t seconds = std::max<int64_t>(0, absl::ToInt64Seconds(now - then));
  if (seconds < 120) return absl::StrCat(seconds, " s ago");
  if (seconds < 2 * 3600) return absl::StrCat(seconds / 60, " min ago");
  if (seconds < 48 * 3600) return absl::StrCat(seconds / 3600, " h ago");
  return absl::StrCat(seconds / 86400, " d ago");
}

}  // namespace mozgach
