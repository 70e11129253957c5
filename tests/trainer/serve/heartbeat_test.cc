#include "trainer/serve/heartbeat.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <thread>

#include "common/work_count.h"

namespace mozgach {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kInterval{20};

int Lines(const std::string& text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

class HeartbeatTest : public testing::Test {
 protected:
  // What is written while `work` is done between Begin and End, on a thread of its own.
  template <typename Work>
  std::string Written(Work work) {
    {
      Heartbeat heartbeat(events_, kInterval);
      std::thread([&] {
        heartbeat.Begin({7, 2});
        work();
        heartbeat.End();
      }).join();
      std::this_thread::sleep_for(2 * kInterval);
    }
    return out_.str();
  }

  std::ostringstream out_;
  EventWriter events_{out_};
};

TEST_F(HeartbeatTest, SpeaksWhileTheJobMakesProgress) {
  const std::string written = Written([] {
    for (int i = 0; i < 30; ++i) {
      NoteWork();
      std::this_thread::sleep_for(kInterval / 2);
    }
  });
  EXPECT_GE(Lines(written), 3);
  EXPECT_EQ(written.substr(0, written.find('\n')), R"({"attempt":2,"event":"alive","job":7})");
}

TEST_F(HeartbeatTest, StaysSilentWhereTheJobHangs) {
  const std::string written = Written([] {
    std::thread other([] {
      for (int i = 0; i < 20; ++i) {
        NoteWork();  // another thread's work proves nothing
        std::this_thread::sleep_for(kInterval);
      }
    });
    other.join();
  });
  EXPECT_LE(Lines(written), 1) << "one for Begin itself";
}

TEST_F(HeartbeatTest, StaysSilentWithoutAJob) {
  Heartbeat heartbeat(events_, kInterval);
  CountWorkOfThisThread();
  for (int i = 0; i < 5; ++i) {
    NoteWork();
    std::this_thread::sleep_for(kInterval);
  }
  EXPECT_EQ(out_.str(), "");
}

}  // namespace
}  // namespace mozgach
