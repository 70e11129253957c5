// The Disk is that of the simulated scheduler, and the moment at which the scheduler dies.
//
// A durable step is a commit of SQLite, or a system call that changes what lies in the registry and
// the blob store.  Each has a before and an after; at either the scheduler may die: what follows
// changes nothing any more, and whoever runs it looks at dead() to see that nothing it says counts.
//
// The linker sends those system calls here (--wrap, disk_calls.cc), and SQLite tells of every
// connection it opens.  There is one disk in a process, and one thread.
#pragma once

#include <cstdint>

#include "common/clock.h"
#include "registry/database.h"

namespace mozgach::sim {

class Disk {
 public:
  static Disk& Get();

  // Clean, with room, the scheduler alive; counts from zero.
  void Reset();

  // The scheduler dies at the `steps`-th half of a durable step from now: 1 is before the next one,
  // 2 right after it.
  void DieAfter(int64_t steps) { die_at_ = step_ + steps; }
  // The next durable step at least that many halves away fails; a system call perhaps although it
  // was done.
  void FailAfter(int64_t steps, bool but_done) {
    fail_at_ = step_ + steps;
    fail_but_done_ = but_done;
  }
  // Now.
  void Die() { dead_ = true; }
  bool dead() const { return dead_; }
  void Revive();

  // No byte more goes onto it, and no commit.
  void Fill(bool full) { full_ = full; }
  bool full() const { return full_; }
  int64_t steps() const { return step_; }

  // Of a system call, before and after; the error to return, or 0.
  int Before(bool needs_room);
  int After();
  // Of a commit: false is that it does not happen.
  bool MayCommit();

  // The newest connection that SQLite has opened.
  sqlite3* newest_connection() const { return newest_; }
  void Opened(sqlite3* connection);

 private:
  int64_t step_ = 0;
  int64_t die_at_ = 0;
  int64_t fail_at_ = 0;
  bool fail_but_done_ = false;
  bool fail_now_ = false;
  bool dead_ = false;
  bool full_ = false;
  sqlite3* newest_ = nullptr;
};

}  // namespace mozgach::sim
