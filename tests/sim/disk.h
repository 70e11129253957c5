// The Disk is the simulated scheduler's disk.  It also decides when the scheduler dies.
//
// A durable step is a commit of SQLite, or a system call that changes what lies in the registry and
// the blob store.  Each step has a before and an after, and the scheduler may die at either.  What
// follows its death changes nothing any more; the code that runs the scheduler checks dead() and
// then ignores what it says.
//
// The linker sends those system calls here (--wrap, disk_calls.cc), and SQLite reports every
// connection that it opens.  A process has one disk and one thread.
#pragma once

#include <cstdint>

#include "common/clock.h"
#include "registry/database.h"

namespace mozgach::sim {

class Disk {
 public:
  static Disk& Get();

  // Makes the disk clean, with room, and the scheduler alive; counts from zero.
  void Reset();

  // The scheduler dies at the `steps`-th half of a durable step from now: 1 is before the next one,
  // 2 right after it.
  void DieAfter(int64_t steps) { die_at_ = step_ + steps; }
  // The next durable step at least `steps` halves away fails.  `but_done`: a system call fails
  // although it was done.
  void FailAfter(int64_t steps, bool but_done) {
    fail_at_ = step_ + steps;
    fail_but_done_ = but_done;
  }
  // The scheduler dies now.
  void Die() { dead_ = true; }
  bool dead() const { return dead_; }
  void Revive();

  // A full disk takes no more bytes and no commit.
  void Fill(bool full) { full_ = full; }
  bool full() const { return full_; }
  int64_t steps() const { return step_; }

  // Run before and after a system call.  They return the error for it to return, or 0.
  int Before(bool needs_room);
  int After();
  // Runs before a commit.  False: the commit does not happen.
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
