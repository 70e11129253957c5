#include "scheduler/jobs/staged_submission.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "failpoint/failpoint.h"
#include "registry/query.h"
#include "scheduler/queries.h"

namespace mozgach {
namespace sql = scheduler_sql;
namespace {

constexpr size_t kDomainsInPart = 200;
constexpr size_t kDatasetsInPart = 400;
constexpr size_t kSpecBytesInPart = 1 << 20;

}  // namespace

bool StagedSubmission::Names(const std::set<std::string>& domains) const {
  const size_t queued = next_part == 0 ? 0 : part_ends[next_part - 1];
  return std::any_of(
      checked.begin() + static_cast<std::ptrdiff_t>(queued), checked.end(),
      [&](const CheckedSubmission& checked) { return domains.count(checked.job.domain) > 0; });
}

absl::Status StagedSubmissions::Recover() {
  Transaction transaction(database_);
  RETURN_IF_ERROR(transaction.status());
  RETURN_IF_ERROR(Run(database_, sql::kRemoveUnacceptedSubmissions));
  if (database_.Changes() > 0) RETURN_IF_ERROR(COMMIT("scheduler.submission.recover", transaction));
  std::vector<std::pair<int64_t, std::string>> rows;
  {
    Query accepted(database_, sql::kAcceptedSubmissions);
    while (accepted.Next()) rows.emplace_back(accepted.Int(0), accepted.Text(1));
    RETURN_IF_ERROR(accepted.status());
  }
  for (const auto& [submission, actor] : rows) {
    ASSIGN_OR_RETURN(StagedSubmission staged, Read(submission));
    staged.actor = actor;
    staged.abandoned = true;
    accepted_.emplace(submission, std::move(staged));
  }
  return absl::OkStatus();
}

absl::StatusOr<StagedSubmission> StagedSubmissions::Read(int64_t submission) {
  StagedSubmission staged;
  Query parts(database_, sql::kSubmissionParts, submission);
  while (parts.Next()) {
    // Parts that were queued are gone: those that are left keep their numbers.
    const size_t part = static_cast<size_t>(parts.Int(0));
    if (staged.part_ends.empty()) staged.next_part = part;
    staged.part_ends.resize(part, staged.checked.size());
    v1::SubmitRequest request;
    absl::StatusOr<std::vector<CheckedSubmission>> checked =
        request.ParseFromString(parts.Text(1)) ? CheckSubmissions(request)
                                               : absl::DataLossError("it is not a SubmitRequest");
    if (!checked.ok()) {
      // It was checked when it was accepted: by another release, or the database is damaged.
      spdlog::error(
          "cannot queue part {} of the submission {} that was accepted before: {}; "
          "submit its domains again",
          part, submission, std::string(checked.status().message()));
      checked = std::vector<CheckedSubmission>();
    }
    std::move(checked->begin(), checked->end(), std::back_inserter(staged.checked));
    staged.part_ends.push_back(staged.checked.size());
  }
  RETURN_IF_ERROR(parts.status());
  return staged;
}

absl::StatusOr<int64_t> StagedSubmissions::Begin(const std::string& actor) {
  Transaction transaction(database_);
  RETURN_IF_ERROR(transaction.status());
  RETURN_IF_ERROR(Run(database_, sql::kBeginSubmission, actor));
  const int64_t submission = database_.LastInsertedRow();
  RETURN_IF_ERROR(COMMIT("scheduler.submission.begin", transaction));
  return submission;
}

absl::Status StagedSubmissions::Add(int64_t submission, size_t part,
                                    const v1::SubmitRequest& request) {
  Transaction transaction(database_);
  RETURN_IF_ERROR(transaction.status());
  RETURN_IF_ERROR(Run(database_, sql::kInsertSubmissionPart, submission, static_cast<int64_t>(part),
                      request.SerializeAsString()));
  return COMMIT("scheduler.submission.add", transaction);
}

absl::Status StagedSubmissions::Accept(int64_t submission, StagedSubmission staged) {
  Transaction transaction(database_);
  RETURN_IF_ERROR(transaction.status());
  ASSIGN_OR_RETURN(const bool known, RunGuarded(database_, sql::kAcceptSubmission, submission));
  if (!known) return absl::InternalError(absl::StrCat("there is no submission ", submission));
  RETURN_IF_ERROR(COMMIT("scheduler.submission.accept", transaction));
  accepted_.emplace(submission, std::move(staged));
  return absl::OkStatus();
}

absl::Status StagedSubmissions::Drop(int64_t submission) {
  Transaction transaction(database_);
  RETURN_IF_ERROR(transaction.status());
  RETURN_IF_ERROR(Run(database_, sql::kRemoveSubmission, submission));
  return COMMIT("scheduler.submission.drop", transaction);
}

StagedSubmission* StagedSubmissions::Find(int64_t submission) {
  const auto found = accepted_.find(submission);
  return found == accepted_.end() ? nullptr : &found->second;
}

int64_t StagedSubmissions::FirstThatNames(const std::set<std::string>& domains) const {
  for (const auto& [submission, staged] : accepted_) {
    if (staged.Names(domains)) return submission;
  }
  return 0;
}

int64_t StagedSubmissions::FirstAbandoned() const {
  for (const auto& [submission, staged] : accepted_) {
    if (staged.abandoned) return submission;
  }
  return 0;
}

absl::Status StagedSubmissions::RemoveNextPart(int64_t submission) {
  const StagedSubmission& staged = accepted_.at(submission);
  RETURN_IF_ERROR(Run(database_, sql::kRemoveSubmissionPart, submission,
                      static_cast<int64_t>(staged.next_part)));
  const bool last = staged.next_part + 1 >= staged.part_ends.size();
  return last ? Run(database_, sql::kRemoveSubmission, submission) : absl::OkStatus();
}

std::vector<size_t> PartEnds(absl::Span<const CheckedSubmission> submissions) {
  std::vector<size_t> ends;
  size_t domains = 0, datasets = 0, bytes = 0;
  for (size_t i = 0; i < submissions.size(); ++i) {
    const NewJob& job = submissions[i].job;
    const bool full = domains + 1 > kDomainsInPart ||
                      datasets + job.datasets.size() > kDatasetsInPart ||
                      bytes + job.spec_json.size() > kSpecBytesInPart;
    if (domains > 0 && full) {
      ends.push_back(i);
      domains = datasets = bytes = 0;
    }
    ++domains;
    datasets += job.datasets.size();
    bytes += job.spec_json.size();
  }
  if (!submissions.empty()) ends.push_back(submissions.size());
  return ends;
}

}  // namespace mozgach
