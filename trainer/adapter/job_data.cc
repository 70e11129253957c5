#include "trainer/adapter/job_data.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/dataset.h"
#include "common/digest.h"
#include "trainer/chat/chat_template.h"
#include "trainer/data/batches.h"
#include "trainer/data/chat_notices.h"
#include "trainer/train/failure.h"

namespace mozgach {
namespace {

// Rows of one file.
struct FileRows {
  std::string file;
  std::vector<Row> rows;
};

struct SplitRows {
  std::vector<FileRows> train;
  std::vector<FileRows> validation;
  std::vector<FileRows> test;
};

absl::StatusOr<FileRows> Read(const std::filesystem::path& path, RowFormat format) {
  ASSIGN_OR_RETURN(std::vector<Row> rows, ReadDataset(path, format));
  return FileRows{path.string(), std::move(rows)};
}

// The training rows of all files, the first `max_samples` of them.
absl::StatusOr<std::vector<FileRows>> ReadTraining(const DataSpec& data, const DatasetPaths& paths,
                                                   RowFormat format) {
  std::vector<FileRows> files;
  int64_t left = data.max_samples.value_or(INT64_MAX);
  for (const auto& path : paths.train) {
    if (left <= 0) break;
    ASSIGN_OR_RETURN(FileRows file, Read(path, format));
    if (static_cast<int64_t>(file.rows.size()) > left) {
      file.rows.resize(static_cast<size_t>(left));
    }
    left -= static_cast<int64_t>(file.rows.size());
    files.push_back(std::move(file));
  }
  return files;
}

// Moves the validation rows out of `train`.
void SplitValidation(double fraction, int64_t seed, SplitRows* split) {
  int64_t rows = 0;
  for (const FileRows& file : split->train) rows += static_cast<int64_t>(file.rows.size());
  const std::vector<int32_t> chosen = ValidationRows(rows, fraction, seed);
  int32_t index = 0;
  for (FileRows& file : split->train) {
    FileRows kept{file.file, {}}, taken{file.file, {}};
    for (Row& row : file.rows) {
      const bool held_out = std::binary_search(chosen.begin(), chosen.end(), index++);
      (held_out ? taken : kept).rows.push_back(std::move(row));
    }
    file = std::move(kept);
    if (!taken.rows.empty()) split->validation.push_back(std::move(taken));
  }
}

absl::StatusOr<SplitRows> ReadRows(const DomainSpec& spec, const DatasetPaths& paths) {
  ASSIGN_OR_RETURN(const RowFormat format, ParseRowFormat(spec.data.format));
  SplitRows split;
  ASSIGN_OR_RETURN(split.train, ReadTraining(spec.data, paths, format));
  if (paths.validation) {
    ASSIGN_OR_RETURN(FileRows file, Read(*paths.validation, format));
    split.validation.push_back(std::move(file));
  } else if (const double* fraction = std::get_if<double>(&spec.data.validation)) {
    if (*fraction > 0) SplitValidation(*fraction, spec.training.seed, &split);
  }
  if (paths.test) {
    ASSIGN_OR_RETURN(FileRows file, Read(*paths.test, format));
    split.test.push_back(std::move(file));
  }
  return split;
}

absl::StatusOr<std::vector<Example>> BuildFiles(const ExampleBuilder& builder,
                                                const std::vector<FileRows>& files,
                                                DataReport* report) {
  std::vector<Example> examples;
  for (const FileRows& file : files) {
    if (file.rows.empty()) continue;
    DataReport of_file;
    ASSIGN_OR_RETURN(std::vector<Example> built,
                     builder.BuildAll(file.rows, file.file, &of_file));
    std::move(built.begin(), built.end(), std::back_inserter(examples));
    report->rows += of_file.rows;
    report->dropped += of_file.dropped;
    report->truncated += of_file.truncated;
    report->tokens += of_file.tokens;
    report->trained_tokens += of_file.trained_tokens;
    report->answers_lost += of_file.answers_lost;
  }
  return examples;
}

absl::StatusOr<std::vector<Question>> AskFiles(const ExampleBuilder& builder,
                                               const std::vector<FileRows>& files,
                                               const EvaluationSpec& evaluation) {
  std::vector<Question> questions;
  const auto limit = static_cast<size_t>(evaluation.samples.value_or(INT64_MAX));
  for (const FileRows& file : files) {
    for (const Row& row : file.rows) {
      if (questions.size() >= limit) return questions;
      auto question = builder.Ask(row);
      if (!question.ok()) {
        return Annotate(question.status(), file.file);
      }
      questions.push_back(*std::move(question));
    }
  }
  return questions;
}

absl::StatusOr<std::string> DatasetDigest(const DatasetPaths& paths) {
  std::string roles;
  for (const auto& path : paths.train) {
    ASSIGN_OR_RETURN(const std::string digest, Sha256OfFile(path));
    absl::StrAppend(&roles, "train ", digest, "\n");
  }
  if (paths.validation) {
    ASSIGN_OR_RETURN(const std::string digest, Sha256OfFile(*paths.validation));
    absl::StrAppend(&roles, "validation ", digest, "\n");
  }
  if (paths.test) {
    ASSIGN_OR_RETURN(const std::string digest, Sha256OfFile(*paths.test));
    absl::StrAppend(&roles, "test ", digest, "\n");
  }
  return Sha256Hex(roles);
}

absl::StatusOr<JobData> Prepare(const DomainSpec& spec, const DatasetPaths& paths,
                                const BaseText& base, bool training) {
  JobData data;
  ASSIGN_OR_RETURN(data.digest, DatasetDigest(paths));
  ASSIGN_OR_RETURN(const SplitRows rows, ReadRows(spec, paths));
  ASSIGN_OR_RETURN(const auto chat_template,
                   ChatTemplate::Load(base.dir, spec.data.chat_template));
  DataSpec settings = spec.data;
  settings.max_length = std::min(settings.max_length, base.longest_text);
  data.max_length = settings.max_length;
  const ExampleBuilder builder(base.tokenizer, chat_template, settings, base.embedding_rows);
  if (training) {
    ASSIGN_OR_RETURN(data.train, BuildFiles(builder, rows.train, &data.report));
    data.notices = ChatNotices(data.train, data.report, *base.tokenizer);
  }
  data.evaluation.stop_ids = builder.stop_ids();
  DataReport held_out;
  ASSIGN_OR_RETURN(data.evaluation.held_out, BuildFiles(builder, rows.validation, &held_out));
  if (Wants(spec.evaluation, "exact_match")) {
    ASSIGN_OR_RETURN(
        data.evaluation.questions,
        AskFiles(builder, rows.test.empty() ? rows.validation : rows.test, spec.evaluation));
  }
  return data;
}

absl::StatusOr<JobData> OfClassData(absl::StatusOr<JobData> data) {
  if (!data.ok() && ClassOf(data.status()) == FailureClass::kUser) {
    return WithClass(data.status(), FailureClass::kData);
  }
  return data;
}

}  // namespace

BaseText TextOf(const Base& base) {
  return {base.dir, base.tokenizer, base.model->longest_text(),
          base.model->config().vocab_size};
}

absl::StatusOr<JobData> PrepareData(const DomainSpec& spec, const DatasetPaths& paths,
                                    const BaseText& base) {
  return OfClassData(Prepare(spec, paths, base, /*training=*/true));
}

absl::StatusOr<JobData> PrepareEvaluation(const DomainSpec& spec, const DatasetPaths& paths,
                                          const BaseText& base) {
  return OfClassData(Prepare(spec, paths, base, /*training=*/false));
}

}  // namespace mozgach
