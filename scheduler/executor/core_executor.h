// The CoreExecutor runs the operations of many threads on one Core, one at a time, and holds the
// calls of workers that wait for work: thousands of calls without a thread for each.
//
// A reply is sent only when everything committed so far is on disk. While one sync runs, or shortly
// after it, more replies collect, and the next sync serves all of them (group commit). A failed
// sync ends the process: memory would then be ahead of the disk.
//
// A held call is answered when the core has news for it, when its time is up, or when the executor
// closes. A thread of the executor does what becomes due between calls. A simulation creates the
// executor without that thread and calls DoWhatIsDue itself.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <latch>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/mutex.h"
#include "scheduler/core/core.h"

namespace mozgach {

class CoreExecutor {
 public:
  using Reply = std::function<void(absl::StatusOr<v1::SynchronizeResponse>)>;

  // Something that wants to look at the core about ten times a second (a stream to a watcher).
  class Listener {
   public:
    virtual ~Listener() = default;
    // Called without any lock of the executor.  When the executor is closed it must end its stream.
    virtual void Notify() = 0;
  };

  enum class Timer { kThread, kNone };

  // Both outlive the executor.  The core has been recovered.
  CoreExecutor(Core& core, const Clock& clock, Timer timer = Timer::kThread);
  ~CoreExecutor();

  // `question(core, now)` with the core to itself; returns what it returns, when all of it is on
  // disk.
  template <typename Question>
  auto Run(Question question) {
    auto answer = RunWithoutSync(std::move(question));
    const auto certain = std::make_shared<std::latch>(1);
    WhenSynced([certain] { certain->count_down(); });
    certain->wait();
    return answer;
  }

  // The same without waiting: a power cut may yet undo what it returns, so that nobody outside may
  // hear of it before WhenSynced has called.
  template <typename Question>
  auto RunWithoutSync(Question question) {
    MutexLock lock(mutex_);
    const Now now = Now::Of(clock_);
    auto answer = question(core_, now);
    Replies replies;
    CollectReplies(now, replies);
    const Replies ready = ReadyReplies(std::move(replies));
    lock.unlock();
    CallAll(ready);
    return answer;
  }

  // Calls `say` once, now or soon, from any thread: when all that is in the core now is on disk.
  void WhenSynced(std::function<void()> say);

  // Answers by calling `reply` once, now or later, from any thread.  `request` lives until then.
  void Synchronize(const v1::SynchronizeRequest& request, Reply reply);
  // The caller has gone: true when its call was held, and will not be answered any more.
  bool Leave(const v1::SynchronizeRequest& request);

  static constexpr size_t kListenersMax = 1000;
  // Pokes it until it is gone.  False: there are kListenersMax already.
  bool Listen(std::weak_ptr<Listener> listener);

  // What has come due while nobody called, and since boot when that is so again.  Called by the
  // executor's own thread; with Timer::kNone by the owner of the executor.
  void DoWhatIsDue();
  Milliseconds NextDue();

  // Ends every held call and stream with UNAVAILABLE; later ones at once.
  void Close();
  bool closed() const { return closed_; }

 private:
  using SteadyClock = std::chrono::steady_clock;
  using Replies = std::vector<std::function<void()>>;

  struct HeldCall {
    const v1::SynchronizeRequest* request;
    Reply reply;
    Milliseconds since;
    Milliseconds until;
  };

  absl::StatusOr<Answer> RunWorkerCall(const Now& now, const v1::SynchronizeRequest& request,
                                       bool held) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Hold(const Now& now, const v1::SynchronizeRequest& request, Reply reply)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  HeldCall Release(const std::string& worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Answers the held call of `worker` if there is news for it, or in any case.
  void AnswerHeldCall(const Now& now, const std::string& worker, bool in_any_case, Replies& replies)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OfferWork(const Now& now, const std::string& base_key, Replies& replies)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Hands what the core has just noticed to the calls that wait for it.
  void CollectReplies(const Now& now, Replies& replies) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndOverdue(const Now& now, Replies& replies) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Milliseconds NextWake() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Adds `replies` to those that wait for a sync. Returns the replies that may be called now, after
  // the mutex is released. May release the mutex for a sync of its own.
  [[nodiscard]] Replies ReadyReplies(Replies replies) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // One sync for all replies that wait; returns them. Releases the mutex during the sync.
  [[nodiscard]] Replies SyncForAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void CallAll(const Replies& replies);

  void RunTimer();
  void RunSyncs();
  void NotifyListeners();

  Core& core_ ABSL_GUARDED_BY(mutex_);
  const Clock& clock_;
  Mutex mutex_;
  std::condition_variable_any sooner_;  // the timer must not sleep as long as it meant to
  Milliseconds wake_at_ ABSL_GUARDED_BY(mutex_) = Milliseconds::max();
  std::map<std::string, HeldCall> held_ ABSL_GUARDED_BY(mutex_);  // by worker
  std::set<std::pair<Milliseconds, std::string>> held_until_ ABSL_GUARDED_BY(mutex_);
  Mutex listeners_mutex_;
  std::vector<std::weak_ptr<Listener>> listeners_ ABSL_GUARDED_BY(listeners_mutex_);
  std::atomic<bool> listening_ = false;
  std::atomic<bool> closed_ = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  Replies waiting_ ABSL_GUARDED_BY(mutex_);  // for the sync after the one that runs
  bool syncing_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t synced_ ABSL_GUARDED_BY(mutex_) = 0;  // number of the database's changes that are on disk
  SteadyClock::time_point next_sync_ ABSL_GUARDED_BY(mutex_);
  std::condition_variable_any sync_wanted_;
  std::thread timer_;
  std::thread syncer_;
};

}  // namespace mozgach
