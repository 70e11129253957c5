#include "common/dataset/dataset_notices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/dataset/row_keys.h"

namespace mozgach {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DatasetNoticesTest : public ::testing::Test {
 protected:
  // The facts of a file with one text row per word.
  DatasetFacts Of(const std::vector<std::string>& words) {
    Dataset dataset;
    for (const std::string& word : words) {
      const std::string line = absl::StrCat("{\"text\": \"", word, "\"}");
      dataset.rows.push_back(*ParseRow(line, RowFormat::kText, &dataset.unknown_keys));
    }
    return FactsOf(dataset);
  }
  std::vector<std::string> Notices(const std::vector<std::string>& train,
                                   const std::vector<std::string>& validation = {},
                                   const std::vector<std::string>& test = {}) {
    const DatasetFacts facts[] = {Of(train), Of(validation), Of(test)};
    DomainFacts files{{{"train.jsonl", &facts[0]}}, std::nullopt, std::nullopt};
    if (!validation.empty()) files.validation = {"v.jsonl", &facts[1]};
    if (!test.empty()) files.test = {"t.jsonl", &facts[2]};
    return DatasetNotices(spec_, files);
  }

  DomainSpec spec_;
};

TEST_F(DatasetNoticesTest, NothingToSayOfCleanData) {
  EXPECT_THAT(Notices({"a", "b"}, {"c"}, {"d"}), IsEmpty());
}

TEST_F(DatasetNoticesTest, SingleRowAndRepeatedRows) {
  EXPECT_THAT(Notices({"a"}), ElementsAre("the training data is a single row"));
  EXPECT_THAT(Notices({"a", "b", "a", "a"}),
              ElementsAre("2 of 4 rows of the training data repeat an earlier row"));
  spec_.data.max_samples = 2;
  EXPECT_THAT(Notices({"a", "b", "a", "a"}), IsEmpty()) << "the others are not used";
}

TEST_F(DatasetNoticesTest, RowsThatAreTrainedAndScored) {
  EXPECT_THAT(Notices({"a", "b"}, {"a", "b"}),
              ElementsAre(HasSubstr("the validation file v.jsonl has the same rows as")));
  EXPECT_THAT(Notices({"a", "b"}, {}, {"b", "a"}),
              ElementsAre(HasSubstr("the test file t.jsonl has the same rows as")));
  EXPECT_THAT(Notices({"a", "b"}, {}, {"b"}),
              ElementsAre(HasSubstr("every row of the test file t.jsonl is a training row")));
  EXPECT_THAT(Notices({"a", "b"}, {}, {"b", "c"}),
              ElementsAre("1 of 2 rows of the test file t.jsonl is a training row, too"));
}

TEST_F(DatasetNoticesTest, ScoresThatCannotBeComputed) {
  spec_.evaluation.metrics = {"exact_match"};
  EXPECT_THAT(Notices({"a", "b"}), ElementsAre(HasSubstr("measured on the validation rows")));
  spec_.data.validation = 0.0;
  EXPECT_THAT(Notices({"a", "b"}), ElementsAre(HasSubstr("it is not measured")));
  EXPECT_THAT(Notices({"a", "b"}, {}, {"c"}), IsEmpty());
  spec_.training.eval_steps = 5;
  EXPECT_THAT(Notices({"a", "b"}, {}, {"c"}), ElementsAre(HasSubstr("training.eval_steps")));
}

TEST_F(DatasetNoticesTest, UnknownKeysAndRowsLeftOut) {
  Dataset dataset;
  for (const char* line : {R"({"text": "a", "id": 1, "wieght": 1})", R"({"text": "b", "id": 2})"}) {
    dataset.rows.push_back(*ParseRow(line, RowFormat::kAuto, &dataset.unknown_keys));
  }
  dataset.left_out = 3;
  const DatasetFacts facts = FactsOf(dataset);
  EXPECT_THAT(DatasetNotices(spec_, {{{"x.jsonl", &facts}}, std::nullopt, std::nullopt}),
              ElementsAre("x.jsonl: keys that are not used: 'wieght' (1 row, did you mean "
                          "'weight'?), 'id' (2 rows)",
                          HasSubstr("x.jsonl: 3 rows are left out")));
}

TEST_F(DatasetNoticesTest, UntrainedTurnNeedsCompletionOnlyLoss) {
  Dataset dataset;
  dataset.rows.push_back(*ParseRow(
      R"({"messages": [{"role": "assistant", "content": "a", "weight": 0},
          {"role": "user", "content": "b"}, {"role": "assistant", "content": "c"}]})",
      RowFormat::kAuto));
  dataset.rows[0].line = 7;
  const DatasetFacts facts = FactsOf(dataset);
  EXPECT_TRUE(CheckUntrainedTurns(spec_, {"x.jsonl", &facts}).ok());
  spec_.data.completion_only_loss = false;
  EXPECT_THAT(std::string(CheckUntrainedTurns(spec_, {"x.jsonl", &facts}).message()),
              HasSubstr("x.jsonl:7: a turn says that it is not trained"));
}

}  // namespace
}  // namespace mozgach
