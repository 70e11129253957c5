#include "scheduler/jobs/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/files.h"
#include "tests/registry/temporary_directory.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

class ConfigTest : public ::testing::Test {
 protected:
  absl::StatusOr<SchedulerConfig> Read(const std::string& text) {
    const auto path = directory_.path() / "scheduler.yaml";
    EXPECT_TRUE(WriteFileAtomically(path, text).ok());
    return ReadSchedulerConfig(path);
  }
  std::string Mistake(const std::string& text) {
    const auto config = Read(text);
    EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(config.status().message());
  }
  TemporaryDirectory directory_;
};

TEST_F(ConfigTest, AbsentKeysKeepTheirDefaults) {
  const auto config = Read("lease_seconds: 2.5\nblob_bytes_max: 1000\n");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->lease, Milliseconds(2500));
  EXPECT_EQ(config->blob_bytes_max, 1000u);
  EXPECT_EQ(config->failures_max, 3);
  EXPECT_TRUE(Read("").ok());
}

TEST_F(ConfigTest, RulesOfRetentionAreReadAndKeepEveryVersionByDefault) {
  const auto config = Read(
      "versions_kept: 3\njob_days_kept: 30\nevent_days_kept: 0\nlog_days_kept: 14\n"
      "blob_days_kept: 2\nretention_interval_seconds: 60\n");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->versions_kept, 3);
  EXPECT_EQ(config->job_days_kept, 30);
  EXPECT_EQ(config->event_days_kept, 0);
  EXPECT_EQ(config->log_days_kept, 14);
  EXPECT_EQ(config->blob_days_kept, 2);
  EXPECT_EQ(config->retention_interval, Milliseconds(60'000));
  EXPECT_EQ(Read("")->versions_kept, 0);
  EXPECT_THAT(Mistake("versions_kept: -1\n"), HasSubstr("from 0"));
}

TEST_F(ConfigTest, AKeyThatThereIsNotIsNamedWithTheNearest) {
  EXPECT_THAT(Mistake("lease_second: 30\n"),
              HasSubstr("unknown key 'lease_second'; did you mean 'lease_seconds'?  there are "));
  EXPECT_THAT(Mistake("insecure_plain_text: true\n"), HasSubstr("'insecure_plaintext'?"));
  EXPECT_THAT(Mistake("colour: red\n"), HasSubstr("unknown key 'colour'; there are "));
}

TEST_F(ConfigTest, EndpointsAreReadByTheirFlagsNames) {
  const auto config =
      Read("tls: /etc/mozgach\ninsecure_plaintext: true\ncalls_per_second_max: 5\n");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->tls, "/etc/mozgach");
  EXPECT_TRUE(config->insecure_plaintext);
  EXPECT_EQ(config->calls_per_second_max, 5);
  EXPECT_FALSE(Read("")->insecure_plaintext);
  EXPECT_THAT(Mistake("insecure_plaintext: perhaps\n"), HasSubstr("true or false"));
  EXPECT_THAT(Mistake("tls: [a]\n"), HasSubstr("scheduler.yaml:1:6"));
}

TEST_F(ConfigTest, MistakesSayWhere) {
  EXPECT_THAT(Mistake("lease_seconds: 30\nleese: 3\n"),
              HasSubstr("scheduler.yaml:2:1: unknown key 'leese'"));
  EXPECT_THAT(Mistake("lease_seconds: soon\n"), HasSubstr("must be a number"));
  EXPECT_THAT(Mistake("lease_seconds: 0\n"), HasSubstr("0.1"));
  EXPECT_THAT(Mistake("lease_seconds: .nan\n"), HasSubstr("must be a number"));
  EXPECT_THAT(Mistake("- a\n"), HasSubstr("expected keys"));
  Mistake("a: [\n");
  EXPECT_FALSE(ReadSchedulerConfig(directory_.path() / "nowhere.yaml").ok());
}

}  // namespace
}  // namespace mozgach
