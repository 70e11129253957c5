#include "worker/session/call_schedule.h"

#include <gtest/gtest.h>

namespace mozgach {
namespace {

constexpr Milliseconds kLease{30'000};

class CallScheduleTest : public ::testing::Test {
 protected:
  bool Start() { return schedule_.Start(now_, &call_); }
  void Answered(Milliseconds call_again = Milliseconds(0)) {
    EXPECT_TRUE(schedule_.Answered(call_.number, now_, kLease, call_again));
  }
  // The call that introduces the worker is over, and a held one is open.
  void Settle() {
    ASSERT_TRUE(Start());
    Answered();
    now_ += Milliseconds(20);
    ASSERT_TRUE(Start());
    ASSERT_GT(call_.hold, Milliseconds(0));
  }

  CallSchedule schedule_{CallScheduleOptions(), /*seed=*/1};
  CallSchedule::Call call_;
  Milliseconds now_{1'000};
};

TEST_F(CallScheduleTest, OneCallAtATime) {
  ASSERT_TRUE(Start());
  EXPECT_EQ(call_.hold, Milliseconds(0));
  schedule_.UrgentNews();
  now_ += Milliseconds(5'000);
  EXPECT_FALSE(Start()) << "a quick call is never given up";
  EXPECT_EQ(schedule_.NextDue(now_), Milliseconds::max());
}

TEST_F(CallScheduleTest, UrgentNewsGivesUpAHeldCallAtOnce) {
  Settle();
  const int64_t held = call_.number;
  EXPECT_FALSE(Start());
  schedule_.UrgentNews();
  ASSERT_TRUE(Start());
  EXPECT_EQ(call_.replaces, held);
  EXPECT_EQ(call_.hold, Milliseconds(0));
  EXPECT_FALSE(schedule_.Failed(held, now_)) << "its end means nothing any more";
  EXPECT_EQ(schedule_.failures(), 0);
}

TEST_F(CallScheduleTest, ProgressGoesOutTwiceASecondAtMost) {
  Settle();
  int quick = 0;
  for (int i = 0; i < 1'000; ++i, now_ += Milliseconds(10)) {
    schedule_.ProgressNews();
    if (!Start()) continue;
    if (call_.hold == Milliseconds(0)) {
      ++quick;
      Answered();
    }
  }
  EXPECT_GE(quick, 18);
  EXPECT_LE(quick, 21);
}

TEST_F(CallScheduleTest, ProgressWaitsUntilTheSchedulerWantsToBeCalledAgain) {
  ASSERT_TRUE(Start());
  Answered(Milliseconds(3'000));
  schedule_.ProgressNews();
  now_ += Milliseconds(2'990);
  if (Start()) {
    EXPECT_GT(call_.hold, Milliseconds(0));
  }
  now_ += Milliseconds(10);
  ASSERT_TRUE(Start());
  EXPECT_EQ(call_.hold, Milliseconds(0));
}

TEST_F(CallScheduleTest, HeldCallFollowsAnAnswerAtOnceWhateverTheSchedulerSays) {
  ASSERT_TRUE(Start());
  Answered(Milliseconds(5'000));
  now_ += Milliseconds(20);
  EXPECT_TRUE(Start());
}

TEST_F(CallScheduleTest, SchedulerThatDoesNotHoldCallsIsLeftInPeace) {
  Settle();
  now_ += Milliseconds(1);
  Answered(Milliseconds(2'000));
  now_ += Milliseconds(1'999);
  EXPECT_FALSE(Start());
  now_ += Milliseconds(1);
  EXPECT_TRUE(Start());
}

TEST_F(CallScheduleTest, HoldIsAThirdOfTheLeaseAtMost) {
  ASSERT_TRUE(Start());
  EXPECT_TRUE(schedule_.Answered(call_.number, now_, Milliseconds(3'000), Milliseconds(0)));
  now_ += Milliseconds(20);
  ASSERT_TRUE(Start());
  EXPECT_EQ(call_.hold, Milliseconds(1'000));
  EXPECT_GT(call_.deadline, call_.hold);
}

TEST_F(CallScheduleTest, FailuresBackOffWithJitterAndAnAnswerEndsThat) {
  Milliseconds waited{0};
  for (int failures = 0; failures < 12; ++failures) {
    ASSERT_TRUE(Start());
    EXPECT_TRUE(schedule_.Failed(call_.number, now_));
    schedule_.UrgentNews();
    EXPECT_FALSE(Start()) << "news does not shorten it";
    waited = schedule_.NextDue(now_) - now_;
    now_ += waited;
  }
  EXPECT_GE(waited, Milliseconds(7'500));
  EXPECT_LE(waited, Milliseconds(22'500));
  ASSERT_TRUE(Start());
  Answered();
  EXPECT_EQ(schedule_.failures(), 0);
}

TEST_F(CallScheduleTest, WorkersComeBackAtDifferentTimes) {
  CallSchedule other(CallScheduleOptions(), /*seed=*/2);
  CallSchedule::Call call;
  ASSERT_TRUE(Start());
  ASSERT_TRUE(other.Start(now_, &call));
  schedule_.Failed(call_.number, now_);
  other.Failed(call.number, now_);
  EXPECT_NE(schedule_.NextDue(now_), other.NextDue(now_));
}

}  // namespace
}  // namespace mozgach
