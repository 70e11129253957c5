#include "worker/session/call_schedule.h"

#include <algorithm>

namespace mozgach {

CallSchedule::CallSchedule(CallScheduleOptions options, uint64_t seed)
    : options_(options),
      back_off_(options.back_off_first, options.back_off_longest, seed),
      quick_sent_at_(-options.progress_gap) {}

Milliseconds CallSchedule::ProgressDueAt() const {
  return std::max({blocked_until_, again_at_, quick_sent_at_ + options_.progress_gap});
}

Milliseconds CallSchedule::DueAt() const {
  if (in_flight_ && !held_) return Milliseconds::max();
  if (urgent_) return blocked_until_;
  if (in_flight_) return progress_ ? ProgressDueAt() : Milliseconds::max();
  const Milliseconds held_due = std::max(blocked_until_, not_before_);
  return progress_ ? std::min(ProgressDueAt(), held_due) : held_due;
}

Milliseconds CallSchedule::NextDue(Milliseconds now) const { return std::max(now, DueAt()); }

bool CallSchedule::Start(Milliseconds now, Call* call) {
  if (now < DueAt()) return false;
  const bool quick = urgent_ || (progress_ && now >= ProgressDueAt());
  Milliseconds hold{0};
  if (!quick) hold = lease_ > Milliseconds(0) ? std::min(options_.hold, lease_ / 3) : options_.hold;
  *call = Call{.number = number_ + 1,
               .hold = hold,
               .deadline = hold + options_.answer_within,
               .replaces = in_flight_ ? number_ : 0};
  ++number_;
  in_flight_ = true;
  held_ = !quick;
  hold_ = hold;
  sent_at_ = now;
  if (quick) {
    quick_sent_at_ = now;
    urgent_ = progress_ = false;
  }
  return true;
}

bool CallSchedule::Answered(int64_t number, Milliseconds now, Milliseconds lease,
                            Milliseconds call_again) {
  if (!in_flight_ || number != number_) return false;
  in_flight_ = false;
  lease_ = lease;
  back_off_.Reset();
  again_at_ = now + std::clamp(call_again, Milliseconds(0), options_.hold);
  const bool sent_away = held_ && now - sent_at_ < hold_ / 2;
  not_before_ = std::max(now + options_.held_gap, sent_away ? again_at_ : now);
  return true;
}

bool CallSchedule::Failed(int64_t number, Milliseconds now) {
  if (!in_flight_ || number != number_) return false;
  in_flight_ = false;
  // What it said may not have arrived.
  urgent_ = true;
  blocked_until_ = now + back_off_.Next();
  return true;
}

}  // namespace mozgach
