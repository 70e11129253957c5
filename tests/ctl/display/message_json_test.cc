#include "ctl/display/message_json.h"

#include "ctl/client/selection.h"
#include "gtest/gtest.h"
#include "mozgach/v1/job_service.pb.h"

namespace mozgach {
namespace {

TEST(MessageJsonTest, FieldsKeepTheirNamesAndTypes) {
  v1::Job job;
  job.set_job(int64_t{1} << 53);
  job.set_memory_peak_bytes(UINT64_MAX);
  (*job.mutable_labels())["team"] = "law";
  job.set_metrics_json(R"({"adapter": {"eval_loss": 0.5}})");
  v1::Dataset& dataset = *job.add_datasets();
  dataset.set_role(v1::Dataset::TRAIN);
  const nlohmann::ordered_json json = ToJson(job);
  EXPECT_EQ(json.begin().key(), "job");
  EXPECT_EQ(json["job"], int64_t{1} << 53);
  EXPECT_EQ(json["memory_peak_bytes"], UINT64_MAX);
  EXPECT_TRUE(json["loss"].is_null());
  EXPECT_EQ(json["labels"]["team"], "law");
  EXPECT_EQ(json["metrics"]["adapter"]["eval_loss"], 0.5);
  EXPECT_EQ(json["spec"], nlohmann::ordered_json::object());
  EXPECT_EQ(json["datasets"][0]["role"], "train");
  EXPECT_EQ(json["cancel_requested"], false);
  EXPECT_FALSE(json.contains("metrics_json"));
}

TEST(MessageJsonTest, WhatIsNoJsonInAJsonFieldStaysText) {
  v1::Job job;
  job.set_metrics_json("{broken");
  EXPECT_EQ(ToJson(job)["metrics"], "{broken");
}

TEST(MessageJsonTest, BytesThatAreNotUtf8DoNotBreakTheOutput) {
  v1::Job job;
  job.set_reason("a\xff");
  EXPECT_NE(DumpLine(ToJson(job)).find("a\uFFFD"), std::string::npos);
}

TEST(SelectionTest, DigitsAreJobsAndNamesAreDomains) {
  const auto selector = ParseSelector({"12", "law", "3rd"});
  ASSERT_TRUE(selector.ok());
  EXPECT_EQ(selector->jobs(0), 12);
  EXPECT_EQ(selector->domains(0), "law");
  EXPECT_EQ(selector->domains(1), "3rd");
  for (const char* bad : {"", "0", "99999999999999999999", "Law", "-1", "a/b"}) {
    EXPECT_FALSE(ParseSelector({bad}).ok()) << bad;
  }
}

TEST(SelectionTest, VersionsAreNamedWithAnAt) {
  EXPECT_EQ(ParseVersion("law")->version, "");
  EXPECT_EQ(ParseVersion("law@v0002")->version, "v0002");
  EXPECT_EQ(ParseVersion("law@champion")->domain, "law");
  for (const char* bad : {"", "@v1", "law@", "LAW@v1"}) EXPECT_FALSE(ParseVersion(bad).ok()) << bad;
}

}  // namespace
}  // namespace mozgach
