#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trainer/tokenizer/tiny_tokenizer.h"

namespace mozgach {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

// The message that a file of these bytes is refused with.
std::string Refusal(const std::string& bytes) {
  const TemporaryBase base;
  base.WriteText("tokenizer.json", bytes);
  const absl::Status status = Tokenizer::Load(base.path()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("tokenizer.json"));
  return std::string(status.message());
}

std::string WithModel(const std::string& vocabulary, const std::string& merges) {
  return R"({"model": {"type": "BPE", "vocab": )" + vocabulary + R"(, "merges": )" + merges + "}}";
}

// The refusal of a good file with this field in the place of its own.
std::string RefusalOf(const std::string& key, const json& value) {
  json file = CharacterFile({"a"}, {});
  file[key] = value;
  return Refusal(file.dump());
}

TEST(MalformedFileTest, AFileThatIsNotThereIsNotFound) {
  const TemporaryBase base;
  EXPECT_EQ(Tokenizer::Load(base.path()).status().code(), absl::StatusCode::kNotFound);
}

TEST(MalformedFileTest, WhatIsNoJsonIsSaidWithItsPlace) {
  EXPECT_THAT(Refusal(""), HasSubstr("line 1, column 1"));
  EXPECT_THAT(Refusal("{\"model\": {\n\"vocab\": {\"a\": 0"), HasSubstr("line 2"));
  EXPECT_THAT(Refusal(WithModel("{\"\xFF\": 0}", "[]")), HasSubstr("UTF-8"));
  EXPECT_THAT(Refusal("[1, 2]"), HasSubstr("expected an object"));
  EXPECT_THAT(Refusal("null"), HasSubstr("expected an object"));
  EXPECT_THAT(Refusal("{}"), HasSubstr("model: is missing"));
}

TEST(MalformedFileTest, EveryTruncationIsRefused) {
  const std::string whole = CharacterFile({"a", "b"}, {{"a", "b"}}).dump();
  for (size_t size = 0; size < whole.size(); ++size) Refusal(whole.substr(0, size));
}

TEST(MalformedFileTest, AVocabularyHasEveryIdAndTextOnce) {
  EXPECT_THAT(Refusal(WithModel(R"({"a": 0, "b": 0})", "[]")),
              HasSubstr("model.vocab: token 'b': id 0 is already that of 'a'"));
  EXPECT_THAT(Refusal(WithModel(R"({"a": 0, "a": 1})", "[]")), HasSubstr("'a': is there twice"));
  EXPECT_THAT(Refusal(WithModel(R"({"a": 2147483648})", "[]")),
              HasSubstr("id 2147483648 is not in [0,"));
  EXPECT_THAT(Refusal(WithModel(R"({"a": 18446744073709551615})", "[]")), HasSubstr("is not in"));
  EXPECT_THAT(Refusal(WithModel(R"({"a": -1})", "[]")), HasSubstr("id -1 is not in"));
  EXPECT_THAT(Refusal(WithModel("{}", "[]")), HasSubstr("model.vocab: has no token"));
}

TEST(MalformedFileTest, AnIdIsAnInteger) {
  for (const char* id : {"1.5", "\"1\"", "{\"b\": 1}", "[1]", "null", "true"}) {
    EXPECT_THAT(Refusal(WithModel(std::string("{\"a\": ") + id + "}", "[]")),
                HasSubstr("model.vocab, token 'a': its id is not an integer"));
  }
  EXPECT_THAT(Refusal(WithModel(R"([["a", 0.5]])", "[]")), HasSubstr("model.vocab: has no token"));
}

TEST(MalformedFileTest, MergesAreOfKnownTokens) {
  const std::string vocabulary = R"({"a": 0, "b": 1, "ab": 2})";
  EXPECT_THAT(Refusal(WithModel(vocabulary, R"(["a b", "a x"])")),
              AllOf(HasSubstr("model.merges[1] ('a' and 'x')"), HasSubstr("'x' is not in")));
  EXPECT_THAT(Refusal(WithModel(vocabulary, R"([["b", "a"]])")), HasSubstr("'ba' is not in"));
}

TEST(MalformedFileTest, AMergeIsOfTwoTokens) {
  const std::string vocabulary = R"({"a": 0, "b": 1, "ab": 2})";
  for (const char* merge : {R"("ab")", R"("a b c")", R"("")"}) {
    EXPECT_THAT(Refusal(WithModel(vocabulary, std::string("[") + merge + "]")),
                AllOf(HasSubstr("model.merges[0]"), HasSubstr("is not two tokens")));
  }
  for (const char* merge : {R"(["a"])", R"(["a", "b", "a"])", R"(["a", ["b"]])", R"(["a", 1])",
                            R"([])", "7", "{}", "null"}) {
    EXPECT_THAT(Refusal(WithModel(vocabulary, std::string("[") + merge + "]")),
                AllOf(HasSubstr("model.merges["), HasSubstr("expected")));
  }
}

TEST(MalformedFileTest, NestingIsBounded) {
  EXPECT_THAT(Refusal("{\"normalizer\": " + std::string(100'000, '[')), HasSubstr("too deeply"));
}

TEST(MalformedFileTest, ANormalizerWeDoNotHaveIsNamed) {
  EXPECT_THAT(RefusalOf("normalizer", {{"type", "StripAccents"}}),
              HasSubstr("normalizer.type: 'StripAccents' is not supported"));
  const json inner = json::array({json{{"type", "Nmt"}}});
  EXPECT_THAT(RefusalOf("normalizer", {{"type", "Sequence"}, {"normalizers", inner}}),
              HasSubstr("normalizer.normalizers[0].type: 'Nmt'"));
  EXPECT_THAT(RefusalOf("normalizer",
                        {{"type", "Replace"}, {"pattern", {{"Regex", "(a)"}}}, {"content", "$1"}}),
              HasSubstr("normalizer.content: '$'"));
  EXPECT_THAT(RefusalOf("normalizer", 7),
              HasSubstr("normalizer: expected an object, found number"));
}

TEST(MalformedFileTest, APreTokenizerWeDoNotHaveIsNamed) {
  EXPECT_THAT(RefusalOf("pre_tokenizer", {{"type", "Whitespace"}}), HasSubstr("'Whitespace'"));
  EXPECT_THAT(
      RefusalOf("pre_tokenizer",
                {{"type", "Split"}, {"pattern", {{"String", " "}}}, {"behavior", "Sideways"}}),
      HasSubstr("pre_tokenizer.behavior: 'Sideways'"));
  EXPECT_THAT(
      RefusalOf("pre_tokenizer",
                {{"type", "Split"}, {"pattern", {{"Regex", "(a"}}}, {"behavior", "Isolated"}}),
      HasSubstr("pre_tokenizer.pattern.Regex: the pattern (a cannot be compiled"));
  EXPECT_THAT(RefusalOf("pre_tokenizer", {{"type", "Metaspace"}, {"replacement", "ab"}}),
              HasSubstr("expected one character"));
  const json steps = json::array({json{{"type", "ByteLevel"}}, json{{"type", "Digits"}}});
  EXPECT_THAT(RefusalOf("pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", steps}}),
              HasSubstr("pretokenizers[1].type: a step after ByteLevel"));
}

TEST(MalformedFileTest, WhatElseWeDoNotHaveIsNamed) {
  EXPECT_THAT(RefusalOf("post_processor", {{"type", "BertProcessing"}}),
              HasSubstr("post_processor.type: 'BertProcessing'"));
  EXPECT_THAT(RefusalOf("decoder", {{"type", "CTC"}}), HasSubstr("decoder.type: 'CTC'"));
  EXPECT_THAT(RefusalOf("added_tokens", 7), HasSubstr("added_tokens: expected a list"));
}

}  // namespace
}  // namespace mozgach
