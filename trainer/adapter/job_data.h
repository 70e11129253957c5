// JobData is a domain's dataset, split and tokenised for one base.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/domain/domain_spec.h"
#include "common/status.h"
#include "trainer/data/example.h"
#include "trainer/evaluate/scores.h"
#include "trainer/train/base.h"

namespace mozgach {

// Local paths of the files in a domain's `data` section.
struct DatasetPaths {
  std::vector<std::filesystem::path> train;
  std::optional<std::filesystem::path> validation;  // nullopt if data.validation is a fraction
  std::optional<std::filesystem::path> test;
};

// The properties of a base that preparing data needs.
struct BaseText {
  std::filesystem::path dir;
  std::shared_ptr<const Tokenizer> tokenizer;
  int64_t longest_text = 0;  // tokens
  int64_t embedding_rows = 0;
};
BaseText TextOf(const Base& base);

struct JobData {
  std::vector<Example> train;
  EvaluationSet evaluation;
  DataReport report;       // report on the training rows
  std::string digest;      // digest of the files' bytes and roles
  int64_t max_length = 0;  // tokens: the smaller of data.max_length and the base's context
  // Notices for users about the rows and the template, one sentence each, without duplicates. The
  // job reports them to its observer before the training.
  std::vector<std::string> notices;
};

// Prepares everything for a training. Errors in a file or row have class data.
absl::StatusOr<JobData> PrepareData(const DomainSpec& spec, const DatasetPaths& paths,
                                    const BaseText& base);

// Prepares only the rows for scoring: `train` and `report` stay empty.
absl::StatusOr<JobData> PrepareEvaluation(const DomainSpec& spec, const DatasetPaths& paths,
                                          const BaseText& base);

}  // namespace mozgach
