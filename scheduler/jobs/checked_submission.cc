#include "scheduler/jobs/checked_submission.h"

#include <map>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/digest.h"
#include "common/json_text.h"
#include "nlohmann/json.hpp"
#include "scheduler/jobs/job_shape.h"
#include "scheduler/jobs/submission_notices.h"

namespace mozgach {
namespace {

constexpr size_t kSpecBytesMax = 1 << 20;
constexpr int kDatasetsMax = 1000;
constexpr size_t kNameBytesMax = 4096;
constexpr int kDomainsMax = 100000;

absl::StatusOr<DomainSpec> ReadSpec(const std::string& text) {
  if (text.size() > kSpecBytesMax) return absl::InvalidArgumentError("a spec of more than 1 MiB");
  const absl::StatusOr<nlohmann::json> json = ParseJson(text);
  if (!json.ok()) return Annotate(json.status(), "its spec");
  return DomainSpecFromJson(*json);
}

absl::Status CheckDataset(const v1::Dataset& dataset) {
  if (dataset.role() != v1::Dataset::TRAIN && dataset.role() != v1::Dataset::VALIDATION &&
      dataset.role() != v1::Dataset::TEST) {
    return absl::InvalidArgumentError("a dataset without a role");
  }
  if (dataset.name().size() > kNameBytesMax) {
    return absl::InvalidArgumentError("a dataset whose name is longer than 4096 bytes");
  }
  if (!IsSha256Hex(dataset.sha256())) {
    return absl::InvalidArgumentError(
        absl::StrCat("dataset '", dataset.name(), "' has no SHA-256"));
  }
  return absl::OkStatus();
}

// As many files of each role as the spec says.
absl::Status CheckDatasets(const DomainSpec& spec, const v1::Submission& submission) {
  if (submission.datasets_size() > kDatasetsMax) {
    return absl::InvalidArgumentError("more than 1000 datasets");
  }
  std::map<int, size_t> count;
  for (const v1::Dataset& dataset : submission.datasets()) {
    RETURN_IF_ERROR(CheckDataset(dataset));
    ++count[dataset.role()];
  }
  const size_t validation = std::holds_alternative<std::string>(spec.data.validation) ? 1 : 0;
  if (count[v1::Dataset::TRAIN] != spec.data.train.size() ||
      count[v1::Dataset::VALIDATION] != validation ||
      count[v1::Dataset::TEST] != (spec.data.test.empty() ? 0u : 1u)) {
    return absl::InvalidArgumentError(
        "the datasets that came with it are not those that its `data` section names");
  }
  return absl::OkStatus();
}

RowTokens RowsOf(const v1::RowEstimate& estimate) {
  return {estimate.rows(), estimate.tokens(), estimate.longest()};
}

absl::StatusOr<CheckedSubmission> CheckSubmission(const v1::Submission& submission) {
  CheckedSubmission checked;
  ASSIGN_OR_RETURN(checked.spec, ReadSpec(submission.spec_json()));
  const absl::Status datasets = CheckDatasets(checked.spec, submission);
  if (!datasets.ok()) return Annotate(datasets, absl::StrCat("domain '", checked.spec.domain, "'"));
  const absl::Status notices = CheckNotices(submission);
  if (!notices.ok()) return Annotate(notices, absl::StrCat("domain '", checked.spec.domain, "'"));
  NewJob& job = checked.job;
  job.domain = checked.spec.domain;
  job.base = checked.spec.base;
  job.revision = checked.spec.revision;
  job.priority = checked.spec.priority;
  job.time_limit = checked.spec.TimeLimit();
  job.spec_json =
      ToJson(checked.spec).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  job.spec_digest = SpecDigest(checked.spec);
  job.datasets.assign(submission.datasets().begin(), submission.datasets().end());
  job.dataset_digest = DatasetDigest(job.datasets);
  job.memory_settings = MemorySettings(
      checked.spec, {RowsOf(submission.train_rows()), RowsOf(submission.validation_rows()),
                     RowsOf(submission.test_rows())});
  job.notices_json = NoticesJson(submission);
  job.conversations = submission.conversations();
  return checked;
}

}  // namespace

std::string DatasetDigest(const std::vector<v1::Dataset>& datasets) {
  Sha256 digest;
  std::map<int, int> order;
  for (const v1::Dataset& dataset : datasets) {
    digest.Update(
        absl::StrCat(dataset.role(), " ", order[dataset.role()]++, " ", dataset.sha256(), "\n"));
  }
  return digest.Finish();
}

absl::StatusOr<std::vector<CheckedSubmission>> CheckSubmissions(const v1::SubmitRequest& request) {
  if (request.domains_size() > kDomainsMax) {
    return absl::InvalidArgumentError("more than 100000 domains in one submit");
  }
  std::vector<CheckedSubmission> checked;
  std::map<std::string, int> places;
  for (const v1::Submission& submission : request.domains()) {
    const int place = static_cast<int>(checked.size()) + 1;
    absl::StatusOr<CheckedSubmission> one = CheckSubmission(submission);
    if (!one.ok()) return Annotate(one.status(), absl::StrCat("submission ", place));
    const auto [it, first] = places.emplace(one->job.domain, place);
    if (!first) {
      return absl::InvalidArgumentError(
          absl::StrCat("domain '", one->job.domain, "' is there twice (submissions ", it->second,
                       " and ", place, "): give one of them another name"));
    }
    checked.push_back(*std::move(one));
  }
  return checked;
}

}  // namespace mozgach
