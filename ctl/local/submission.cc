#include "ctl/local/submission.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/dataset/dataset.h"
#include "common/digest.h"
#include "common/domain/domain_spec.h"
#include "ctl/local/plan_data.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {
namespace fs = std::filesystem;

constexpr size_t kMaxProblems = 100;

// Checks a dataset; a file that several domains share is read once per format.
class DatasetReader {
 public:
  absl::StatusOr<DatasetFile> Read(const fs::path& path, const std::string& format) {
    const auto [known, is_new] = results_.try_emplace({path, format}, DatasetFile());
    if (is_new) known->second = Check(path, format);
    return known->second;
  }

 private:
  static absl::StatusOr<DatasetFile> Check(const fs::path& path, const std::string& format) {
    ASSIGN_OR_RETURN(const RowFormat row_format, ParseRowFormat(format));
    DatasetFile file;
    file.path = path;
    ASSIGN_OR_RETURN(file.sha256, Sha256OfFile(path));
    ASSIGN_OR_RETURN(const Dataset dataset, ReadDataset(path, row_format));
    file.rows = EstimateRows(dataset.rows, INT64_MAX, INT64_MAX);
    file.facts = std::make_shared<const DatasetFacts>(FactsOf(dataset));
    // The digest must be that of the rows that were checked.
    ASSIGN_OR_RETURN(const std::string after, Sha256OfFile(path));
    if (after != file.sha256) {
      return absl::FailedPreconditionError(
          absl::StrCat(path.string(), " changed while it was read; submit again"));
    }
    std::error_code error;
    file.size = fs::file_size(path, error);
    if (error) return SystemError(error.value(), absl::StrCat("size of ", path.string()));
    return file;
  }

  std::map<std::pair<fs::path, std::string>, absl::StatusOr<DatasetFile>> results_;
};

class SubmissionReader {
 public:
  absl::Status Add(const std::string& name) {
    ASSIGN_OR_RETURN(const DomainFile file, ReadDomainFile(name));
    const auto [first, is_new] = files_.try_emplace(file.spec.domain, name);
    if (!is_new) {
      return absl::InvalidArgumentError(absl::StrCat(name, ": domain '", file.spec.domain,
                                                     "' is that of ", first->second,
                                                     ", too; a domain is submitted once"));
    }
    v1::Submission& domain = *submission_.request.add_domains();
    domain.set_spec_json(ToJson(file.spec).dump());
    const DataSpec& data = file.spec.data;
    absl::Status problems;
    DomainFacts facts;
    for (size_t i = 0; i < file.train.size(); ++i) {
      Join(AddDataset(v1::Dataset::TRAIN, data.train[i], file.train[i], file.spec, &domain, &facts),
           &problems);
    }
    if (file.validation) {
      Join(AddDataset(v1::Dataset::VALIDATION, std::get<std::string>(data.validation),
                      *file.validation, file.spec, &domain, &facts),
           &problems);
    }
    if (file.test) {
      Join(AddDataset(v1::Dataset::TEST, data.test, *file.test, file.spec, &domain, &facts),
           &problems);
    }
    if (!problems.ok()) return problems;
    AddRows(data, &domain);
    for (const std::string& notice : DatasetNotices(file.spec, facts)) domain.add_notices(notice);
    return absl::OkStatus();
  }

  Submission Take() { return std::move(submission_); }

 private:
  static void Join(const absl::Status& status, absl::Status* problems) {
    if (status.ok()) return;
    *problems =
        problems->ok()
            ? status
            : absl::InvalidArgumentError(absl::StrCat(problems->message(), "\n", status.message()));
  }

  absl::Status AddDataset(v1::Dataset::Role role, const std::string& name, const fs::path& path,
                          const DomainSpec& spec, v1::Submission* domain, DomainFacts* facts) {
    ASSIGN_OR_RETURN(const DatasetFile file, datasets_.Read(path, spec.data.format));
    RETURN_IF_ERROR(CheckUntrainedTurns(spec, {path.string(), file.facts.get()}));
    v1::Dataset& dataset = *domain->add_datasets();
    dataset.set_role(role);
    dataset.set_name(name);
    dataset.set_sha256(file.sha256);
    dataset.set_size(file.size);
    submission_.datasets.emplace(file.sha256, file);
    const NamedFacts named{name, file.facts.get()};  // lives as long as datasets_
    if (role == v1::Dataset::TRAIN) facts->train.push_back(named);
    if (role == v1::Dataset::VALIDATION) facts->validation = named;
    if (role == v1::Dataset::TEST) facts->test = named;
    if (file.facts->conversations) domain->set_conversations(true);
    return absl::OkStatus();
  }

  // What the rows of all its datasets come to.
  void AddRows(const DataSpec& data, v1::Submission* domain) const {
    DomainRows rows;
    for (const v1::Dataset& dataset : domain->datasets()) {
      const RowTokens& its = submission_.datasets.at(dataset.sha256()).rows;
      RowTokens& all = dataset.role() == v1::Dataset::TRAIN        ? rows.train
                       : dataset.role() == v1::Dataset::VALIDATION ? rows.validation
                                                                   : rows.test;
      all = Sum(all, its);
    }
    if (data.max_samples) rows.train.rows = std::min(rows.train.rows, *data.max_samples);
    HoldOut(data, &rows);
    Tell(rows.train, domain->mutable_train_rows());
    Tell(rows.validation, domain->mutable_validation_rows());
    Tell(rows.test, domain->mutable_test_rows());
  }

  static void Tell(const RowTokens& rows, v1::RowEstimate* estimate) {
    estimate->set_rows(rows.rows);
    estimate->set_tokens(rows.total);
    estimate->set_longest(rows.longest);
  }

  DatasetReader datasets_;
  std::map<std::string, std::string> files_;  // domain → the file it came in
  Submission submission_;
};

}  // namespace

absl::StatusOr<Submission> ReadSubmission(const std::vector<std::string>& files) {
  SubmissionReader reader;
  std::vector<std::string> problems;
  for (const std::string& file : files) {
    const absl::Status status = reader.Add(file);
    if (status.ok()) continue;
    for (const auto line : absl::StrSplit(status.message(), '\n')) problems.emplace_back(line);
  }
  if (problems.empty()) return reader.Take();
  if (problems.size() > kMaxProblems) {
    const size_t more = problems.size() - kMaxProblems;
    problems.resize(kMaxProblems);
    problems.push_back(absl::StrCat("… and ", more, " more problems"));
  }
  return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
}

}  // namespace mozgach
