#include "common/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "common/duration.h"
#include "common/end_signals.h"
#include "common/work_count.h"

namespace mozgach {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class LogTest : public testing::Test {
 protected:
  ~LogTest() override { ::unsetenv("MOZGACH_LOG"); }

  absl::Status CheckLevel(const char* level) {
    ::setenv("MOZGACH_LOG", level, 1);
    return CheckLogLevel();
  }
};

TEST_F(LogTest, TakesLevelsInAnyCase) {
  for (const char* level : {"", "info", "INFO", "Debug", "trace", "warn", "warning", "error", "err",
                            "critical", "off"}) {
    EXPECT_TRUE(CheckLevel(level).ok()) << level;
  }
  ::unsetenv("MOZGACH_LOG");
  EXPECT_TRUE(CheckLogLevel().ok());
}

TEST_F(LogTest, UnknownLevelIsAnErrorThatListsThem) {
  for (const char* level : {"verbose", "2", "info ", "debug,info", "\x1b[2J"}) {
    const absl::Status status = CheckLevel(level);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << level;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("use trace, debug, info, warn, error, critical or off"));
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("\x1b")));
  }
  EXPECT_FALSE(StartLog("test").ok());
}

TEST_F(LogTest, ActivityIsOneEscapedLineOnceTheLogHasBegun) {
  testing::internal::CaptureStderr();
  LogActivity("before");
  ASSERT_TRUE(StartLog("test").ok());
  LogActivity("a\x1b[2Jb\nc");
  const std::string out = testing::internal::GetCapturedStderr();
  EXPECT_THAT(out, Not(HasSubstr("before")));
  EXPECT_THAT(out, HasSubstr(" info test: a\\x1b[2Jb c\n"));
}

TEST(SignalsThatEndTest, LeavesOutAHangUpThatIsIgnored) {
  EXPECT_THAT(SignalsThatEnd(), Contains(SIGTERM));
  ::signal(SIGHUP, SIG_IGN);
  EXPECT_THAT(SignalsThatEnd(), Not(Contains(SIGHUP)));
  ::signal(SIGHUP, SIG_DFL);
  EXPECT_THAT(SignalsThatEnd(), Contains(SIGHUP));
}

TEST(DurationTest, ZeroNeedsNoUnit) {
  EXPECT_EQ(ParseDurationOrZero("0").value(), Milliseconds(0));
  EXPECT_EQ(ParseDurationOrZero("0s").value(), Milliseconds(0));
  EXPECT_EQ(ParseDurationOrZero("30m").value(), Milliseconds(1'800'000));
  EXPECT_FALSE(ParseDurationOrZero("30").ok());
  EXPECT_FALSE(ParseDurationOrZero("").ok());
}

TEST(WorkCountTest, CountsOnlyThreadsThatAskForIt) {
  const uint64_t before = WorkCount();
  std::thread([] { NoteWork(); }).join();
  EXPECT_EQ(WorkCount(), before);
  std::thread([] {
    CountWorkOfThisThread();
    NoteWork();
  }).join();
  EXPECT_EQ(WorkCount(), before + 1);
}

}  // namespace
}  // namespace mozgach
