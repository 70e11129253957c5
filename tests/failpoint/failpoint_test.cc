#include "failpoint/failpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <chrono>
#include <string>
#include <vector>

namespace mozgach {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

int taken = 0;

absl::Status Step() {
  ++taken;
  return absl::OkStatus();
}

absl::Status First() { return DURABLE("test.first.take", Step()); }
absl::Status Second() { return DURABLE("test.second.take", Step()); }

class FailpointTest : public ::testing::Test {
 protected:
  FailpointTest() { taken = 0; }
  ~FailpointTest() override {
    WatchFailpoints(nullptr);
    EXPECT_TRUE(ArmFailpoints("").ok());
  }
};

TEST_F(FailpointTest, AreKnownBeforeTheyAreReached) {
  EXPECT_THAT(FailpointNames(), ElementsAre("test.first.take", "test.second.take"));
}

TEST_F(FailpointTest, UnarmedOneIsNothingButItsStep) {
  EXPECT_TRUE(First().ok());
  EXPECT_EQ(taken, 1);
}

TEST_F(FailpointTest, ErrorComesInsteadOfTheStep) {
  ASSERT_TRUE(ArmFailpoints("test.first.take=error").ok());
  EXPECT_THAT(std::string(First().message()), HasSubstr("test.first.take"));
  EXPECT_EQ(taken, 0);
  EXPECT_TRUE(Second().ok()) << "another one";
}

TEST_F(FailpointTest, ErrorAfterComesAlthoughTheStepWasTaken) {
  ASSERT_TRUE(ArmFailpoints("test.first.take=error_after").ok());
  EXPECT_FALSE(First().ok());
  EXPECT_EQ(taken, 1);
}

TEST_F(FailpointTest, CountSaysWhichTime) {
  ASSERT_TRUE(ArmFailpoints("test.first.take=error@2, test.second.take=error@1").ok());
  EXPECT_TRUE(First().ok());
  EXPECT_FALSE(First().ok());
  EXPECT_TRUE(First().ok());
  EXPECT_FALSE(Second().ok());
}

TEST_F(FailpointTest, ArmingAnewForgetsWhatWasArmed) {
  ASSERT_TRUE(ArmFailpoints("test.first.take=error").ok());
  ASSERT_TRUE(ArmFailpoints("test.second.take=error").ok());
  EXPECT_TRUE(First().ok());
}

TEST_F(FailpointTest, DelayWaits) {
  ASSERT_TRUE(ArmFailpoints("test.first.take=delay(50)").ok());
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(First().ok());
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(50));
}

TEST_F(FailpointTest, CrashIsSigkillOnTheSideThatWasNamed) {
  EXPECT_EXIT(
      {
        (void)ArmFailpoints("test.first.take=crash_before");
        (void)DURABLE("test.first.take", (std::fputs("taken\n", stderr), Step()));
      },
      ::testing::KilledBySignal(SIGKILL), "^$");
  EXPECT_EXIT(
      {
        (void)ArmFailpoints("test.first.take=crash_after");
        (void)DURABLE("test.first.take", (std::fputs("taken\n", stderr), Step()));
      },
      ::testing::KilledBySignal(SIGKILL), "taken");
}

TEST_F(FailpointTest, WatcherHearsOfBothSides) {
  static std::vector<std::string> heard;
  WatchFailpoints([](const Failpoint& point, bool done) {
    heard.push_back(std::string(done ? "after " : "before ") + point.name());
  });
  EXPECT_TRUE(Second().ok());
  EXPECT_THAT(heard, ElementsAre("before test.second.take", "after test.second.take"));
}

TEST_F(FailpointTest, NonsenseIsRefusedAndSaysWhat) {
  for (const char* nonsense : {"test.first.take", "test.first.take=explode", "a=error@0",
                               "a=error@x", "a=error@1@2", "a=delay(x)", "a=delay(-1)"}) {
    EXPECT_EQ(ArmFailpoints(nonsense).code(), absl::StatusCode::kInvalidArgument) << nonsense;
  }
}

TEST_F(FailpointTest, NameOfAnotherProgramIsPassedOver) {
  EXPECT_TRUE(ArmFailpoints("other.thing.do=crash_before").ok());
  EXPECT_TRUE(First().ok());
}

}  // namespace
}  // namespace mozgach
