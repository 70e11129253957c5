#include "scheduler/upkeep/row_collector.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "failpoint/failpoint.h"
#include "registry/query.h"
#include "registry/version.h"
#include "scheduler/jobs/event_log.h"
#include "scheduler/queries.h"

namespace mozgach {
namespace sql = scheduler_sql;
namespace {

constexpr int64_t kDomainsInOneStep = 200;
constexpr int64_t kVersionsInOneStep = 20;
constexpr int64_t kJobsInOneStep = 500;
constexpr int64_t kEventsInOneStep = 1000;

struct OldVersion {
  int64_t number, job, attempt, bytes;
};

struct OldJob {
  int64_t job;
  std::string domain, state;
  WallTime finished;
};

absl::StatusOr<std::vector<OldVersion>> Superseded(Database& database, const std::string& domain,
                                                   int64_t kept) {
  std::vector<OldVersion> versions;
  Query rows(database, sql::kSupersededVersions, domain, kept, kVersionsInOneStep);
  while (rows.Next()) {
    versions.push_back({rows.Int(0), rows.Int(1), rows.Int(2), rows.Int(3)});
  }
  RETURN_IF_ERROR(rows.status());
  return versions;
}

absl::StatusOr<std::vector<OldJob>> OldJobs(Database& database, int64_t after, int64_t before_ms) {
  std::vector<OldJob> jobs;
  Query rows(database, sql::kOldJobs, after, after + kJobsInOneStep, before_ms);
  while (rows.Next()) {
    jobs.push_back({rows.Int(0), rows.Text(1), rows.Text(2), FromMillis(rows.Int(3))});
  }
  RETURN_IF_ERROR(rows.status());
  return jobs;
}

absl::Status RemoveJob(Database& database, int64_t job) {
  for (const char* statement :
       {sql::kRemoveJobDetails, sql::kRemoveJobDatasets, sql::kRemoveAttempts, sql::kRemoveJob}) {
    RETURN_IF_ERROR(Run(database, statement, job));
  }
  return absl::OkStatus();
}

}  // namespace

int64_t RowCollector::Before(int64_t days) const {
  return ToMillis(now_ - std::chrono::hours(24 * days));
}

absl::StatusOr<std::vector<std::string>> RowCollector::SomeDomains(Database& database,
                                                                   const std::string& after) {
  std::vector<std::string> domains;
  if (rules_.versions_kept == 0) return domains;
  Query rows(database, sql::kDomainsWithVersions, after, kDomainsInOneStep);
  while (rows.Next()) domains.push_back(rows.Text(0));
  RETURN_IF_ERROR(rows.status());
  return domains;
}

absl::StatusOr<bool> RowCollector::RemoveVersions(Database& database, const std::string& domain) {
  ASSIGN_OR_RETURN(const std::vector<OldVersion> versions,
                   Superseded(database, domain, rules_.versions_kept));
  if (versions.empty()) return false;
  Transaction transaction(database);
  RETURN_IF_ERROR(transaction.status());
  for (const OldVersion& version : versions) {
    RETURN_IF_ERROR(Run(database, sql::kRememberRemovedVersion, domain, version.number, version.job,
                        version.attempt, ToMillis(now_)));
    RETURN_IF_ERROR(Run(database, sql::kRemoveVersionFiles, domain, version.number));
    RETURN_IF_ERROR(Run(database, sql::kRemoveVersion, domain, version.number));
    RETURN_IF_ERROR(EventLog(database).Append({.time = now_,
                                               .job = version.job,
                                               .domain = domain,
                                               .attempt = version.attempt,
                                               .kind = "version_removed",
                                               .actor = "scheduler",
                                               .message = VersionName(version.number)}));
  }
  RETURN_IF_ERROR(COMMIT("scheduler.old_versions.remove", transaction));
  for (const OldVersion& version : versions) {
    collection_.Add({.kind = "version",
                     .name = absl::StrCat(domain, "@", VersionName(version.number)),
                     .why = absl::StrCat("not among the newest ", rules_.versions_kept,
                                         ", and no alias points at it"),
                     .bytes = static_cast<uint64_t>(version.bytes)});
  }
  return static_cast<int64_t>(versions.size()) == kVersionsInOneStep;
}

absl::StatusOr<int64_t> RowCollector::RemoveJobs(Database& database, int64_t after) {
  if (rules_.job_days_kept == 0) return 0;
  int64_t last = 0;
  {
    Query row(database, sql::kLastJob);
    if (row.Next()) last = row.Int(0);
    RETURN_IF_ERROR(row.status());
  }
  const int64_t next = after + kJobsInOneStep < last ? after + kJobsInOneStep : 0;
  ASSIGN_OR_RETURN(const std::vector<OldJob> jobs,
                   OldJobs(database, after, Before(rules_.job_days_kept)));
  if (jobs.empty()) return next;
  Transaction transaction(database);
  RETURN_IF_ERROR(transaction.status());
  for (const OldJob& job : jobs) RETURN_IF_ERROR(RemoveJob(database, job.job));
  RETURN_IF_ERROR(COMMIT("scheduler.old_jobs.remove", transaction));
  for (const OldJob& job : jobs) {
    collection_.Add({.kind = "job",
                     .name = absl::StrCat(job.job, " of ", job.domain),
                     .why = absl::StrCat(job.state, " on ", FormatTime(job.finished).substr(0, 10),
                                         ", over for ", rules_.job_days_kept, " days")});
  }
  return next;
}

absl::StatusOr<int64_t> RowCollector::RemoveEvents(Database& database, int64_t after) {
  if (rules_.event_days_kept == 0) return 0;
  int64_t first = 0, last = 0;
  {
    Query row(database, sql::kEventRange);
    if (row.Next()) {
      first = row.Int(0);
      last = row.Int(1);
    }
    RETURN_IF_ERROR(row.status());
  }
  after = std::max(after, first - 1);
  const int64_t until = after + kEventsInOneStep;
  const int64_t before = Before(rules_.event_days_kept);
  int64_t count = 0;
  {
    Query row(database, sql::kOldEvents, after, until, before);
    if (row.Next()) count = row.Int(1);
    RETURN_IF_ERROR(row.status());
    // They are in the order of their times, nearly.
    if (!row.IsNull(0) && row.Int(0) >= before) return 0;
  }
  const int64_t next = until < last ? until : 0;
  if (count == 0) return next;
  Transaction transaction(database);
  RETURN_IF_ERROR(transaction.status());
  RETURN_IF_ERROR(Run(database, sql::kAllowOldEventsToGo, before));
  RETURN_IF_ERROR(Run(database, sql::kRemoveOldEvents, after, until, before));
  RETURN_IF_ERROR(Run(database, sql::kAllowOldEventsToGo, int64_t{0}));
  RETURN_IF_ERROR(COMMIT("scheduler.old_events.remove", transaction));
  collection_.Add({.kind = "event",
                   .name = absl::StrCat(count, " of ", after + 1, " to ", std::min(until, last)),
                   .why = absl::StrCat("from before ", FormatTime(FromMillis(before)).substr(0, 10),
                                       ", ", rules_.event_days_kept, " days")},
                  count);
  return next;
}

}  // namespace mozgach
