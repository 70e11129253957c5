// A CallSchedule decides when the worker calls Synchronize, and whether the call is held open.
//
// One call is in flight at a time.  There are two kinds.  A *quick* call carries news and is
// answered at once: its answer confirms the news and renews the leases, so it is never given up.  A
// *held* call carries none and waits at the scheduler for work or orders; news gives it up and goes
// out in a quick call instead, which loses nothing, since Synchronize is idempotent.
//
// News is urgent (an attempt changed its phase, a device became free) or progress (a step was
// made), which goes out at most every `progress_gap`, and not before the scheduler wants to be
// called again. A held call follows each answer at once, so that work that comes in is never waited
// for; only a scheduler that does not hold it is left in peace until then.  A call that fails is
// tried again with back-off.
//
// Sans-io: every question takes `now`, a monotonic time.  Not thread-safe.
#pragma once

#include <cstdint>

#include "common/clock.h"
#include "worker/session/back_off.h"

namespace mozgach {

struct CallScheduleOptions {
  Milliseconds hold{10'000};  // how long a call is held, at most a third of the lease
  Milliseconds progress_gap{500};
  Milliseconds held_gap{20};           // from an answer to the next held call
  Milliseconds answer_within{10'000};  // beyond the hold, then the call has failed
  Milliseconds back_off_first{250};
  Milliseconds back_off_longest{15'000};
};

class CallSchedule {
 public:
  struct Call {
    int64_t number = 0;        // 1, 2, …; names the call
    Milliseconds hold{0};      // 0: a quick call
    Milliseconds deadline{0};  // from its start
    int64_t replaces = 0;      // give up this call first; 0: none is in flight
  };

  CallSchedule(CallScheduleOptions options, uint64_t seed);

  void UrgentNews() { urgent_ = true; }
  void ProgressNews() { progress_ = true; }

  // True when a call is due at `now`; then `*call` says which, and it counts as sent.
  bool Start(Milliseconds now, Call* call);

  // When Start may next be true without further news; Milliseconds::max() while only an answer
  // helps.
  Milliseconds NextDue(Milliseconds now) const;

  // The answer to call `number`.  False when that call was given up: the answer means nothing.
  bool Answered(int64_t number, Milliseconds now, Milliseconds lease, Milliseconds call_again);
  bool Failed(int64_t number, Milliseconds now);

  // When the call in flight was sent.  REQUIRES: one is in flight.
  Milliseconds sent_at() const { return sent_at_; }
  // Calls that failed since the last answer.
  int failures() const { return back_off_.failures(); }

 private:
  bool news() const { return urgent_ || progress_; }
  Milliseconds ProgressDueAt() const;
  Milliseconds DueAt() const;

  const CallScheduleOptions options_;
  BackOff back_off_;
  int64_t number_ = 0;
  bool in_flight_ = false;
  bool held_ = false;     // the one in flight
  Milliseconds hold_{0};  // hold of the call in flight
  Milliseconds sent_at_{0};
  Milliseconds quick_sent_at_;     // the last quick call
  Milliseconds not_before_{0};     // for a held call
  Milliseconds again_at_{0};       // the scheduler wants no mere progress before
  Milliseconds blocked_until_{0};  // back-off: for any call
  Milliseconds lease_{0};          // as last answered; 0: none yet
  bool urgent_ = true;             // the first call introduces the worker
  bool progress_ = false;
};

}  // namespace mozgach
