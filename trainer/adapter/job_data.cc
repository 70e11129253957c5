#include "trainer/adapter/job_data.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/dataset/dataset.h"
#include "common/dataset/dataset_notices.h"
#include "common/digest.h"
#include "common/notice_list.h"
#include "trainer/chat/chat_template.h"
#include "trainer/data/batches.h"
#include "trainer/data/chat_notices.h"
#include "trainer/train/failure.h"

namespace mozgach {
namespace {

// Rows of one file, under the name that the domain file gives it.
struct FileRows {
  std::string name;
  std::vector<Row> rows;
  DatasetFacts facts;
};

struct DomainFiles {
  std::vector<FileRows> train;
  std::optional<FileRows> validation;
  std::optional<FileRows> test;
};

// An example and the row that it was made of.
struct Built {
  Example example;
  const Row* row = nullptr;
  const FileRows* file = nullptr;
};

// Reads a file; the first `limit` rows of it count.
absl::StatusOr<FileRows> Read(const std::filesystem::path& path, const std::string& name,
                              RowFormat format, int64_t limit = INT64_MAX) {
  ASSIGN_OR_RETURN(Dataset dataset, ReadDataset(path, format, name));
  if (static_cast<int64_t>(dataset.rows.size()) > limit) {
    dataset.rows.resize(static_cast<size_t>(limit));
  }
  DatasetFacts facts = FactsOf(dataset);
  return FileRows{name, std::move(dataset.rows), std::move(facts)};
}

// The name of a training file in the domain file.
std::string TrainName(const DataSpec& data, const DatasetPaths& paths, size_t index) {
  const bool known = data.train.size() == paths.train.size();
  return known ? data.train[index] : paths.train[index].string();
}

// The training rows of all files, the first `max_samples` of them.
absl::StatusOr<std::vector<FileRows>> ReadTraining(const DataSpec& data, const DatasetPaths& paths,
                                                   RowFormat format) {
  std::vector<FileRows> files;
  int64_t left = data.max_samples.value_or(INT64_MAX);
  for (size_t i = 0; i < paths.train.size() && left > 0; ++i) {
    ASSIGN_OR_RETURN(FileRows file, Read(paths.train[i], TrainName(data, paths, i), format, left));
    left -= static_cast<int64_t>(file.rows.size());
    files.push_back(std::move(file));
  }
  return files;
}

absl::StatusOr<DomainFiles> ReadFiles(const DomainSpec& spec, const DatasetPaths& paths) {
  const DataSpec& data = spec.data;
  ASSIGN_OR_RETURN(const RowFormat format, ParseRowFormat(data.format));
  DomainFiles files;
  ASSIGN_OR_RETURN(files.train, ReadTraining(data, paths, format));
  if (paths.validation) {
    const auto* name = std::get_if<std::string>(&data.validation);
    ASSIGN_OR_RETURN(files.validation,
                     Read(*paths.validation, name ? *name : paths.validation->string(), format));
  }
  if (paths.test) {
    const std::string name = data.test.empty() ? paths.test->string() : data.test;
    ASSIGN_OR_RETURN(files.test, Read(*paths.test, name, format));
  }
  return files;
}

DomainFacts FactsOfFiles(const DomainFiles& files) {
  DomainFacts facts;
  for (const FileRows& file : files.train) facts.train.push_back({file.name, &file.facts});
  if (files.validation) facts.validation = {files.validation->name, &files.validation->facts};
  if (files.test) facts.test = {files.test->name, &files.test->facts};
  return facts;
}

// Adds the examples of `file` to `all`, and what became of its rows to `report`.
absl::Status BuildFile(const ExampleBuilder& builder, const FileRows& file, std::vector<Built>* all,
                       DataReport* report) {
  DataReport own;
  ASSIGN_OR_RETURN(std::vector<Example> examples, builder.BuildAll(file.rows, file.name, &own));
  auto row = file.rows.begin();
  for (Example& example : examples) {
    while (row->line != example.row) ++row;
    all->push_back({std::move(example), &*row, &file});
  }
  report->rows += own.rows;
  report->dropped += own.dropped;
  report->dropped_long += own.dropped_long;
  report->answers_lost += own.answers_lost;
  return absl::OkStatus();
}

// Moves the validation rows out of `train`: they are drawn from the rows that are left once
// data.over_length has been applied, so that neither part is empty by accident.
std::vector<Built> DrawValidation(const DataSpec& data, int64_t seed, std::vector<Built>* train) {
  const double* fraction = std::get_if<double>(&data.validation);
  if (fraction == nullptr || *fraction <= 0) return {};
  const std::vector<int32_t> chosen =
      ValidationRows(static_cast<int64_t>(train->size()), *fraction, seed);
  std::vector<Built> kept, drawn;
  int32_t index = 0;
  for (Built& built : *train) {
    const bool held_out = std::binary_search(chosen.begin(), chosen.end(), index++);
    (held_out ? drawn : kept).push_back(std::move(built));
  }
  *train = std::move(kept);
  return drawn;
}

std::vector<Example> ExamplesOf(std::vector<Built> all, DataReport* report) {
  std::vector<Example> examples;
  for (Built& built : all) {
    report->truncated += built.example.truncated ? 1 : 0;
    report->tokens += static_cast<int64_t>(built.example.ids.size());
    report->trained_tokens += built.example.TrainedTokens();
    examples.push_back(std::move(built.example));
  }
  return examples;
}

// Asks the rows whose last answer is trained, the first `evaluation.samples` of them.
absl::StatusOr<std::vector<Question>> AskRows(
    const ExampleBuilder& builder, const std::vector<std::pair<const FileRows*, const Row*>>& rows,
    const EvaluationSpec& evaluation) {
  std::vector<Question> questions;
  const auto limit = static_cast<size_t>(evaluation.samples.value_or(INT64_MAX));
  for (const auto& [file, row] : rows) {
    if (questions.size() >= limit) break;
    if (row->IsConversation() && !row->messages.back().trained) continue;
    auto question = builder.Ask(*row);
    if (!question.ok()) return Annotate(question.status(), file->name);
    questions.push_back(*std::move(question));
  }
  return questions;
}

absl::Status NothingToTrain(const ExampleBuilder& builder, const DataReport& report) {
  if (report.dropped_long == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "no row has a token left to train: the chat template writes no answer of the ", report.rows,
        " rows; use another base, or set data.chat_template to chatml or none"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no row has a token left to train: ", report.dropped_long, " of ", report.rows,
                   " rows are longer than ", builder.LimitInWords(),
                   ", or their answers lie beyond it: use shorter rows, or a higher limit"));
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

// "3 of 10 rows of the validation file v.jsonl are longer than …: they are dropped".
void AddLengthNotice(const std::string& rows, const ExampleBuilder& builder, const DataSpec& data,
                     const DataReport& report, NoticeList* notices) {
  const int64_t longer = report.dropped_long + report.truncated;
  if (longer == 0) return;
  const std::string what = data.over_length == "drop" ? "dropped"
                           : report.dropped_long == 0
                               ? "cut to that length"
                               : absl::StrCat("cut to that length, and the ", report.dropped_long,
                                              " without an answer left are dropped");
  notices->Add(absl::StrCat(longer, " of ", report.rows, " ", rows, longer == 1 ? " is" : " are",
                            " longer than ", builder.LimitInWords(), ": they are ", what));
}

// Reads, builds and splits the rows of one domain.
class Preparation {
 public:
  Preparation(const DomainSpec& spec, const DatasetPaths& paths, const BaseText& base,
              bool training)
      : spec_(spec), paths_(paths), base_(base), training_(training) {}

  absl::StatusOr<JobData> Run();

 private:
  absl::Status BuildTraining(const ExampleBuilder& builder);
  absl::Status BuildValidation(const ExampleBuilder& builder);
  absl::Status BuildQuestions(const ExampleBuilder& builder);

  const DomainSpec& spec_;
  const DatasetPaths& paths_;
  const BaseText& base_;
  const bool training_;
  DomainFiles files_;
  std::vector<std::pair<const FileRows*, const Row*>> held_out_;  // the validation rows
  NoticeList notices_;
  JobData data_;
};

// Scoring needs the training rows only if the validation rows are drawn from them.
absl::Status Preparation::BuildTraining(const ExampleBuilder& builder) {
  const double* fraction = std::get_if<double>(&spec_.data.validation);
  const bool draws = fraction != nullptr && *fraction > 0 && !files_.validation;
  if (!training_ && !draws) return absl::OkStatus();
  std::vector<Built> train;
  DataReport report;
  for (const FileRows& file : files_.train) {
    RETURN_IF_ERROR(BuildFile(builder, file, &train, &report));
  }
  if (train.empty()) return NothingToTrain(builder, report);
  std::vector<Built> drawn;
  if (draws) drawn = DrawValidation(spec_.data, spec_.training.seed, &train);
  if (draws && drawn.empty()) {
    notices_.Add(absl::StrCat("data.validation is ", *fraction,
                              ", but there is only one row left to train: none is held out, and "
                              "there is no validation loss"));
  }
  for (const Built& built : drawn) held_out_.emplace_back(built.file, built.row);
  report.rows -= static_cast<int64_t>(drawn.size());
  DataReport of_drawn;
  data_.evaluation.held_out = ExamplesOf(std::move(drawn), &of_drawn);
  if (!training_) return absl::OkStatus();
  data_.train = ExamplesOf(std::move(train), &report);
  notices_.AddAll(ChatNotices(data_.train, report, *base_.tokenizer));
  AddLengthNotice("training rows", builder, spec_.data, report, &notices_);
  of_drawn.rows = static_cast<int64_t>(held_out_.size());
  AddLengthNotice("validation rows", builder, spec_.data, of_drawn, &notices_);
  data_.report = report;
  return absl::OkStatus();
}

absl::Status Preparation::BuildValidation(const ExampleBuilder& builder) {
  if (!files_.validation) return absl::OkStatus();
  const FileRows& file = *files_.validation;
  std::vector<Built> built;
  DataReport report;
  const absl::Status status = BuildFile(builder, file, &built, &report);
  if (!status.ok()) return Annotate(status, "data.validation");
  const bool empty = built.empty();
  data_.evaluation.held_out = ExamplesOf(std::move(built), &report);
  AddLengthNotice(absl::StrCat("rows of the validation file ", file.name), builder, spec_.data,
                  report, &notices_);
  if (empty) {
    notices_.Add(absl::StrCat("no row of the validation file ", file.name,
                              " is left: the training goes on, and there is no validation loss"));
  }
  for (const Row& row : file.rows) held_out_.emplace_back(&file, &row);
  return absl::OkStatus();
}

absl::Status Preparation::BuildQuestions(const ExampleBuilder& builder) {
  if (!Wants(spec_.evaluation, "exact_match")) return absl::OkStatus();
  std::vector<std::pair<const FileRows*, const Row*>> rows = held_out_;
  if (files_.test) {
    rows.clear();
    for (const Row& row : files_.test->rows) rows.emplace_back(&*files_.test, &row);
  }
  ASSIGN_OR_RETURN(data_.evaluation.questions, AskRows(builder, rows, spec_.evaluation));
  return absl::OkStatus();
}

absl::StatusOr<JobData> Preparation::Run() {
  ASSIGN_OR_RETURN(data_.digest, DatasetDigest(paths_));
  ASSIGN_OR_RETURN(files_, ReadFiles(spec_, paths_));
  notices_.AddAll(DatasetNotices(spec_, FactsOfFiles(files_)));
  ASSIGN_OR_RETURN(const auto chat_template,
                   ChatTemplate::Load(base_.dir, spec_.data.chat_template));
  const ExampleBuilder builder(base_.tokenizer, chat_template, spec_.data, base_.longest_text,
                               base_.embedding_rows);
  data_.max_length = builder.limit();
  data_.evaluation.stop_ids = builder.stop_ids();
  RETURN_IF_ERROR(BuildTraining(builder));
  RETURN_IF_ERROR(BuildValidation(builder));
  RETURN_IF_ERROR(BuildQuestions(builder));
  data_.notices = notices_.sentences();
  return std::move(data_);
}

absl::StatusOr<JobData> OfClassData(absl::StatusOr<JobData> data) {
  if (!data.ok() && ClassOf(data.status()) == FailureClass::kUser) {
    return WithClass(data.status(), FailureClass::kData);
  }
  return data;
}

}  // namespace

BaseText TextOf(const Base& base) {
  return {base.dir, base.tokenizer, base.model->longest_text(), base.model->config().vocab_size};
}

absl::StatusOr<JobData> PrepareData(const DomainSpec& spec, const DatasetPaths& paths,
                                    const BaseText& base) {
  return OfClassData(Preparation(spec, paths, base, /*training=*/true).Run());
}

absl::StatusOr<JobData> PrepareEvaluation(const DomainSpec& spec, const DatasetPaths& paths,
                                          const BaseText& base) {
  return OfClassData(Preparation(spec, paths, base, /*training=*/false).Run());
}

}  // namespace mozgach
