#include "scheduler/executor/core_executor.h"

#include <algorithm>
#include <chrono>

#include "scheduler/placement/base_dispatch.h"
#include "scheduler/placement/device_room.h"
#include "scheduler/placement/placement.h"

namespace mozgach {
namespace {

absl::Status Closed() {
  return absl::UnavailableError("the scheduler is shutting down; call again when it is back");
}

}  // namespace

CoreExecutor::CoreExecutor(Core& core, const Clock& clock, Timer timer)
    : core_(core), clock_(clock) {
  if (timer == Timer::kNone) return;
  timer_ = std::thread([this] { RunTimer(); });
  syncer_ = std::thread([this] { RunSyncs(); });
}

CoreExecutor::~CoreExecutor() {
  Close();
  {
    const MutexLock lock(mutex_);
    ended_ = true;
    sooner_.notify_all();
    sync_wanted_.notify_all();
  }
  if (timer_.joinable()) timer_.join();
  if (syncer_.joinable()) syncer_.join();
}

absl::StatusOr<Answer> CoreExecutor::RunWorkerCall(const Now& now,
                                                   const v1::SynchronizeRequest& request,
                                                   bool held) {
  const auto start = std::chrono::steady_clock::now();
  absl::StatusOr<Answer> answer = core_.Synchronize(now, request, held);
  if (!answer.ok()) return answer;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  Counters& counters = core_.state().counters;
  if (answer->publishes > 0) {
    counters.publish_seconds.Observe(took.count() / answer->publishes);
  } else if (answer->claims > 0) {
    counters.claim_seconds.Observe(took.count() / answer->claims);
  }
  return answer;
}

void CoreExecutor::Synchronize(const v1::SynchronizeRequest& request, Reply reply) {
  if (closed_) return reply(Closed());
  Replies replies;
  MutexLock lock(mutex_);
  const Now now = Now::Of(clock_);
  absl::StatusOr<Answer> answer = RunWorkerCall(now, request, false);
  const auto older = held_.find(request.worker());
  const bool counts = answer.ok() && !answer->response.replaced();
  if (older != held_.end() && counts) {
    const bool same = older->second.request->incarnation() == request.incarnation();
    HeldCall call = Release(request.worker());
    replies.push_back([call, same] {
      v1::SynchronizeResponse replaced;
      replaced.set_replaced(true);
      if (same) return call.reply(absl::AbortedError("a later call of this worker took its place"));
      call.reply(replaced);
    });
  }
  if (answer.ok() && !answer->news && request.wait_ms() > 0 && !closed_) {
    Hold(now, request, std::move(reply));
  } else {
    replies.push_back([reply = std::move(reply), answer = std::move(answer)]() mutable {
      if (!answer.ok()) return reply(answer.status());
      reply(std::move(answer->response));
    });
  }
  CollectReplies(now, replies);
  const Replies ready = ReadyReplies(std::move(replies));
  lock.unlock();
  CallAll(ready);
}

void CoreExecutor::Hold(const Now& now, const v1::SynchronizeRequest& request, Reply reply) {
  const Milliseconds wait_max = core_.state().config.WaitMax();
  const uint64_t wait =
      std::min<uint64_t>(request.wait_ms(), static_cast<uint64_t>(wait_max.count()));
  const Milliseconds until = now.since_boot + Milliseconds(static_cast<int64_t>(wait));
  held_until_.emplace(until, request.worker());
  held_[request.worker()] = {&request, std::move(reply), now.since_boot, until};
}

CoreExecutor::HeldCall CoreExecutor::Release(const std::string& worker) {
  auto node = held_.extract(worker);
  held_until_.erase({node.mapped().until, worker});
  return std::move(node.mapped());
}

bool CoreExecutor::Leave(const v1::SynchronizeRequest& request) {
  const MutexLock lock(mutex_);
  const auto call = held_.find(request.worker());
  if (call == held_.end() || call->second.request != &request) return false;
  Release(request.worker());
  return true;
}

void CoreExecutor::AnswerHeldCall(const Now& now, const std::string& worker, bool in_any_case,
                                  Replies& replies) {
  const auto call = held_.find(worker);
  if (call == held_.end()) return;
  absl::StatusOr<Answer> answer = RunWorkerCall(now, *call->second.request, true);
  if (answer.ok() && !answer->news && !in_any_case) return;
  replies.push_back([reply = Release(worker).reply, answer = std::move(answer)]() mutable {
    if (!answer.ok()) return reply(answer.status());
    reply(std::move(answer->response));
  });
}

void CoreExecutor::OfferWork(const Now& now, const std::string& base_key, Replies& replies) {
  struct Candidate {
    bool has_loaded;
    bool has_it;
    Milliseconds since;
    std::string worker;
  };
  auto needs = core_.state().queue.NeedsWaiting(base_key);
  if (!needs.ok() || !needs->has_value()) return;
  std::vector<Candidate> candidates;
  for (const auto& [name, call] : held_) {
    const WorkerState* worker = core_.state().worker_table.Find(name);
    if (call.request->free_slots() == 0 || worker == nullptr) continue;
    const bool has_it = worker->keys.count(base_key) > 0;
    if (!has_it && !CouldFetch(core_.state(), *worker, base_key)) continue;
    if (!HasRoomForSome(core_.state(), *worker, base_key, **needs)) continue;
    candidates.push_back({HasLoaded(*worker, base_key), has_it, call.since, name});
  }
  // Workers with the base loaded come first, then workers with it on disk, then the longest wait.
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::make_tuple(!a.has_loaded, !a.has_it, a.since, std::cref(a.worker)) <
           std::make_tuple(!b.has_loaded, !b.has_it, b.since, std::cref(b.worker));
  });
  for (const Candidate& candidate : candidates) {
    needs = core_.state().queue.NeedsWaiting(base_key);
    if (!needs.ok() || !needs->has_value()) return;
    AnswerHeldCall(now, candidate.worker, false, replies);
  }
}

void CoreExecutor::CollectReplies(const Now& now, Replies& replies) {
  for (Wakeups wakeups = core_.TakeWakeups(); !wakeups.empty(); wakeups = core_.TakeWakeups()) {
    for (const std::string& worker : wakeups.workers) AnswerHeldCall(now, worker, true, replies);
    for (const std::string& base_key : wakeups.base_keys) OfferWork(now, base_key, replies);
  }
  if (NextWake() < wake_at_) sooner_.notify_all();
}

void CoreExecutor::Close() {
  closed_ = true;
  std::map<std::string, HeldCall> held;
  {
    const MutexLock lock(mutex_);
    std::swap(held, held_);
    held_until_.clear();
  }
  for (auto& [worker, call] : held) call.reply(Closed());
  NotifyListeners();
}

}  // namespace mozgach
