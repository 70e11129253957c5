#include "trainer/serve/inbox.h"

#include <gtest/gtest.h>

#include <thread>

namespace mozgach {
namespace {

TrainRequest Job(int64_t job, int64_t attempt = 1) {
  TrainRequest request;
  request.id = {job, attempt};
  return request;
}

TEST(InboxTest, AtMostFourWait) {
  Inbox inbox;
  for (int64_t job = 1; job <= 4; ++job) EXPECT_TRUE(inbox.Add(Job(job)).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(inbox.Add(Job(5))));
  ASSERT_TRUE(inbox.Next().has_value());
  EXPECT_TRUE(inbox.Add(Job(5)).ok());
}

TEST(InboxTest, WaitingForWorkEndsWithItOrWithTimeoutOrAtTheEnd) {
  Inbox inbox;
  EXPECT_FALSE(inbox.WaitForWork(std::chrono::milliseconds(1)));
  ASSERT_TRUE(inbox.Add(Job(1)).ok());
  EXPECT_TRUE(inbox.WaitForWork(std::chrono::hours(1)));
  EXPECT_TRUE(inbox.Next().has_value()) << "it is still there";
  inbox.Close();
  EXPECT_TRUE(inbox.WaitForWork(std::chrono::hours(1)));
}

TEST(InboxTest, CancelReachesTheOneInProgressAndNoOther) {
  Inbox inbox;
  ASSERT_TRUE(inbox.Add(Job(1)).ok());
  ASSERT_TRUE(inbox.Add(Job(2)).ok());
  inbox.Next();
  EXPECT_FALSE(inbox.Cancel({1, 7}));  // another attempt
  EXPECT_EQ(inbox.Current(), Interruption::kNone);
  EXPECT_FALSE(inbox.Cancel({1, 1}));
  EXPECT_EQ(inbox.Current(), Interruption::kCancel);
  inbox.Next();
  EXPECT_EQ(inbox.Current(), Interruption::kNone);
}

TEST(InboxTest, OneThatIsToSaveStopsUnlessItIsCancelledAfterAll) {
  Inbox inbox;
  ASSERT_TRUE(inbox.Add(Job(1)).ok());
  inbox.Next();
  EXPECT_FALSE(inbox.Cancel({1, 1}, /*save=*/true));
  EXPECT_EQ(inbox.Current(), Interruption::kStop);
  inbox.Cancel({1, 1});
  EXPECT_EQ(inbox.Current(), Interruption::kCancel);
  inbox.Cancel({1, 1}, /*save=*/true);
  EXPECT_EQ(inbox.Current(), Interruption::kCancel);
}

TEST(InboxTest, AWaitingJobThatIsCancelledNeverStarts) {
  Inbox inbox;
  ASSERT_TRUE(inbox.Add(Job(1)).ok());
  ASSERT_TRUE(inbox.Add(Job(2)).ok());
  EXPECT_TRUE(inbox.Cancel({1, 1}));
  EXPECT_EQ(std::get<TrainRequest>(*inbox.Next()).id.job, 2);
}

TEST(InboxTest, ClosingWakesWhoWaitsAndStopsWhatRuns) {
  Inbox inbox;
  ASSERT_TRUE(inbox.Add(Job(1)).ok());
  inbox.Next();
  std::thread closer([&] { inbox.Close(); });
  EXPECT_FALSE(inbox.Next().has_value());
  closer.join();
  EXPECT_EQ(inbox.Current(), Interruption::kStop);
}

}  // namespace
}  // namespace mozgach
