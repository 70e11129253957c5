// What can be wrong among the rows alone.
#include "absl/strings/str_cat.h"
#include "registry/query.h"
#include "registry/version.h"
#include "scheduler/queries.h"
#include "scheduler/upkeep/backup.h"
#include "scheduler/upkeep/consistency_check.h"

namespace mozgach {
namespace sql = scheduler_sql;
namespace {

// Clocks of hosts that talk to one another differ by less.
constexpr auto kSkew = std::chrono::seconds(60);
constexpr char kFromBackup[] =
    "nothing of this program writes that: go back to a backup (mozgach-scheduler restore)";

// Runs `sql` and makes a finding of each row.
template <typename Describe>
absl::Status EachRow(Database& database, const char* sql, ConsistencyCheck& check,
                     Describe describe) {
  Query rows(database, sql);
  while (rows.Next()) check.findings.push_back(describe(rows));
  return rows.status();
}

Finding Problem(std::string where, std::string what, std::string advice) {
  return {Finding::Weight::kProblem, std::move(where), std::move(what), std::move(advice)};
}

absl::Status CheckReferences(Database& database, ConsistencyCheck& check) {
  return EachRow(database, sql::kBrokenReferences, check, [&](const Query& row) {
    return Problem(database.path(),
                   absl::StrCat("row ", row.Int(1), " of table ", row.Text(0),
                                " refers to a row of ", row.Text(2), " that does not exist"),
                   kFromBackup);
  });
}

absl::Status CheckJobs(Database& database, ConsistencyCheck& check) {
  RETURN_IF_ERROR(EachRow(database, sql::kRunningWithoutAttempt, check, [](const Query& row) {
    return Problem(absl::StrCat("job ", row.Int(0), " of ", row.Text(1)),
                   "runs without an open attempt: nobody will end it",
                   absl::StrCat("mozgachctl cancel ", row.Int(0), ", then submit ", row.Text(1)));
  }));
  RETURN_IF_ERROR(EachRow(database, sql::kLeasesWithoutAttempt, check, [](const Query& row) {
    return Problem(absl::StrCat("job ", row.Int(0)),
                   absl::StrCat("is leased to ", row.Text(1), ", whose attempt is over"),
                   "drain and restart that worker; the lease ends when it is silent");
  }));
  RETURN_IF_ERROR(EachRow(database, sql::kSucceededWithoutVersion, check, [](const Query& row) {
    return Problem(absl::StrCat("job ", row.Int(0), " of ", row.Text(1)),
                   "succeeded, and no row has its version",
                   absl::StrCat("submit ", row.Text(1), " again: it is trained again"));
  }));
  return EachRow(database, sql::kWrongCounts, check, [&](const Query& row) {
    return Problem(
        database.path(),
        absl::StrCat("counts ", row.Int(1), " jobs ", row.Text(0), ", there are ", row.Int(2)),
        "only /metrics and the web page are wrong; a restored backup counts from zero");
  });
}

absl::Status CheckNumbers(Database& database, ConsistencyCheck& check) {
  return EachRow(database, sql::kNumbersBehind, check, [](const Query& row) {
    return Problem(row.Text(0),
                   absl::StrCat("has ", VersionName(row.Int(1)), ", and its next version would be ",
                                VersionName(row.Int(2) + 1)),
                   "restart the scheduler: it takes note of the directories it sees");
  });
}

absl::Status CheckTimes(Database& database, WallTime now, ConsistencyCheck& check) {
  Query row(database, sql::kNewestEventTime);
  const WallTime newest = row.Next() ? FromMillis(row.Int(0)) : WallTime();
  RETURN_IF_ERROR(row.status());
  if (newest <= now + kSkew) return absl::OkStatus();
  check.findings.push_back(
      Problem("the clock of this host",
              absl::StrCat("says ", FormatTime(now), ", and an event is of ", FormatTime(newest)),
              "set the clock (is NTP on?); leases do not depend on it, back-offs and dates do"));
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckRows(Database& database, WallTime now, ConsistencyCheck& check) {
  Query contents(database, sql::kContents);
  if (contents.Next()) check.jobs = contents.Int(0);
  RETURN_IF_ERROR(contents.status());
  RETURN_IF_ERROR(CheckReferences(database, check));
  RETURN_IF_ERROR(CheckJobs(database, check));
  RETURN_IF_ERROR(CheckNumbers(database, check));
  return CheckTimes(database, now, check);
}

}  // namespace mozgach
