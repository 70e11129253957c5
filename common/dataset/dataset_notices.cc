#include "common/dataset/dataset_notices.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/notice_list.h"

namespace mozgach {
namespace {

constexpr size_t kMostKeysNamed = 8;

uint64_t Mix(uint64_t seed, std::string_view text) {
  const uint64_t hash = std::hash<std::string_view>()(text);
  return (seed ^ hash) * 0x9e3779b97f4a7c15u + (seed >> 29);
}

uint64_t FingerprintOf(const Row& row) {
  uint64_t print = Mix(static_cast<uint64_t>(row.first_target) + 1, row.text);
  for (const Message& message : row.messages) {
    print = Mix(Mix(print, message.role), message.content);
    print = Mix(print, message.trained ? "trained" : "not trained");
  }
  return print;
}

std::string Rows(int64_t rows) { return absl::StrCat(rows, rows == 1 ? " row" : " rows"); }

// "train.jsonl: keys that are not used: 'id' (12 rows), 'inptu' (1 row, did you mean 'input'?)".
void AddUnknownKeys(const NamedFacts& file, NoticeList* notices) {
  std::vector<std::pair<std::string, UnknownKeys::Key>> keys(
      file.facts->unknown_keys.keys().begin(), file.facts->unknown_keys.keys().end());
  if (keys.empty()) return;
  // Keys that may be a slip come first.
  std::stable_sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) {
    return a.second.nearest.empty() < b.second.nearest.empty();
  });
  std::vector<std::string> named;
  for (const auto& [name, key] : keys) {
    if (named.size() == kMostKeysNamed) break;
    const std::string meant =
        key.nearest.empty() ? "" : absl::StrCat(", did you mean '", key.nearest, "'?");
    named.push_back(absl::StrCat("'", name, "' (", Rows(key.rows), meant, ")"));
  }
  const size_t more = keys.size() - named.size();
  notices->Add(absl::StrCat(file.name, ": keys that are not used: ", absl::StrJoin(named, ", "),
                            more == 0 ? "" : absl::StrCat(" and ", more, " more")));
}

void AddFile(const NamedFacts& file, NoticeList* notices) {
  AddUnknownKeys(file, notices);
  if (file.facts->left_out == 0) return;
  notices->Add(absl::StrCat(file.name, ": ", Rows(file.facts->left_out),
                            file.facts->left_out == 1 ? " is" : " are",
                            " left out, because 'weight', 'train' or the like says so"));
}

// The fingerprints of the training rows that are used.
std::vector<uint64_t> TrainingRows(const DataSpec& data, const DomainFacts& facts) {
  std::vector<uint64_t> rows;
  const auto limit = static_cast<size_t>(data.max_samples.value_or(INT64_MAX));
  for (const NamedFacts& file : facts.train) {
    for (const uint64_t row : file.facts->fingerprints) {
      if (rows.size() < limit) rows.push_back(row);
    }
  }
  return rows;
}

void AddOverlap(const NamedFacts& file, const char* role,
                const std::unordered_set<uint64_t>& trained, NoticeList* notices) {
  const std::vector<uint64_t>& rows = file.facts->fingerprints;
  const auto both =
      std::count_if(rows.begin(), rows.end(), [&](uint64_t row) { return trained.count(row) > 0; });
  if (both == 0) return;
  const std::unordered_set<uint64_t> own(rows.begin(), rows.end());
  const bool all = both == static_cast<int64_t>(rows.size());
  const std::string scores = ": its scores show what was memorised, not what was learned";
  if (all && own == trained) {
    notices->Add(absl::StrCat("the ", role, " file ", file.name,
                              " has the same rows as the training data", scores));
  } else if (all) {
    notices->Add(absl::StrCat("every row of the ", role, " file ", file.name,
                              " is a training row, too", scores));
  } else {
    notices->Add(absl::StrCat(both, " of ", Rows(static_cast<int64_t>(rows.size())), " of the ",
                              role, " file ", file.name, both == 1 ? " is a" : " are",
                              both == 1 ? " training row, too" : " training rows, too"));
  }
}

void AddRows(const DomainSpec& spec, const DomainFacts& facts, NoticeList* notices) {
  const std::vector<uint64_t> rows = TrainingRows(spec.data, facts);
  const std::unordered_set<uint64_t> trained(rows.begin(), rows.end());
  if (rows.size() == 1) notices->Add("the training data is a single row");
  const auto repeated = static_cast<int64_t>(rows.size() - trained.size());
  if (repeated > 0) {
    notices->Add(absl::StrCat(repeated, " of ", Rows(static_cast<int64_t>(rows.size())),
                              " of the training data ", repeated == 1 ? "repeats" : "repeat",
                              " an earlier row"));
  }
  if (facts.validation) AddOverlap(*facts.validation, "validation", trained, notices);
  if (facts.test) AddOverlap(*facts.test, "test", trained, notices);
}

void AddScores(const DomainSpec& spec, const DomainFacts& facts, NoticeList* notices) {
  const std::vector<std::string>& metrics = spec.evaluation.metrics;
  const bool exact = std::count(metrics.begin(), metrics.end(), "exact_match") > 0;
  const double* share = std::get_if<double>(&spec.data.validation);
  const bool validates = share == nullptr || *share > 0;
  if (exact && !facts.test) {
    notices->Add(
        absl::StrCat("evaluation.metrics asks for exact_match, but there is no data.test: ",
                     validates ? "it is measured on the validation rows" : "it is not measured"));
  }
  if (!validates && spec.training.eval_steps) {
    notices->Add("training.eval_steps has no effect: data.validation is 0");
  }
}

}  // namespace

DatasetFacts FactsOf(const Dataset& dataset) {
  DatasetFacts facts;
  facts.unknown_keys = dataset.unknown_keys;
  facts.left_out = dataset.left_out;
  for (const Row& row : dataset.rows) {
    facts.fingerprints.push_back(FingerprintOf(row));
    facts.conversations = facts.conversations || row.IsConversation();
    if (facts.untrained_turn == 0 && row.HasUntrainedTurn()) facts.untrained_turn = row.line;
  }
  return facts;
}

std::vector<std::string> DatasetNotices(const DomainSpec& spec, const DomainFacts& facts) {
  NoticeList notices;
  AddRows(spec, facts, &notices);
  AddScores(spec, facts, &notices);
  for (const NamedFacts& file : facts.train) AddFile(file, &notices);
  if (facts.validation) AddFile(*facts.validation, &notices);
  if (facts.test) AddFile(*facts.test, &notices);
  return notices.sentences();
}

absl::Status CheckUntrainedTurns(const DomainSpec& spec, const NamedFacts& file) {
  if (spec.data.completion_only_loss || file.facts->untrained_turn == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      file.name, ":", file.facts->untrained_turn,
      ": a turn says that it is not trained ('weight', 'train' or the like), but ",
      "data.completion_only_loss is false, which trains every turn: set it to true, or remove the ",
      "key"));
}

}  // namespace mozgach
