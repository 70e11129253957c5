#include "scheduler/state/change_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mozgach {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ChangeFeedTest, TellsEachJobOnceInTheOrderOfItsLatestChange) {
  ChangeFeed feed;
  feed.Touch(1);
  feed.Touch(2);
  feed.Touch(1);
  EXPECT_THAT(*feed.Since(0), ElementsAre(2, 1));
  const int64_t seen = feed.latest();
  EXPECT_THAT(*feed.Since(seen), IsEmpty());
  feed.Touch(2);
  EXPECT_THAT(*feed.Since(seen), ElementsAre(2));
}

TEST(ChangeFeedTest, SaysWhenItHasForgotten) {
  ChangeFeed feed(3);
  for (int64_t job = 1; job <= 5; ++job) feed.Touch(job);
  EXPECT_FALSE(feed.Since(0).has_value());
  EXPECT_FALSE(feed.Since(1).has_value());
  EXPECT_THAT(*feed.Since(2), ElementsAre(3, 4, 5));
}

TEST(ChangeFeedTest, OneBusyJobForgetsNothing) {
  ChangeFeed feed(3);
  feed.Touch(7);
  for (int i = 0; i < 100; ++i) feed.Touch(1);
  EXPECT_THAT(*feed.Since(0), ElementsAre(7, 1));
}

}  // namespace
}  // namespace mozgach
