#include "tests/invariants/invariants.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "registry/query.h"
#include "tests/invariants/version_directory.h"

namespace mozgach {
namespace {

constexpr char kJobs[] =
    "SELECT job, domain, state, attempt, version, spec_digest, dataset_digest, finished_ms "
    "FROM jobs ORDER BY job";
constexpr char kAttemptNumbers[] =
    "SELECT jobs.job, jobs.attempt, count(attempts.attempt), coalesce(max(attempts.attempt), 0), "
    "coalesce(min(attempts.attempt), 1) "
    "FROM jobs LEFT JOIN attempts ON attempts.job = jobs.job GROUP BY jobs.job "
    "HAVING jobs.attempt <> count(attempts.attempt) OR jobs.attempt <> "
    "coalesce(max(attempts.attempt), 0) OR coalesce(min(attempts.attempt), 1) <> 1";
constexpr char kOpenAttempts[] =
    "SELECT attempts.job FROM attempts JOIN jobs ON jobs.job = attempts.job "
    "WHERE attempts.state IN ('running', 'publishing') "
    "AND (jobs.state <> 'running' OR jobs.attempt <> attempts.attempt)";
constexpr char kRunningWithout[] =
    "SELECT job FROM jobs WHERE state = 'running' AND NOT EXISTS (SELECT 1 FROM attempts "
    "WHERE attempts.job = jobs.job AND attempts.attempt = jobs.attempt "
    "AND attempts.state IN ('running', 'publishing'))";
constexpr char kLeasesWithout[] =
    "SELECT job FROM leases WHERE NOT EXISTS (SELECT 1 FROM attempts "
    "WHERE attempts.job = leases.job AND attempts.attempt = leases.attempt "
    "AND attempts.worker = leases.worker AND attempts.state = 'running')";
constexpr char kAttemptsWithoutLease[] =
    "SELECT job FROM attempts WHERE state = 'running' AND NOT EXISTS (SELECT 1 FROM leases "
    "WHERE leases.job = attempts.job AND leases.attempt = attempts.attempt)";
constexpr char kSuccessWithout[] =
    "SELECT job FROM jobs WHERE state = 'succeeded' AND NOT EXISTS (SELECT 1 FROM versions "
    "JOIN attempts USING (job, attempt) WHERE versions.job = jobs.job "
    "AND versions.attempt = jobs.attempt AND versions.number = jobs.version "
    "AND versions.domain = jobs.domain AND versions.state = 'published' "
    "AND attempts.state = 'succeeded') "
    "AND NOT EXISTS (SELECT 1 FROM removed_versions WHERE removed_versions.job = jobs.job "
    "AND removed_versions.attempt = jobs.attempt AND removed_versions.number = jobs.version "
    "AND removed_versions.domain = jobs.domain)";
constexpr char kVersionsWithout[] =
    "SELECT versions.job FROM versions LEFT JOIN jobs ON jobs.job = versions.job "
    "LEFT JOIN attempts ON attempts.job = versions.job AND attempts.attempt = versions.attempt "
    "WHERE jobs.job IS NULL OR attempts.job IS NULL OR jobs.domain <> versions.domain "
    "OR NOT (versions.state = 'published' AND jobs.state = 'succeeded' "
    "OR versions.state = 'publishing' AND jobs.state = 'running' AND attempts.state = "
    "'publishing')";
constexpr char kCheckpointsOfNobody[] =
    "SELECT job FROM job_checkpoints JOIN jobs USING (job) WHERE step < 1 "
    "OR job_checkpoints.attempt > jobs.attempt OR state IN ('succeeded', 'failed', 'cancelled')";
constexpr char kVersionsTwice[] = "SELECT job FROM versions GROUP BY job HAVING count(*) > 1";
constexpr char kDigestsOfVersions[] =
    "SELECT versions.job FROM versions JOIN jobs ON jobs.job = versions.job "
    "WHERE versions.spec_digest <> jobs.spec_digest "
    "OR versions.dataset_digest <> jobs.dataset_digest";
constexpr char kIsLatest[] = "SELECT 1 FROM domains WHERE latest_job = ?1";
constexpr char kIsThereOrLater[] =
    "SELECT EXISTS (SELECT 1 FROM jobs WHERE job = ?1) "
    "OR ?1 > coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'jobs'), 0)";
constexpr char kRemovedThoughNeeded[] =
    "SELECT removed_versions.job FROM removed_versions WHERE EXISTS (SELECT 1 FROM domains "
    "WHERE domains.latest_job = removed_versions.job) OR EXISTS (SELECT 1 FROM aliases "
    "WHERE aliases.domain = removed_versions.domain AND aliases.number = removed_versions.number)";
constexpr char kBeingRemoved[] =
    "SELECT 1 FROM removed_versions WHERE domain = ?1 AND number = ?2 AND files_gone = 0";
constexpr char kTooEarly[] =
    "SELECT next.job FROM attempts AS failed JOIN attempts AS next ON next.job = failed.job "
    "AND next.attempt = failed.attempt + 1 WHERE failed.state = 'failed' "
    "AND failed.class = 'infrastructure' AND next.started_ms < failed.ended_ms + ?1";
// What is kept free for a leased job, or what its plan needs.  Jobs of one device come one after
// another: each by itself must fit.
constexpr char kReserved[] =
    "SELECT leases.job, worker, device, max(reserved_bytes, iif(device = 'cpu', cpu_bytes, "
    "gpu_bytes)) FROM leases JOIN jobs ON jobs.job = leases.job "
    "JOIN shapes ON shapes.shape = jobs.shape WHERE device <> ''";
constexpr char kEvents[] =
    "SELECT event, job, attempt, kind, actor, message FROM events WHERE event > ?1 ORDER BY event";
constexpr char kCounts[] =
    "SELECT job_counts.state FROM job_counts WHERE jobs <> "
    "(SELECT count(*) FROM jobs WHERE jobs.state = job_counts.state)";
constexpr char kVersions[] =
    "SELECT domain, number, job, attempt, spec_digest, dataset_digest, state FROM versions";
constexpr char kFiles[] =
    "SELECT path, sha256, size FROM version_files WHERE domain = ?1 AND number = ?2 ORDER BY path";
constexpr char kOpenJobs[] = "SELECT job FROM jobs WHERE state IN ('queued', 'running')";
constexpr char kAnyLease[] = "SELECT job FROM leases";
constexpr char kHalfVersions[] = "SELECT job FROM versions WHERE state <> 'published'";
constexpr char kForeignKeys[] = "SELECT rowid FROM pragma_foreign_key_check";
constexpr char kIntegrity[] = "SELECT 0 FROM pragma_integrity_check WHERE integrity_check <> 'ok'";

bool IsOver(const std::string& state) {
  return state == "succeeded" || state == "failed" || state == "cancelled";
}

std::string DirectoryName(const std::string& domain, int64_t number) {
  std::string digits = absl::StrCat(number);
  if (digits.size() < 4) digits.insert(0, 4 - digits.size(), '0');
  return absl::StrCat(domain, "/v", digits);
}

}  // namespace

std::vector<std::string> Invariants::Check(Database& database) {
  problems_.clear();
  CheckJobs(database);
  CheckAttempts(database);
  CheckBackOffs(database);
  CheckMemory(database);
  CheckEvents(database);
  CheckVersionRows(database);
  CheckDirectories(database);
  return problems_;
}

std::vector<std::string> Invariants::CheckAtRest(Database& database) {
  verified_.clear();
  Check(database);
  CheckChanges();
  CheckCounts(database);
  Forbid(database, kOpenJobs, "is not over");
  Forbid(database, kAnyLease, "is leased still");
  Forbid(database, kHalfVersions, "has a version that is half published");
  Forbid(database, kForeignKeys, "(a row) refers to what is not there");
  Forbid(database, kIntegrity, "the database is damaged");
  for (const auto& [job, publishing] : cancelled_) {
    const auto seen = jobs_.find(job);
    if (seen == jobs_.end() || seen->second.state == "cancelled") continue;
    const bool came_first = publishing != 0 && seen->second.attempt == publishing;
    if (came_first && seen->second.state == "succeeded") continue;
    Problem(absl::StrCat("the cancel of job ", job, " was confirmed, and it ", seen->second.state));
  }
  return problems_;
}

void Invariants::Forbid(Database& database, const char* sql, const std::string& what) {
  Query rows(database, sql);
  while (rows.Next()) Problem(absl::StrCat("job ", rows.Int(0), " ", what));
  if (!rows.status().ok()) Problem(std::string(rows.status().message()));
}

void Invariants::CheckJobs(Database& database) {
  std::set<int64_t> there;
  Query rows(database, kJobs);
  while (rows.Next()) {
    const int64_t job = rows.Int(0);
    Seen is{.domain = rows.Text(1),
            .state = rows.Text(2),
            .attempt = rows.Int(3),
            .version = rows.Int(4),
            .spec_digest = rows.Text(5),
            .dataset_digest = rows.Text(6),
            .finished_ms = rows.Int(7)};
    there.insert(job);
    const auto was = jobs_.find(job);
    if (was != jobs_.end()) CheckAgainstMemory(job, was->second, is);
    jobs_[job] = std::move(is);
  }
  if (!rows.status().ok()) return Problem(std::string(rows.status().message()));
  CheckGone(database, there);
  for (const int64_t job : accepted_) {
    if (there.count(job) == 0 && gone_.count(job) == 0) {
      Problem(absl::StrCat("job ", job, " was accepted and is lost"));
    }
  }
}

void Invariants::CheckGone(Database& database, const std::set<int64_t>& there) {
  for (const auto& [job, seen] : jobs_) {
    if (there.count(job) > 0) {
      if (gone_.count(job) > 0) Problem(absl::StrCat("job ", job, " had gone and is back"));
      continue;
    }
    if (gone_.count(job) > 0) continue;
    if (!IsOver(seen.state)) Problem(absl::StrCat("job ", job, " was there and is lost"));
    Query latest(database, kIsLatest, job);
    if (latest.Next()) Problem(absl::StrCat("job ", job, " is its domain's latest and is lost"));
    gone_.insert(job);
  }
}

void Invariants::CheckAgainstMemory(int64_t job, const Seen& was, const Seen& is) {
  if (was.domain != is.domain || was.spec_digest != is.spec_digest ||
      was.dataset_digest != is.dataset_digest) {
    Problem(absl::StrCat("job ", job, " is another one than before"));
  }
  if (is.attempt < was.attempt) {
    Problem(absl::StrCat("the attempts of job ", job, " went back from ", was.attempt, " to ",
                         is.attempt));
  }
  if (IsOver(was.state) && was != is) {
    Problem(absl::StrCat("job ", job, " had ", was.state, " and has changed: ", is.state));
  }
}

void Invariants::CheckAttempts(Database& database) {
  Forbid(database, kAttemptNumbers, "has attempts with a gap, or one too many");
  Forbid(database, kOpenAttempts, "has an open attempt that is not its running one");
  Forbid(database, kRunningWithout, "runs without an attempt");
  Forbid(database, kLeasesWithout, "is leased, and its attempt is over or another's");
  Forbid(database, kAttemptsWithoutLease, "has an attempt that runs without a lease");
  Forbid(database, kCheckpointsOfNobody, "has a checkpoint, and is over or had no such attempt");
}

void Invariants::CheckBackOffs(Database& database) {
  if (options_.back_off_ms == 0) return;
  Query rows(database, kTooEarly, options_.back_off_ms);
  while (rows.Next())
    Problem(absl::StrCat("job ", rows.Int(0), " was given out while it backs off"));
}

void Invariants::CheckMemory(Database& database) {
  Query rows(database, kReserved);
  while (rows.Next()) {
    const auto has = memory_.find({rows.Text(1), rows.Text(2)});
    if (has == memory_.end() || rows.Int(3) <= has->second) continue;
    Problem(absl::StrCat("job ", rows.Int(0), " has ", rows.Int(3), " bytes of ", rows.Text(1), " ",
                         rows.Text(2), ", which has ", has->second));
  }
}

void Invariants::CheckEvents(Database& database) {
  Query rows(database, kEvents, last_event_);
  while (rows.Next()) {
    last_event_ = rows.Int(0);
    const int64_t job = rows.Int(1);
    const int64_t attempt = rows.Int(2);
    const std::string kind = rows.Text(3);
    if (kind == "drain_asked") draining_.insert(rows.Text(5));
    if (kind == "drain_undone") draining_.erase(rows.Text(5));
    if (kind == "claimed") {
      if (draining_.count(rows.Text(4)) > 0) {
        Problem(absl::StrCat("job ", job, " was given to ", rows.Text(4), ", which drains"));
      }
      if (attempt != claimed_[job] + 1) {
        Problem(absl::StrCat("job ", job, " was given out as attempt ", attempt, " after attempt ",
                             claimed_[job]));
      }
      if (over_.count(job) > 0) Problem(absl::StrCat("job ", job, " was given out, though over"));
      claimed_[job] = attempt;
    }
    const bool ends = kind == "published" || kind == "failed" || kind == "cancelled" ||
                      kind == "lease_lost, failed";
    if (ends && !over_.insert(job).second) {
      Problem(absl::StrCat("job ", job, " ended twice; the second time it was ", kind));
    }
  }
}

void Invariants::CheckVersionRows(Database& database) {
  Forbid(database, kSuccessWithout, "succeeded without its version");
  Forbid(database, kVersionsWithout, "has a version that it did not publish");
  Forbid(database, kVersionsTwice, "has two versions");
  Forbid(database, kDigestsOfVersions, "has a version of something else");
  Forbid(database, kRemovedThoughNeeded, "had its version removed, which is needed");
}

// Two of one change: nothing else was asked for between them.
void Invariants::CheckChanges() {
  struct Published {
    int64_t job;
    std::string change;
  };
  std::map<std::string, Published> last;  // by domain; forgotten when something else is asked for
  for (const auto& [job, seen] : jobs_) {
    const std::string change = seen.spec_digest + seen.dataset_digest;
    const auto earlier = last.find(seen.domain);
    const bool same = earlier != last.end() && earlier->second.change == change;
    if (earlier != last.end() && !same) last.erase(earlier);
    if (seen.state != "succeeded") continue;
    if (same) {
      Problem(absl::StrCat("job ", job, " published a change that job ", last[seen.domain].job,
                           " had published"));
    }
    last[seen.domain] = {job, change};
  }
}

void Invariants::CheckDirectories(Database& database) {
  namespace fs = std::filesystem;
  using Row = std::tuple<int64_t, int64_t, std::string, std::string>;
  std::map<std::string, Row> rows_of;
  Query rows(database, kVersions);
  while (rows.Next()) {
    const std::string name = DirectoryName(rows.Text(0), rows.Int(1));
    rows_of[name] = {rows.Int(2), rows.Int(3), rows.Text(4), rows.Text(5)};
    if (rows.Text(6) == "published" && verified_.count(name) == 0 &&
        !fs::is_directory(registry_ / "adapters" / name)) {
      Problem(absl::StrCat(name, " is published and cannot be seen"));
    }
  }
  std::error_code error;
  for (const auto& domain : fs::directory_iterator(registry_ / "adapters", error)) {
    for (const auto& entry : fs::directory_iterator(domain.path(), error)) {
      const std::string version = entry.path().filename().string();
      if (!absl::StartsWith(version, "v") || entry.is_symlink()) continue;
      const std::string name = domain.path().filename().string() + "/" + version;
      if (verified_.count(name) > 0) continue;
      VersionDirectory found;
      const std::vector<std::string> problems = LookAt(entry.path(), &found);
      problems_.insert(problems_.end(), problems.begin(), problems.end());
      if (!problems.empty()) continue;
      const auto row = rows_of.find(name);
      if (row == rows_of.end()) {
        // Forgotten by a restore, or on its way out.  Until a row has it, it is looked at each
        // time.
        Query removed(database, kBeingRemoved, domain.path().filename().string(),
                      static_cast<int64_t>(std::stoll(version.substr(1))));
        if (!restored_ && !removed.Next())
          Problem(absl::StrCat(name, " can be seen, and nothing says why"));
        continue;
      }
      verified_.insert(name);
      if (row->second != Row{found.job, found.attempt, found.spec_digest, found.dataset_digest}) {
        Problem(absl::StrCat(name, " is not what its row says: its manifest names attempt ",
                             found.job, "-", found.attempt));
      }
      std::vector<ManifestFile> files;
      Query list(database, kFiles, found.domain,
                 static_cast<int64_t>(std::stoll(version.substr(1))));
      while (list.Next()) files.push_back({list.Text(0), list.Text(1), list.Int(2)});
      if (files != found.files) Problem(absl::StrCat(name, " has other files than its rows"));
    }
  }
}

void Invariants::CheckCounts(Database& database) {
  Query rows(database, kCounts);
  while (rows.Next()) Problem(absl::StrCat("the count of jobs ", rows.Text(0), " is wrong"));
}

void Invariants::Restored(Database& database) {
  restored_ = true;
  accepted_.clear();
  cancelled_.clear();
  // What had gone by then is still gone, and what comes later is held against it.
  std::erase_if(gone_, [&](int64_t job) {
    Query row(database, kIsThereOrLater, job);
    return row.Next() && row.Int(0) != 0;
  });
  std::erase_if(jobs_, [&](const auto& seen) { return gone_.count(seen.first) == 0; });
  claimed_.clear();
  over_.clear();
  draining_.clear();
  verified_.clear();
  last_event_ = 0;
  Check(database);
}

}  // namespace mozgach
