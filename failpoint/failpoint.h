// Failpoints are the durable steps of a program, by name: a commit, a rename, a file that is
// synced. At each of them the program can be made to die, to fail or to wait, so that a test can
// look at what every such moment leaves behind.
//
//   RETURN_IF_ERROR(DURABLE("registry.version.reveal", RenameDurably(staging, target)));
//
// A name is LIBRARY.NOUN.VERB and stands in the source once.  It is known from the program's start
// on, whether or not the step is ever taken.  A step at which nothing is to happen costs one
// relaxed load.
//
// They are in every build, so that what is tested is what is shipped.  Nobody who talks to a
// program can reach them: the environment at its start arms them (ObeyFailpointEnvironment), no
// flag, no file of settings and no call does.
//
//   MOZGACH_FAILPOINTS=list                                  prints the program's names, and ends
//   it MOZGACH_FAILPOINTS="NAME=ACTION[@N],…"                   arms them; @N: at the N-th time
//   only MOZGACH_FAILPOINTS_ONCE=FILE                             what happens, happens once in all
//        processes that have this file's name: the first makes it, and writes the name into it
//
//   crash_before, crash_after   SIGKILL, before the step is taken or when it has been
//   error                       the step is not taken and fails
//   error_after                 it is taken, and fails although it happened.  A database does not
//   say
//        so of a commit to the program that goes on: there the program dies before it can tell
//        anyone
//   delay(MS)                   it waits first
//
// Thread-safe, but for arming and watching: before there are threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace mozgach {

class Failpoint {
 public:
  enum class Kind { kStep, kCommit };

  // Makes it known.  It and `name` live as long as the program.
  Failpoint(const char* name, Kind kind);
  Failpoint(const Failpoint&) = delete;
  Failpoint& operator=(const Failpoint&) = delete;

  const char* name() const { return name_; }
  Kind kind() const { return kind_; }
  bool armed() const { return armed_.load(std::memory_order_relaxed); }

  // Called for an armed failpoint right before its step. Unless OK, the step is not taken.
  absl::Status Before();
  // When the step has been taken; returns what it is said to have come to.
  absl::Status After(absl::Status came_to);

 private:
  friend class FailpointBoard;

  const char* const name_;
  const Kind kind_;
  Failpoint* next_ = nullptr;
  std::atomic<bool> armed_ = false;
};

// A name as a template's argument.
template <size_t kSize>
struct FailpointName {
  constexpr FailpointName(const char (&name)[kSize]) { std::copy_n(name, kSize, text); }
  char text[kSize];
};

template <FailpointName kName, Failpoint::Kind kKind>
struct DurableStep {
  static inline Failpoint point{kName.text, kKind};

  template <typename Step>
  static absl::Status Take(Step step) {
    if (!point.armed()) return step();
    if (absl::Status stopped = point.Before(); !stopped.ok()) return stopped;
    return point.After(step());
  }
};

// First thing in main.  A value: the program ends with it (it was asked for its names, or for
// what does not exist: 2).  Names that another program has are passed over, as it may be started by
// this one.
std::optional<int> ObeyFailpointEnvironment();

// Sorted.
std::vector<std::string> FailpointNames();

// As MOZGACH_FAILPOINTS says; what was armed before is not any more.  INVALID_ARGUMENT: it cannot
// be read.
absl::Status ArmFailpoints(std::string_view text);

// Is called before each step (`taken` is false) and after it. Null: no watcher. Armed failpoints
// act as usual.
using FailpointWatcher = void (*)(const Failpoint& point, bool taken);
void WatchFailpoints(FailpointWatcher watcher);

}  // namespace mozgach

// The step is an expression that gives an absl::Status.
#define DURABLE(name, step)                                               \
  (::mozgach::DurableStep<name, ::mozgach::Failpoint::Kind::kStep>::Take( \
      [&]() -> ::absl::Status { return (step); }))

// A transaction's Commit().
#define COMMIT(name, transaction)                                           \
  (::mozgach::DurableStep<name, ::mozgach::Failpoint::Kind::kCommit>::Take( \
      [&]() -> ::absl::Status { return (transaction).Commit(); }))
