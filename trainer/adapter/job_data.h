// JobData is a domain's dataset as one base sees it: rows read, split and tokenised.
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

// Where the files of a domain's `data` section lie on this machine.
struct DatasetPaths {
  std::vector<std::filesystem::path> train;
  std::optional<std::filesystem::path> validation;  // absent where data.validation is a fraction
  std::optional<std::filesystem::path> test;
};

// What of a base its data needs.
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
  std::string digest;      // digest over the files' bytes and their roles
  int64_t max_length = 0;  // tokens: data.max_length, or what the base can where that is less
  // What people should know about the rows and the template, one sentence each, each once. The job
  // tells them to its observer before it trains.
  std::vector<std::string> notices;
};

// Everything a training needs. A bad file or row is of class data.
absl::StatusOr<JobData> PrepareData(const DomainSpec& spec, const DatasetPaths& paths,
                                    const BaseText& base);

// The part that scoring needs: `train` and `report` stay empty.
absl::StatusOr<JobData> PrepareEvaluation(const DomainSpec& spec, const DatasetPaths& paths,
                                          const BaseText& base);

}  // namespace mozgach
