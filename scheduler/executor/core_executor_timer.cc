// What the front executor does while nobody calls.
#include <algorithm>

#include "scheduler/executor/core_executor.h"

namespace mozgach {
namespace {

constexpr Milliseconds kPokeInterval(80);
constexpr Milliseconds kLongestSleep(1000);

}  // namespace

void CoreExecutor::EndOverdue(const Now& now, Replies& replies) {
  while (!held_until_.empty() && held_until_.begin()->first <= now.since_boot) {
    AnswerHeldCall(now, std::string(held_until_.begin()->second), true, replies);
  }
}

Milliseconds CoreExecutor::NextWake() const {
  Milliseconds wake = core_.NextDue();
  if (!held_until_.empty()) wake = std::min(wake, held_until_.begin()->first);
  return wake;
}

void CoreExecutor::DoWhatIsDue() {
  Replies replies;
  MutexLock lock(mutex_);
  const Now now = Now::Of(clock_);
  core_.Enter(now);
  EndOverdue(now, replies);
  CollectReplies(now, replies);
  const Replies ready = ReadyReplies(std::move(replies));
  lock.unlock();
  CallAll(ready);
}

Milliseconds CoreExecutor::NextDue() {
  const MutexLock lock(mutex_);
  return NextWake();
}

void CoreExecutor::RunTimer() {
  for (;;) {
    DoWhatIsDue();
    if (listening_) NotifyListeners();
    MutexLock lock(mutex_);
    if (ended_) return;
    const Milliseconds longest = listening_ ? kPokeInterval : kLongestSleep;
    const Milliseconds until = clock_.SinceBoot();
    wake_at_ = std::min(NextWake(), until + longest);
    if (wake_at_ > until) sooner_.wait_for(lock, wake_at_ - until);
  }
}

bool CoreExecutor::Listen(std::weak_ptr<Listener> listener) {
  {
    const MutexLock lock(listeners_mutex_);
    if (listeners_.size() >= kListenersMax) return false;
    listeners_.push_back(std::move(listener));
    listening_ = true;
  }
  // The timer may have lain down for longer.
  const MutexLock lock(mutex_);
  sooner_.notify_all();
  return true;
}

void CoreExecutor::NotifyListeners() {
  std::vector<std::shared_ptr<Listener>> alive;
  {
    const MutexLock lock(listeners_mutex_);
    const auto gone = [&](const std::weak_ptr<Listener>& listener) {
      std::shared_ptr<Listener> strong = listener.lock();
      if (strong != nullptr) alive.push_back(std::move(strong));
      return strong == nullptr && listener.expired();
    };
    listeners_.erase(std::remove_if(listeners_.begin(), listeners_.end(), gone), listeners_.end());
    listening_ = !listeners_.empty();
  }
  for (const auto& listener : alive) listener->Notify();
}

}  // namespace mozgach
