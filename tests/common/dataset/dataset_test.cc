#include "common/dataset/dataset.h"

#include <unistd.h>

#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mozgach {
namespace {
namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

MATCHER_P2(Says, role, content, "") { return arg.role == role && arg.content == content; }

std::string ErrorOf(const std::string& line, RowFormat format = RowFormat::kAuto) {
  const auto row = ParseRow(line, format);
  if (row.ok()) return "OK";
  EXPECT_EQ(row.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(row.status().message());
}

class DatasetTest : public testing::Test {
 protected:
  DatasetTest() {
    std::string pattern = (fs::temp_directory_path() / "mozgach_dataset_XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~DatasetTest() override { fs::remove_all(root_); }

  fs::path Write(const std::string& bytes) {
    const fs::path path = root_ / "train.jsonl";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  std::string ReadError(const std::string& bytes, RowFormat format = RowFormat::kAuto) {
    const auto rows = ReadDataset(Write(bytes), format);
    return rows.ok() ? "OK" : std::string(rows.status().message());
  }

  fs::path root_;
};

TEST(RowTest, AlpacaPutsTheInputOnTheLineBelowTheInstruction) {
  const auto row =
      ParseRow(R"({"instruction": "Add", "input": "1 2", "output": "3"})", RowFormat::kAuto);
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_THAT(row->messages, ElementsAre(Says("user", "Add\n1 2"), Says("assistant", "3")));
  EXPECT_EQ(row->first_target, 0);
}

TEST(RowTest, AlpacaWithSystemAndHistoryIsAConversation) {
  const auto row = ParseRow(
      R"({"system": "Be brief", "history": [["a", "b"]], "instruction": "c", "input": "",
          "output": "d"})",
      RowFormat::kAlpaca);
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_THAT(row->messages,
              ElementsAre(Says("system", "Be brief"), Says("user", "a"), Says("assistant", "b"),
                          Says("user", "c"), Says("assistant", "d")));
}

TEST(RowTest, MessagesAreTakenAsTheyAre) {
  const auto row = ParseRow(
      R"({"id": 7, "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]},
          {"role": "assistant", "content": "ho"}]})",
      RowFormat::kAuto);
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_THAT(row->messages, ElementsAre(Says("user", "hi"), Says("assistant", "ho")));
}

TEST(RowTest, ShareGptNamesBecomeRoles) {
  const auto row = ParseRow(
      R"({"system": "s", "conversations": [{"from": "human", "value": "q"},
          {"from": "gpt", "value": "a"}]})",
      RowFormat::kAuto);
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_THAT(row->messages,
              ElementsAre(Says("system", "s"), Says("user", "q"), Says("assistant", "a")));
}

TEST(RowTest, OnlyTheCompletionOfPromptCompletionIsATarget) {
  const auto row = ParseRow(
      R"({"prompt": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
          {"role": "user", "content": "c"}],
          "completion": [{"role": "assistant", "content": "d"}]})",
      RowFormat::kAuto);
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->messages.size(), 4u);
  EXPECT_EQ(row->first_target, 3);
  const auto text = ParseRow(R"({"prompt": "q", "completion": "a"})", RowFormat::kAuto);
  ASSERT_TRUE(text.ok());
  EXPECT_THAT(text->messages, ElementsAre(Says("user", "q"), Says("assistant", "a")));
}

TEST(RowTest, TextIsNoConversation) {
  const auto row = ParseRow(R"({"text": "once upon"})", RowFormat::kAuto);
  ASSERT_TRUE(row.ok());
  EXPECT_FALSE(row->IsConversation());
  EXPECT_EQ(row->text, "once upon");
}

TEST(RowTest, PublishedAlpacaWithARenderedTextColumnStaysAlpaca) {
  const auto row =
      ParseRow(R"({"instruction": "i", "output": "o", "text": "### i o"})", RowFormat::kAuto);
  ASSERT_TRUE(row.ok());
  EXPECT_TRUE(row->IsConversation());
}

TEST(RowTest, MissingKeySaysWhatTheFormatNeeds) {
  EXPECT_EQ(ErrorOf(R"({"instruction": "i"})"),
            "row has no 'output': an alpaca row needs 'instruction' and 'output'");
  EXPECT_THAT(ErrorOf(R"({"prompt": "p"})"), StartsWith("row has no 'completion'"));
  EXPECT_THAT(ErrorOf(R"({"text": "t"})", RowFormat::kMessages),
              StartsWith("row has no 'messages'"));
  EXPECT_THAT(ErrorOf(R"({"question": "t"})"), HasSubstr("no format has these keys"));
  EXPECT_THAT(ErrorOf(R"({"instruction": 3, "output": "o"})"),
              HasSubstr("'instruction' is number"));
}

TEST(RowTest, RowWithoutATargetIsRefused) {
  EXPECT_THAT(ErrorOf(R"({"instruction": "i", "output": " \n"})"), StartsWith("no target"));
  EXPECT_THAT(ErrorOf(R"({"text": ""})"), HasSubstr("nothing to train"));
  EXPECT_THAT(ErrorOf(R"({"messages": []})"), HasSubstr("no messages"));
  EXPECT_THAT(ErrorOf(R"({"messages": [{"role": "user", "content": "x"}]})"),
              HasSubstr("the last message is the user's"));
}

TEST(RowTest, WhatWouldBeLostIsRefused) {
  EXPECT_THAT(
      ErrorOf(R"({"messages": [{"role": "assistant", "content": "x", "tool_calls": [{}]}]})"),
      HasSubstr("messages[0]: 'tool_calls' is not supported"));
  EXPECT_THAT(ErrorOf(R"({"tools": [{}], "text": "t"})"), HasSubstr("'tools' is not supported"));
  EXPECT_THAT(ErrorOf(R"({"messages": [{"role": "pirate", "content": "x"}]})"),
              HasSubstr("unknown role 'pirate'"));
  EXPECT_THAT(ErrorOf(R"({"messages": [{"role": "user", "content": [{"type": "image"}]}]})"),
              HasSubstr("only text can be trained"));
}

TEST_F(DatasetTest, UnknownKeysAreCountedOncePerRow) {
  const auto rows = ReadDataset(
      Write("{\"id\": 1, \"messages\": [{\"role\": \"user\", \"content\": \"q\", \"time\": 1}, "
            "{\"role\": \"assistant\", \"content\": \"a\", \"time\": 2, \"name\": null}]}\n"
            "{\"id\": 2, \"inptu\": \"x\", \"instruction\": \"i\", \"output\": \"o\"}\n"),
      RowFormat::kAuto);
  ASSERT_TRUE(rows.ok()) << rows.status();
  const auto& keys = rows->unknown_keys.keys();
  ASSERT_EQ(keys.size(), 3u);
  EXPECT_EQ(keys.at("id").rows, 2);
  EXPECT_EQ(keys.at("messages[].time").rows, 1);
  EXPECT_EQ(keys.at("inptu").nearest, "input");
}

TEST_F(DatasetTest, RowsThatAreNotTrainedAreLeftOut) {
  const auto rows =
      ReadDataset(Write("{\"text\": \"a\", \"weight\": 0}\n{\"text\": \"b\"}\n"), RowFormat::kAuto);
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->rows.size(), 1u);
  EXPECT_EQ(rows->rows[0].line, 2);
  EXPECT_EQ(rows->left_out, 1);
  EXPECT_THAT(ReadError("{\"text\": \"a\", \"weight\": 0}\n"), HasSubstr("all 1 say themselves"));
}

TEST_F(DatasetTest, FileThatIsNotJsonLinesGetsOneMessage) {
  const auto one = [&](const std::string& bytes) {
    const std::string error = ReadError(bytes);
    EXPECT_THAT(error, testing::Not(HasSubstr("\n")));
    EXPECT_THAT(error, StartsWith((root_ / "train.jsonl").string() + ":1: "));
    return error;
  };
  EXPECT_THAT(one("[\n  {\n    \"instruction\": \"i\",\n    \"output\": \"o\"\n  }\n]\n"),
              HasSubstr("the file is a JSON array"));
  EXPECT_THAT(one("[{\"text\": \"a\"}, {\"text\": \"b\"}]\n"), HasSubstr("jq -c '.[]'"));
  EXPECT_THAT(one("{\n  \"text\": \"a\"\n}\n{\n  \"text\": \"b\"\n}\n"),
              HasSubstr("the row goes on below this line"));
  EXPECT_THAT(one("instruction,output\na,b\nc,d\n"), HasSubstr("not a JSON object"));
  EXPECT_THAT(one("\x1f\x8b\x08 bytes"), HasSubstr("gzip"));
  EXPECT_THAT(one("PAR1 bytes"), HasSubstr("Parquet"));
  EXPECT_THAT(one(std::string("\xff\xfe{\0", 4)), HasSubstr("UTF-16"));
}

TEST_F(DatasetTest, MessagesNameTheFileAsTheyAreTold) {
  const auto rows = ReadDataset(Write("{\"text\": 1}\n"), RowFormat::kAuto, "data/law.jsonl");
  EXPECT_THAT(std::string(rows.status().message()), StartsWith("data/law.jsonl:1: 'text' is"));
}

TEST(RowTest, HostileLinesAreErrors) {
  EXPECT_THAT(ErrorOf("{\"text\": "), StartsWith("no JSON: column "));
  EXPECT_THAT(ErrorOf("[1]"), HasSubstr("the row is array"));
  EXPECT_THAT(ErrorOf("{\"text\": \"a\xff\"}"), HasSubstr("byte 12 of the line is not UTF-8"));
  EXPECT_THAT(ErrorOf(std::string(1'000'000, '[')), HasSubstr("nested more than"));
  EXPECT_THAT(ErrorOf("{\"text\": \"\\ud800\"}"), StartsWith("no JSON"));
  std::string many = "{\"x\": [0";
  for (int i = 0; i < 1'000'001; ++i) many += ",0";
  EXPECT_THAT(ErrorOf(many + "], \"text\": \"t\"}"), HasSubstr("values"));
  EXPECT_LT(ErrorOf("{\"text\": nul" + std::string(1 << 20, 'x')).size(), 400u);
}

TEST_F(DatasetTest, ByteOrderMarkCarriageReturnsAndBlankLinesAreUnderstood) {
  const auto rows = ReadDataset(Write("\xEF\xBB\xBF{\"text\": \"a\"}\r\n\r\n  \n{\"text\": \"b\"}"),
                                RowFormat::kAuto);
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->rows.size(), 2u);
  EXPECT_EQ(rows->rows[0].text, "a");
  EXPECT_EQ(rows->rows[1].line, 4);
}

TEST_F(DatasetTest, EveryProblemIsNamedByFileAndLineUpToTheLimit) {
  const std::string path = (root_ / "train.jsonl").string();
  EXPECT_THAT(ReadError("{\"text\": \"a\"}\nnope\n{\"output\": \"o\"}\n"),
              testing::AllOf(StartsWith(path + ":2: no JSON"),
                             HasSubstr("\n" + path + ":3: row has no 'instruction'")));
  const auto rows = ReadDataset(Write("{}\n2\n3\n4\n"), RowFormat::kAuto, "", 2);
  EXPECT_THAT(std::string(rows.status().message()), testing::Not(HasSubstr(":3:")));
}

TEST_F(DatasetTest, LongLineIsNamedAndItsNeighboursAreRead) {
  const std::string huge = "{\"text\": \"" + std::string(17 << 20, 'x') + "\"}\n";
  EXPECT_THAT(ReadError("{\"text\": \"a\"}\n" + huge + "{\"text\": \"b\"}\n"),
              HasSubstr("train.jsonl:2: the line is longer than 16 MiB"));
}

TEST_F(DatasetTest, LineAcrossReadsIsWhole) {
  const std::string text(200'000, 'y');
  const auto rows =
      ReadDataset(Write("{\"text\": \"" + text + "\"}\n{\"text\": \"z\"}\n"), RowFormat::kText);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->rows[0].text, text);
  EXPECT_EQ(rows->rows[1].text, "z");
}

TEST_F(DatasetTest, EmptyFileMissingFileAndDirectorySaySo) {
  EXPECT_THAT(ReadError(""), HasSubstr("no rows"));
  EXPECT_THAT(ReadError("\n\n"), HasSubstr("no rows"));
  EXPECT_EQ(ReadDataset(root_ / "none", RowFormat::kAuto).status().code(),
            absl::StatusCode::kNotFound);
  const auto directory = ReadDataset(root_, RowFormat::kAuto);
  EXPECT_THAT(std::string(directory.status().message()), HasSubstr("not a file"));
}

TEST(RowFormatTest, NamesAreThoseOfTheDomainFile) {
  EXPECT_EQ(*ParseRowFormat("sharegpt"), RowFormat::kShareGpt);
  EXPECT_THAT(std::string(ParseRowFormat("csv").status().message()),
              HasSubstr("unknown format 'csv': formats are auto, alpaca"));
}

}  // namespace
}  // namespace mozgach
