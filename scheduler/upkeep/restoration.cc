#include "scheduler/upkeep/restoration.h"

#include <algorithm>
#include <vector>

#include "failpoint/failpoint.h"
#include "registry/query.h"
#include "scheduler/jobs/event_log.h"
#include "scheduler/queries.h"

namespace mozgach {
namespace sql = scheduler_sql;
namespace {

// A name beyond it was never given: somebody made it up, and nothing would be left above it.
constexpr int64_t kJobMax = INT64_C(1) << 53;
constexpr char kWhy[] = "the scheduler was restored from a backup";

}  // namespace

absl::Status Restore(Database& database, WallTime now) {
  const int64_t millis = ToMillis(now);
  Transaction transaction(database);
  RETURN_IF_ERROR(transaction.status());
  RETURN_IF_ERROR(Run(database, sql::kBeginIncarnation, millis));
  RETURN_IF_ERROR(Run(database, sql::kEndEveryLeasedAttempt, millis, kWhy));
  RETURN_IF_ERROR(Run(database, sql::kRecordEveryLeasedJob, millis, kWhy));
  RETURN_IF_ERROR(Run(database, sql::kCancelLeasedJobs, millis));
  RETURN_IF_ERROR(Run(database, sql::kRequeueLeasedJobs, millis, kWhy));
  RETURN_IF_ERROR(Run(database, sql::kEndEveryLease));
  RETURN_IF_ERROR(EventLog(database).Append(
      {.time = now, .kind = "restored", .actor = "scheduler", .message = kWhy}));
  return COMMIT("scheduler.incarnation.begin", transaction);
}

absl::Status UseUpJobNumbers(Database& database, AdapterStore& adapters, const AttemptLogs& logs) {
  ASSIGN_OR_RETURN(std::vector<int64_t> jobs, logs.Jobs());
  ASSIGN_OR_RETURN(jobs.emplace_back(), adapters.HighestUnknownJob());
  int64_t highest = 0;
  for (const int64_t job : jobs) {
    if (job <= kJobMax) highest = std::max(highest, job);
  }
  if (highest == 0) return absl::OkStatus();
  RETURN_IF_ERROR(Run(database, sql::kCountJobNumbers));
  return Run(database, sql::kUseUpJobNumbers, highest);
}

absl::Status SetForgottenLogsAside(Database& database, const AttemptLogs& logs) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> jobs, logs.Jobs());
  for (const int64_t job : jobs) {
    Query row(database, sql::kLastAttemptOfJob, job);
    if (row.Next()) RETURN_IF_ERROR(logs.SetAside(job, row.Int(0)));
    RETURN_IF_ERROR(row.status());
  }
  return absl::OkStatus();
}

}  // namespace mozgach
