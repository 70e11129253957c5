#include "scheduler/jobs/queue.h"

#include "absl/strings/str_cat.h"
#include "registry/query.h"
#include "scheduler/jobs/base_key.h"
#include "scheduler/queries.h"

namespace mozgach {
namespace sql = scheduler_sql;
namespace {

// The JSON of an Offer without bases.
constexpr char kNoBases[] = "{}";

Job JobFrom(const Query& row) {
  Job job;
  job.job = row.Int(0);
  job.domain = row.Text(1);
  job.state = JobStateFrom(row.Text(2));
  job.base = row.Text(3);
  job.base_key = row.Text(4);
  job.priority = row.Int(5);
  job.ready = row.Int(6) != 0;
  job.not_before = FromMillis(row.Int(7));
  job.attempt = row.Int(8);
  job.failures = row.Int(9);
  job.disturbances = row.Int(10);
  job.cancel_requested = row.Int(11) != 0;
  job.failure_class = row.Text(12);
  job.reason = row.Text(13);
  job.retry_of = row.Int(14);
  job.version = row.Int(15);
  job.spec_digest = row.Text(16);
  job.dataset_digest = row.Text(17);
  job.created = FromMillis(row.Int(18));
  job.queued = FromMillis(row.Int(19));
  job.started = FromMillis(row.Int(20));
  job.finished = FromMillis(row.Int(21));
  job.shape = row.Int(22);
  job.time_limit = Milliseconds(row.Int(23));
  return job;
}

absl::StatusOr<std::vector<int64_t>> NumbersFrom(Query& rows) {
  std::vector<int64_t> numbers;
  while (rows.Next()) numbers.push_back(rows.Int(0));
  RETURN_IF_ERROR(rows.status());
  return numbers;
}

}  // namespace

absl::StatusOr<int64_t> Queue::Insert(WallTime now, const NewJob& job, int64_t shape) {
  RETURN_IF_ERROR(Run(database_, sql::kInsertJob, job.domain, job.base,
                      BaseKey(job.base, job.revision), job.priority, job.retry_of, job.spec_digest,
                      job.dataset_digest, ToMillis(now), shape, job.time_limit.count()));
  const int64_t number = database_.LastInsertedRow();
  RETURN_IF_ERROR(Run(database_, sql::kInsertDetails, number, job.spec_json, job.notices_json,
                      job.conversations));
  int position = 0;
  for (const v1::Dataset& dataset : job.datasets) {
    RETURN_IF_ERROR(Run(database_, sql::kInsertDataset, number, position++,
                        static_cast<int>(dataset.role()), dataset.name(), dataset.sha256(),
                        dataset.size()));
  }
  RETURN_IF_ERROR(Run(database_, sql::kPointDomain, job.domain, number));
  return number;
}

absl::StatusOr<Job> Queue::Get(int64_t job) {
  Query row(database_, sql::kJob, job);
  if (row.Next()) return JobFrom(row);
  RETURN_IF_ERROR(row.status());
  return absl::NotFoundError(absl::StrCat("there is no job ", job));
}

absl::StatusOr<std::optional<int64_t>> Queue::LatestOf(const std::string& domain) {
  Query row(database_, sql::kLatestJob, domain);
  if (row.Next()) return std::optional<int64_t>(row.Int(0));
  RETURN_IF_ERROR(row.status());
  return std::optional<int64_t>();
}

absl::StatusOr<std::vector<int64_t>> Queue::Latest() { return Numbers(sql::kLatestJobs); }

absl::StatusOr<std::vector<int64_t>> Queue::Every() { return Numbers(sql::kEveryJob); }

absl::StatusOr<std::vector<int64_t>> Queue::Running() { return Numbers(sql::kRunningJobs); }

absl::StatusOr<std::vector<int64_t>> Queue::Numbers(const char* sql) {
  Query rows(database_, sql);
  return NumbersFrom(rows);
}

absl::StatusOr<std::vector<int64_t>> Queue::OfDomain(const std::string& domain) {
  Query rows(database_, sql::kJobsOfDomain, domain);
  return NumbersFrom(rows);
}

absl::StatusOr<std::vector<v1::Dataset>> Queue::Datasets(int64_t job) {
  std::vector<v1::Dataset> datasets;
  Query rows(database_, sql::kDatasets, job);
  while (rows.Next()) {
    v1::Dataset& dataset = datasets.emplace_back();
    dataset.set_role(static_cast<v1::Dataset::Role>(rows.Int(0)));
    dataset.set_name(rows.Text(1));
    dataset.set_sha256(rows.Text(2));
    dataset.set_size(static_cast<uint64_t>(rows.Int(3)));
  }
  RETURN_IF_ERROR(rows.status());
  return datasets;
}

absl::StatusOr<Queue::Details> Queue::GetDetails(int64_t job) {
  Query row(database_, sql::kDetails, job);
  if (row.Next()) return Details{row.Text(0), row.Text(1), row.Text(2), row.Int(3) != 0};
  RETURN_IF_ERROR(row.status());
  return absl::NotFoundError(absl::StrCat("there is no job ", job));
}

absl::Status Queue::Pin(int64_t job, const std::string& pinned_json) {
  return Run(database_, sql::kPin, job, pinned_json);
}

absl::Status Queue::UpdateSpec(int64_t job, const NewJob& job_terms, bool terminal) {
  RETURN_IF_ERROR(Run(database_, sql::kUpdateSpec, job, job_terms.spec_json));
  if (terminal) return absl::OkStatus();
  return Run(database_, sql::kUpdateTerms, job, job_terms.priority, job_terms.time_limit.count());
}

absl::Status Queue::UpdateNotices(int64_t job, const NewJob& job_terms) {
  return Run(database_, sql::kUpdateNotices, job, job_terms.notices_json, job_terms.conversations);
}

absl::StatusOr<std::optional<int64_t>> Queue::Claim(WallTime now, const Offer& offer) {
  ASSIGN_OR_RETURN(const std::optional<Waiting> best, Best(offer));
  if (!best.has_value()) return std::optional<int64_t>();
  ASSIGN_OR_RETURN(const bool claimed,
                   RunGuarded(database_, sql::kClaim, best->job, ToMillis(now)));
  if (!claimed)
    return absl::InternalError(absl::StrCat("job ", best->job, " does not wait any more"));
  return std::optional<int64_t>(best->job);
}

absl::StatusOr<std::optional<Queue::Waiting>> Queue::Best(const Offer& offer) {
  std::optional<Waiting> best;
  // From the nearest base to the farthest: at the same priority, what was found before stays.
  for (const std::string* bases : {&offer.loaded, &offer.here, &offer.to_fetch}) {
    if (*bases == kNoBases) continue;
    std::optional<Waiting> nearest;
    Query rows(database_, sql::kHeadsWaiting, *bases, offer.cpu);
    while (rows.Next()) {
      Waiting head{rows.Int(0), rows.Int(1), FromMillis(rows.Int(2)), rows.Text(3), rows.Int(4)};
      const bool better = !nearest.has_value() || head.priority > nearest->priority ||
                          (head.priority == nearest->priority && head.job < nearest->job);
      if (better) nearest = std::move(head);
    }
    RETURN_IF_ERROR(rows.status());
    if (!nearest.has_value()) continue;
    if (!best.has_value() || nearest->priority > best->priority) best = std::move(nearest);
  }
  return best;
}

absl::StatusOr<std::optional<Queue::NeedsRange>> Queue::NeedsWaiting(const std::string& base_key) {
  std::optional<NeedsRange> needs;
  Query row(database_, sql::kNeedsWaiting, base_key);
  if (row.Next() && !row.IsNull(0)) {
    needs = NeedsRange{row.Int(0), row.Int(1), row.Int(2), row.Int(3)};
  }
  RETURN_IF_ERROR(row.status());
  return needs;
}

absl::StatusOr<std::vector<int64_t>> Queue::FromBefore(int64_t limit) {
  Query rows(database_, sql::kJobsFromBefore, limit);
  return NumbersFrom(rows);
}

absl::Status Queue::SetShape(int64_t job, int64_t shape) {
  return Run(database_, sql::kSetShape, job, shape);
}

absl::StatusOr<bool> Queue::Requeue(WallTime now, const Job& job) {
  const bool ready = job.not_before <= now;
  return RunGuarded(database_, sql::kRequeue, job.job, job.attempt, ready, ToMillis(job.not_before),
                    ToMillis(now), job.failures, job.disturbances, job.failure_class, job.reason);
}

absl::StatusOr<bool> Queue::End(WallTime now, const Job& job, JobState end) {
  if (!IsTerminal(end) || !MayBecome(job.state, end)) {
    return absl::FailedPreconditionError(
        absl::StrCat("job ", job.job, " is ", Name(job.state), " and may not become ", Name(end)));
  }
  return RunGuarded(database_, sql::kEndJob, job.job, job.attempt, Name(end), ToMillis(now),
                    job.failures, job.failure_class, job.reason, job.version, Name(job.state));
}

absl::StatusOr<bool> Queue::RequestCancel(int64_t job, const std::string& reason) {
  return RunGuarded(database_, sql::kRequestCancel, job, reason);
}

absl::StatusOr<std::vector<std::string>> Queue::WakeDue(WallTime now, WallTime latest) {
  std::vector<std::string> base_keys;
  Query rows(database_, sql::kWakeDue, ToMillis(now), ToMillis(latest));
  while (rows.Next()) base_keys.push_back(rows.Text(1));
  RETURN_IF_ERROR(rows.status());
  return base_keys;
}

absl::StatusOr<std::optional<WallTime>> Queue::NextDue() {
  Query row(database_, sql::kNextDue);
  if (row.Next() && !row.IsNull(0)) return std::optional<WallTime>(FromMillis(row.Int(0)));
  RETURN_IF_ERROR(row.status());
  return std::optional<WallTime>();
}

absl::StatusOr<int64_t> Queue::Count(JobState state) {
  Query rows(database_, sql::kJobCounts);
  while (rows.Next()) {
    if (rows.Text(0) == Name(state)) return rows.Int(1);
  }
  RETURN_IF_ERROR(rows.status());
  return 0;
}

}  // namespace mozgach
