// When the front executor may say what it has to say: once it is on disk.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iterator>

#include "scheduler/executor/core_executor.h"

namespace mozgach {
namespace {

constexpr int kDiskFailed = 74;  // EX_IOERR

// After a sync the disk rests for this many times as long, so that the next one is for more; a call
// that comes later than that waits for nobody.
constexpr int kRest = 8;
constexpr std::chrono::milliseconds kRestMax(4);

[[noreturn]] void EndProcess(const absl::Status& status) {
  spdlog::critical(
      "{}; what was written last may not be on the disk: the scheduler ends, and says "
      "nothing of it.  Look at the disk, then start it again",
      std::string(status.message()));
  spdlog::default_logger()->flush();
  std::_Exit(kDiskFailed);
}

}  // namespace

void CoreExecutor::WhenSynced(std::function<void()> say) {
  MutexLock lock(mutex_);
  const Replies ready = ReadyReplies({std::move(say)});
  lock.unlock();
  CallAll(ready);
}

CoreExecutor::Replies CoreExecutor::ReadyReplies(Replies replies) {
  if (replies.empty()) return {};
  std::move(replies.begin(), replies.end(), std::back_inserter(waiting_));
  if (syncing_) return {};
  const bool nothing_to_sync = core_.state().database.ChangesInAll() <= synced_;
  if (nothing_to_sync || SteadyClock::now() >= next_sync_) return SyncForAll();
  sync_wanted_.notify_one();
  return {};
}

CoreExecutor::Replies CoreExecutor::SyncForAll() {
  Replies ready;
  ready.swap(waiting_);
  Database& database = core_.state().database;
  const int64_t changes = database.ChangesInAll();
  if (changes <= synced_) return ready;
  syncing_ = true;
  mutex_.unlock();
  const SteadyClock::time_point start = SteadyClock::now();
  if (absl::Status status = database.Sync(); !status.ok()) EndProcess(status);
  const SteadyClock::time_point end = SteadyClock::now();
  mutex_.lock();
  syncing_ = false;
  synced_ = changes;
  const SteadyClock::duration rest =
      std::min<SteadyClock::duration>(kRest * (end - start), kRestMax);
  if (syncer_.joinable()) next_sync_ = end + rest;
  if (!waiting_.empty()) sync_wanted_.notify_one();
  return ready;
}

void CoreExecutor::CallAll(const Replies& replies) {
  for (const auto& reply : replies) reply();
}

void CoreExecutor::RunSyncs() {
  for (;;) {
    MutexLock lock(mutex_);
    sync_wanted_.wait(lock, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return ended_ || (!syncing_ && !waiting_.empty());
    });
    if (ended_ && waiting_.empty()) return;
    const SteadyClock::time_point next_sync = next_sync_;
    sync_wanted_.wait_until(lock, next_sync,
                            [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ended_; });
    Replies ready;
    if (!syncing_ && !waiting_.empty()) ready = SyncForAll();
    lock.unlock();
    CallAll(ready);
  }
}

}  // namespace mozgach
