#include "scheduler/restoration.h"

#include "failpoint/failpoint.h"
#include "registry/query.h"
#include "scheduler/event_log.h"
#include "scheduler/queries.h"

namespace mozgach {
namespace sql = scheduler_sql;
namespace {

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

absl::StatusOr<uint64_t> Incarnation(Database& database) {
  Query row(database, sql::kIncarnation);
  if (row.Next()) return static_cast<uint64_t>(row.Int(0));
  RETURN_IF_ERROR(row.status());
  return absl::DataLossError(database.path() + " does not say which incarnation it is");
}

}  // namespace mozgach
