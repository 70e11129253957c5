#include "common/dataset/row_keys.h"

#include <set>
#include <string>
#include <vector>

#include "common/dataset/dataset.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mozgach {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

MATCHER_P2(SaysIn, role, content, "") { return arg.role == role && arg.content == content; }

std::string RowError(const std::string& line, RowFormat format = RowFormat::kAuto) {
  const auto row = ParseRow(line, format);
  return row.ok() ? "OK" : std::string(row.status().message());
}

// Values that stand for "absent" in published datasets.
const char* const kEmptyValues[] = {"\"\"",     "[]",     "{}",           "null",   "false",
                                    "\" \"",    "\"[]\"", "\"{}\"",       "[null]", "[\"\"]",
                                    "\"null\"", "[[]]",   "{\"a\": null}"};

std::string With(const std::string& key, const std::string& value) {
  return ", \"" + key + "\": " + value;
}

// A row of each format with `more` beside its own keys.
std::vector<std::string> RowsOfEachFormat(const std::string& more) {
  return {
      R"({"instruction": "i", "output": "o")" + more + "}",
      R"({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}])" +
          more + "}",
      R"({"prompt": "q", "completion": "a")" + more + "}",
      R"({"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}])" +
          more + "}",
      R"({"text": "t")" + more + "}"};
}

// Rows of turns whose assistant's turn carries `more`.
std::vector<std::string> TurnsOfEachFormat(const std::string& more) {
  return {
      R"({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a")" +
          more + "}]}",
      R"({"prompt": [{"role": "user", "content": "q"}],
          "completion": [{"role": "assistant", "content": "a")" +
          more + "}]}",
      R"({"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a")" + more +
          "}]}"};
}

TEST(RowKeyTest, RejectedKeysAreNamedInEveryFormat) {
  for (const RejectedKeys& rejected : AllRejectedKeys()) {
    for (const std::string& key : rejected.names) {
      const std::string more = With(key, key == "label" ? "true" : "[\"something\"]");
      for (const auto& rows : {RowsOfEachFormat(more), TurnsOfEachFormat(more)}) {
        for (const std::string& row : rows) {
          EXPECT_THAT(RowError(row), HasSubstr("'" + key + "' is not supported: ")) << row;
        }
      }
    }
  }
}

// True for a key whose value `false` has a meaning and is rejected too.
bool IsSwitch(const std::string& key) {
  static const std::set<std::string> names = {"train_on_turn", "train_on_row", "trainable",
                                              "is_trained",    "do_train",     "mask_loss"};
  return names.count(key) > 0;
}

TEST(RowKeyTest, EmptyValuesOfThemMeanAbsent) {
  for (const RejectedKeys& rejected : AllRejectedKeys()) {
    for (const std::string& key : rejected.names) {
      if (key == "label" || key == "kto_tag") continue;
      for (const char* value : kEmptyValues) {
        const bool rejected_false = IsSwitch(key) && value == std::string("false");
        const std::string more = With(key, value);
        for (const auto& rows : {RowsOfEachFormat(more), TurnsOfEachFormat(more)}) {
          for (const std::string& row : rows)
            EXPECT_EQ(RowError(row) == "OK", !rejected_false) << row;
        }
      }
    }
  }
}

TEST(RowKeyTest, EmptyValuesOfOptionalKeysMeanAbsent) {
  for (const char* value : {"\"\"", "[]", "{}", "null", "false", "\" \""}) {
    const auto row = ParseRow(R"({"instruction": "i", "output": "o")" + With("input", value) +
                                  With("system", value) + With("history", value) + "}",
                              RowFormat::kAuto);
    ASSERT_TRUE(row.ok()) << row.status() << value;
    EXPECT_THAT(row->messages, ElementsAre(SaysIn("user", "i"), SaysIn("assistant", "o")));
  }
  for (const char* value : {"\"[]\"", "\"{}\"", "\"null\""}) {
    const auto row = ParseRow(R"({"instruction": "i", "output": "o")" + With("system", value) + "}",
                              RowFormat::kAuto);
    ASSERT_TRUE(row.ok()) << row.status() << value;
    EXPECT_THAT(row->messages, ElementsAre(SaysIn("user", "i"), SaysIn("assistant", "o")));
  }
  // Text that looks like an empty list is text where text is read.
  const auto row =
      ParseRow(R"({"instruction": "Sort", "input": "[]", "output": "[]"})", RowFormat::kAuto);
  EXPECT_THAT(row->messages, ElementsAre(SaysIn("user", "Sort\n[]"), SaysIn("assistant", "[]")));
}

TEST(RowKeyTest, TurnThatIsNotTrainedIsMarked) {
  for (const std::string& key : TrainKeys()) {
    for (const char* value : {"0", "0.0", "false", "1", "true"}) {
      const bool trained = value == std::string("1") || value == std::string("true");
      const auto row = ParseRow(
          R"({"messages": [{"role": "assistant", "content": "a")" + With(key, value) +
              R"(}, {"role": "user", "content": "q"}, {"role": "assistant", "content": "b"}]})",
          RowFormat::kAuto);
      ASSERT_TRUE(row.ok()) << row.status();
      EXPECT_EQ(row->messages[0].trained, trained) << key << value;
      EXPECT_TRUE(row->messages[2].trained);
      EXPECT_TRUE(row->trained);
      EXPECT_EQ(row->HasUntrainedTurn(), !trained);
    }
  }
}

TEST(RowKeyTest, RowThatIsNotTrainedIsMarkedInEveryFormat) {
  for (const std::string& key : TrainKeys()) {
    for (const std::string& row : RowsOfEachFormat(With(key, "0"))) {
      EXPECT_FALSE(ParseRow(row, RowFormat::kAuto)->trained) << row;
    }
    for (const std::string& row : RowsOfEachFormat(With(key, "1"))) {
      EXPECT_TRUE(ParseRow(row, RowFormat::kAuto)->trained) << row;
    }
    for (const std::string& row : TurnsOfEachFormat(With(key, "false"))) {
      EXPECT_FALSE(ParseRow(row, RowFormat::kAuto)->trained) << "its only answer is not: " << row;
    }
  }
}

TEST(RowKeyTest, TrainKeyThatCannotBeHonouredIsNamed) {
  for (const std::string& key : TrainKeys()) {
    for (const char* value : {"0.5", "2", "-1", "\"yes\"", "[1, 0]", "{\"a\": 1}"}) {
      for (const auto& rows :
           {RowsOfEachFormat(With(key, value)), TurnsOfEachFormat(With(key, value))}) {
        for (const std::string& row : rows) {
          EXPECT_THAT(RowError(row), HasSubstr("'" + key + "' is ")) << row;
        }
      }
    }
    for (const char* value : {"\"\"", "[]", "{}", "null", "\" \"", "\"[]\""}) {
      for (const std::string& row : TurnsOfEachFormat(With(key, value))) {
        EXPECT_TRUE(ParseRow(row, RowFormat::kAuto)->trained) << row;
      }
    }
  }
  EXPECT_THAT(RowError(TurnsOfEachFormat(R"(, "weight": 0, "train": true)")[0]),
              HasSubstr("'weight' and 'train' contradict each other"));
  EXPECT_THAT(RowError(R"({"messages": [{"role": "user", "content": "q", "train": true},
                          {"role": "assistant", "content": "a"}]})"),
              HasSubstr("messages[0]: 'train' asks to train a turn of the user"));
  EXPECT_EQ(RowError(R"({"messages": [{"role": "user", "content": "q", "weight": 1},
                        {"role": "assistant", "content": "a"}]})"),
            "OK");
  EXPECT_THAT(RowError(R"({"prompt": [{"role": "assistant", "content": "q", "loss": true}],
                          "completion": "a"})"),
              HasSubstr("of the assistant in the prompt"));
}

TEST(RowKeyTest, SystemBesideTheTurnsIsRead) {
  const auto row = ParseRow(RowsOfEachFormat(With("system", "\"s\""))[1], RowFormat::kAuto);
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_THAT(row->messages[0], SaysIn("system", "s"));
  const std::string turns = R"(, "messages": [{"role": "system", "content": "s"},
      {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]})";
  EXPECT_EQ(ParseRow(R"({"system": "s")" + turns, RowFormat::kAuto)->messages.size(), 3u);
  EXPECT_THAT(RowError(R"({"system": "other")" + turns), HasSubstr("another system message"));
  EXPECT_THAT(RowError(R"({"text": "t", "system": "s"})"), HasSubstr("'system' is not supported"));
  EXPECT_THAT(RowError(R"({"prompt": "p", "completion": "c", "history": [["a", "b"]]})"),
              HasSubstr("'history' is not supported"));
}

TEST(RowKeyTest, PartsOfContentAreTextOrAnErrorByName) {
  const auto content = [](const std::string& parts) {
    return R"({"messages": [{"role": "user", "content": )" + parts +
           R"(}, {"role": "assistant", "content": "a"}]})";
  };
  const auto row =
      ParseRow(content(R"([{"type": "text", "text": "a"}, "b", {"text": "c", "image_url": null}])"),
               RowFormat::kAuto);
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->messages[0].content, "abc");
  EXPECT_THAT(RowError(content(R"([{"type": "image", "text": "a crane"}])")),
              HasSubstr("a part of type 'image': only text"));
  EXPECT_THAT(RowError(content(R"([{"type": "image_url", "image_url": {"url": "x"}}])")),
              HasSubstr("'image_url'"));
  EXPECT_THAT(RowError(content(R"([{"type": "text", "text": "a", "image_url": "x"}])")),
              HasSubstr("'image_url' is not supported"));
  EXPECT_THAT(RowError(content(R"([{"type": "text", "text": "a", "weight": 0}])")),
              HasSubstr("'weight' of a part"));
  EXPECT_THAT(RowError(content(R"([7])")), HasSubstr("not text"));
}

TEST(RowKeyTest, PreferenceRowsAreNamedAsSuch) {
  EXPECT_THAT(RowError(R"({"prompt": "p", "chosen": "a", "rejected": "b"})"),
              HasSubstr("'chosen' is not supported: preferences"));
  EXPECT_THAT(RowError(R"({"chosen": [{"role": "user"}], "rejected": []})"),
              HasSubstr("'chosen' is not supported"));
  EXPECT_THAT(RowError(R"({"prompt": "p", "completion": "a", "label": false})"),
              HasSubstr("'label' is not supported"));
  EXPECT_EQ(RowError(R"({"text": "a film", "label": 1})"), "OK");
}

TEST(RowKeyTest, MisspeltKeyIsNamedWithTheOneThatIsMeant) {
  EXPECT_THAT(RowError(R"({"instruction": "i", "ouput": "o"})"),
              HasSubstr("did you mean 'output' instead of 'ouput'?"));
  EXPECT_THAT(RowError(R"({"instruction": "i", "respones": "o"})"),
              HasSubstr("did you mean 'output' instead of 'respones'?"));
  EXPECT_THAT(RowError(R"({"mesages": []})"),
              HasSubstr("did you mean 'messages' instead of 'mesages'?"));
  EXPECT_THAT(RowError(R"({"messages": [{"role": "user", "contnet": "q"}]})"),
              HasSubstr("did you mean 'content' instead of 'contnet'?"));
}

TEST(RowKeyTest, ColumnsOfOtherFormatsThatAreEmptyDoNotDecide) {
  EXPECT_TRUE(ParseRow(R"({"messages": [], "text": "t"})", RowFormat::kAuto).ok());
  const auto row = ParseRow(R"({"conversations": null, "messages": [], "instruction": "i",
                                "output": "o", "text": ""})",
                            RowFormat::kAuto);
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_THAT(row->messages, ElementsAre(SaysIn("user", "i"), SaysIn("assistant", "o")));
  EXPECT_THAT(RowError(R"({"instruction": "i", "output": "", "text": "t"})"),
              StartsWith("no target"));
}

}  // namespace
}  // namespace mozgach
