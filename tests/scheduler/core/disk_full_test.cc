// A full disk: a clear failure, nothing half-done, and on it goes when there is room.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "registry/query.h"
#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

class DiskFullTest : public Fleet {
 protected:
  // No page may be added to the database from here on.
  void FillTheDisk() {
    static constexpr char kPages[] = "SELECT page_count FROM pragma_page_count";
    Query pages(*database_, kPages);
    ASSERT_TRUE(pages.Next());
    ASSERT_TRUE(database_->Execute(absl::StrCat("PRAGMA max_page_count = ", pages.Int(0))).ok());
  }
  void MakeRoom() { ASSERT_TRUE(database_->Execute("PRAGMA max_page_count = 1000000").ok()); }
  // Submits until the disk is full; returns how many domains were taken.
  int SubmitUntilFull() {
    for (int i = 0; i < 10000; ++i) {
      const auto response = TrySubmit({Domain(absl::StrCat("domain-", i))});
      if (response.ok()) continue;
      EXPECT_EQ(response.status().code(), absl::StatusCode::kResourceExhausted);
      EXPECT_THAT(std::string(response.status().message()), HasSubstr("make room"));
      return i;
    }
    return -1;
  }
};

TEST_F(DiskFullTest, SubmitIsTakenWholeOrNotAtAll) {
  FillTheDisk();
  const int taken = SubmitUntilFull();
  ASSERT_GE(taken, 0);
  EXPECT_EQ(core_->List(now_, v1::ListRequest())->jobs_size(), taken);
  std::vector<v1::Submission> many;
  for (int i = 0; i < 100; ++i) many.push_back(Domain(absl::StrCat("more-", i)));
  EXPECT_EQ(TrySubmit(many).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(core_->List(now_, v1::ListRequest())->jobs_size(), taken);
  MakeRoom();
  EXPECT_TRUE(TrySubmit(many).ok());
  EXPECT_EQ(core_->List(now_, v1::ListRequest())->jobs_size(), taken + 100);
}

TEST_F(DiskFullTest, RunningJobKeepsItsLeaseAndPublishesWhenThereIsRoom) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  const v1::Assignment assignment = Claim(alpha);
  v1::Result result = Result();
  // More than what is left in the database's pages.
  std::string many = "\"eval_loss\": 1";
  for (int i = 0; i < 3000; ++i) absl::StrAppend(&many, ",\"metric", i, "\":1");
  result.set_metrics_json(absl::StrCat("{\"adapter\": {", many, "}}"));
  *alpha.Reports(assignment, v1::AttemptReport::FINISHED).mutable_result() = result;
  FillTheDisk();
  for (int i = 0; i < 5; ++i) {
    const v1::SynchronizeResponse response = Call(alpha);
    ASSERT_NE(Named(response, job), nullptr);
    EXPECT_EQ(Named(response, job)->desired(), v1::Assignment::RUN);
    Pass(config_.lease - Milliseconds(1));
    EXPECT_EQ(State(job), "running");
  }
  EXPECT_THAT(Get(job).reason(), HasSubstr("make room"));
  EXPECT_TRUE(Versions().empty());
  EXPECT_FALSE(std::filesystem::exists(RegistryRoot() / "adapters" / "law"));
  MakeRoom();
  const v1::SynchronizeResponse response = Call(alpha);
  ASSERT_NE(Named(response, job), nullptr);
  EXPECT_EQ(Named(response, job)->desired(), v1::Assignment::PUBLISHED);
  EXPECT_EQ(State(job), "succeeded");
  EXPECT_EQ(Versions().size(), 1u);
}

}  // namespace
}  // namespace mozgach
