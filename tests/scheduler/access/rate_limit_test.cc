#include "scheduler/access/rate_limit.h"

#include <gtest/gtest.h>

namespace mozgach {
namespace {

int Taken(RateLimit& limit, const std::string& name, Milliseconds now, int tries) {
  int taken = 0;
  for (int i = 0; i < tries; ++i) taken += limit.Take(name, now) ? 1 : 0;
  return taken;
}

TEST(RateLimitTest, ABurstThenSoManyASecond) {
  RateLimit limit(10, 50);
  EXPECT_EQ(Taken(limit, "a", Milliseconds(1000), 100), 50);
  EXPECT_EQ(Taken(limit, "a", Milliseconds(2000), 100), 10);
  EXPECT_EQ(Taken(limit, "a", Milliseconds(2100), 100), 1);
  EXPECT_EQ(Taken(limit, "a", Milliseconds(1'000'000), 100), 50);
}

TEST(RateLimitTest, OneDoesNotUseUpAnothersAndTimeNeverRunsBack) {
  RateLimit limit(10, 50);
  EXPECT_EQ(Taken(limit, "a", Milliseconds(5000), 100), 50);
  EXPECT_EQ(Taken(limit, "b", Milliseconds(5000), 100), 50);
  EXPECT_EQ(Taken(limit, "a", Milliseconds(1000), 100), 0);
  EXPECT_EQ(Taken(limit, "a", Milliseconds(5000), 100), 0);
}

}  // namespace
}  // namespace mozgach
