#include "ctl/local/issue_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "common/files.h"
#include "tests/registry/temporary_directory.h"

namespace mozgach {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class IssueLogTest : public ::testing::Test {
 protected:
  absl::Status Record(const std::string& name, int64_t millis) const {
    return RecordIssue(dir_, {.role = Role::kWorker, .name = name, .issued = FromMillis(millis)});
  }
  void Append(const std::string& text) const {
    std::ofstream(dir_ / "issued.jsonl", std::ios::app) << text;
  }

  const TemporaryDirectory directory_;
  const std::filesystem::path dir_ = directory_.path();
};

TEST_F(IssueLogTest, TimesOfANameComeSorted) {
  EXPECT_EQ(IssueTimes(dir_, "alpha").status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(Record("alpha", 3000).ok());
  ASSERT_TRUE(Record("beta", 2000).ok());
  ASSERT_TRUE(Record("alpha", 1000).ok());
  EXPECT_THAT(*IssueTimes(dir_, "alpha"), ElementsAre(FromMillis(1000), FromMillis(3000)));
  EXPECT_THAT(*IssueTimes(dir_, "gamma"), IsEmpty());
}

TEST_F(IssueLogTest, HalfALineOfACrashIsRemovedByTheNext) {
  ASSERT_TRUE(Record("alpha", 1000).ok());
  Append(R"({"name": "alpha", "issu)");
  EXPECT_THAT(*IssueTimes(dir_, "alpha"), ElementsAre(FromMillis(1000)));
  ASSERT_TRUE(Record("alpha", 2000).ok());
  EXPECT_THAT(*IssueTimes(dir_, "alpha"), ElementsAre(FromMillis(1000), FromMillis(2000)));
}

TEST_F(IssueLogTest, ALineThatIsNoRecordIsNamed) {
  ASSERT_TRUE(Record("alpha", 1000).ok());
  Append("nonsense\n");
  const absl::Status status = IssueTimes(dir_, "alpha").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("issued.jsonl, line 2: "));
}

TEST_F(IssueLogTest, WritersAtOnceLoseNothing) {
  constexpr int kWriters = 4, kRecords = 25;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < kRecords; ++i)
        ASSERT_TRUE(Record("alpha", 1 + writer * kRecords + i).ok());
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(IssueTimes(dir_, "alpha")->size(), size_t{kWriters * kRecords});
}

}  // namespace
}  // namespace mozgach
