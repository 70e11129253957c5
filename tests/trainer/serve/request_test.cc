#include "trainer/serve/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mozgach {
namespace {

using ::testing::HasSubstr;

std::string Refusal(const std::string& line) {
  const auto request = ParseRequest(line);
  EXPECT_TRUE(absl::IsInvalidArgument(request.status())) << line;
  return std::string(request.status().message());
}

TEST(RequestTest, ATrainRequestIsReadWhole) {
  const auto request = ParseRequest(
      R"({"op": "train", "job": 7, "attempt": 2, "spec": {"domain": "x"}, "base_dir": "/b",
          "data": {"train": ["/a", "/c"], "validation": null, "test": "/t"},
          "output_dir": "/o", "checkpoint_dir": "/k", "cache_dir": "/h",
          "pinned": {"compute_dtype": "float32", "threads": 3}, "unknown": 1})");
  ASSERT_TRUE(request.ok()) << request.status();
  const auto& train = std::get<TrainRequest>(*request);
  EXPECT_EQ(train.id, (AttemptId{7, 2}));
  EXPECT_EQ(train.data.train.size(), 2u);
  EXPECT_FALSE(train.data.validation.has_value());
  EXPECT_EQ(train.data.test, "/t");
  EXPECT_EQ(train.pinned.threads, 3);
  EXPECT_EQ(train.pinned.compute_dtype, "float32");
}

TEST(RequestTest, ALoadRequestHasTheDomainFilesQuantization) {
  const auto request = ParseRequest(
      R"({"op": "load", "base": "a/b", "base_dir": "/b",
          "quantization": {"load_in_4bit": false}})");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_FALSE(std::get<LoadRequest>(*request).quantization.load_in_4bit);
  EXPECT_FALSE(ParseRequest(R"({"op": "load", "base": "a/b", "base_dir": "/b",
                                "quantization": {"load_in_9bit": true}})")
                   .ok());
}

TEST(RequestTest, CancelAndExitAreRead) {
  EXPECT_TRUE(std::holds_alternative<ExitRequest>(*ParseRequest(R"({"op": "exit"})")));
  const auto cancel = ParseRequest(R"({"op": "cancel", "job": 1, "attempt": 9})");
  EXPECT_EQ(std::get<CancelRequest>(*cancel).id, (AttemptId{1, 9}));
}

TEST(RequestTest, WhatIsNoRequestIsRefusedWithTheReason) {
  EXPECT_THAT(Refusal("not json"), HasSubstr("no JSON"));
  EXPECT_THAT(Refusal("[1]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(Refusal(R"({"op": "dance"})"), HasSubstr("'dance'"));
  EXPECT_THAT(Refusal(R"({"job": 1})"), HasSubstr("op"));
  EXPECT_THAT(Refusal(R"({"op": "cancel", "job": 1})"), HasSubstr("attempt"));
  EXPECT_THAT(Refusal(R"({"op": "cancel", "job": "1", "attempt": 1})"), HasSubstr("number"));
  EXPECT_THAT(Refusal(R"({"op": "train", "job": 1, "attempt": 1, "spec": {}, "base_dir": "/b",
                          "data": {"train": ["/a"]}, "output_dir": "/o",
                          "pinned": {"threads": 0}})"),
              HasSubstr("'threads' is not a whole number from 1 to 1024"));
}

TEST(RequestTest, DeepNestingIsRefusedBeforeADocumentIsBuilt) {
  const std::string deep = std::string(3'000'000, '[') + std::string(3'000'000, ']');
  EXPECT_THAT(
      Refusal(R"({"op": "load", "base": "a/b", "base_dir": "/b", "quantization": )" + deep + "}"),
      HasSubstr("nested"));
  EXPECT_THAT(Refusal(std::string(100000, '[')), HasSubstr("nested"));
}

TEST(RequestTest, JobAndAttemptAreWholeNumbersFromOneOn) {
  for (const char* number :
       {"99999999999999999999", "1e30", "1.5", "0", "-1", "18446744073709551615", "true"}) {
    const std::string line =
        std::string(R"({"op": "cancel", "attempt": 1, "job": )") + number + "}";
    EXPECT_THAT(Refusal(line), HasSubstr("whole number")) << number;
  }
  EXPECT_TRUE(ParseRequest(R"({"op": "cancel", "attempt": 1, "job": 9223372036854775807})").ok());
}

}  // namespace
}  // namespace mozgach
