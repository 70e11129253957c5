#include "trainer/serve/parent_death.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mozgach {
namespace {

// A child that calls EndWithParent(1) and waits for ever, a grandchild of ours. `ends` is
// readable, at its end, once no process holds the other side any more.
struct Orphan {
  int ends = -1;

  explicit Orphan(bool with_parent) {
    int fds[2], ready[2];
    EXPECT_EQ(::pipe(fds), 0);
    EXPECT_EQ(::pipe(ready), 0);
    const pid_t parent = ::fork();
    if (parent == 0) {
      if (::fork() == 0) {
        if (with_parent) {
          EndWithParent(1);
        } else {
          ::alarm(3);  // it ends by itself, later
        }
        [[maybe_unused]] const ssize_t told = ::write(ready[1], "r", 1);
        for (;;) ::pause();
      }
      char byte;
      [[maybe_unused]] const ssize_t heard = ::read(ready[0], &byte, 1);
      ::_exit(0);
    }
    ::close(fds[1]);
    ::close(ready[0]);
    ::close(ready[1]);
    ::waitpid(parent, nullptr, 0);
    ends = fds[0];
  }
  ~Orphan() { ::close(ends); }

  bool EndsWithin(int ms) const {
    pollfd fd = {ends, POLLIN, 0};
    return ::poll(&fd, 1, ms) == 1;
  }
};

TEST(ParentDeathTest, AProcessEndsSoonAfterItsParentAndNotAtOnce) {
#ifndef __linux__
  GTEST_SKIP() << "Linux tells a process of its parent's death";
#endif
  const Orphan orphan(true);
  EXPECT_FALSE(orphan.EndsWithin(500)) << "it has time for a checkpoint";
  EXPECT_TRUE(orphan.EndsWithin(2'000));
}

TEST(ParentDeathTest, OneThatDidNotAskForItGoesOn) {
  const Orphan orphan(false);
  EXPECT_FALSE(orphan.EndsWithin(2'000));
}

}  // namespace
}  // namespace mozgach
