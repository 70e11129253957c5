#include "trainer/serve/heartbeat.h"

#include <cstdint>
#include <utility>

#include "common/mutex.h"
#include "common/work_count.h"
#include "nlohmann/json.hpp"

namespace mozgach {

Heartbeat::Heartbeat(EventWriter& events, std::chrono::milliseconds interval)
    : events_(events), interval_(interval), thread_([this] { Run(); }) {}

Heartbeat::~Heartbeat() {
  {
    const MutexLock lock(mutex_);
    end_ = true;
    ended_.notify_one();
  }
  thread_.join();
}

void Heartbeat::Begin(const AttemptId& id) {
  CountWorkOfThisThread();
  NoteWork();
  const MutexLock lock(mutex_);
  id_ = id;
}

void Heartbeat::End() {
  const MutexLock lock(mutex_);
  id_.reset();
}

void Heartbeat::Run() {
  uint64_t told = WorkCount();
  MutexLock lock(mutex_);
  while (!ended_.wait_for(lock, interval_,
                          [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return end_; })) {
    const uint64_t done = WorkCount();
    if (!id_.has_value() || std::exchange(told, done) == done) continue;
    events_.Write({{"event", "alive"}, {"job", id_->job}, {"attempt", id_->attempt}});
  }
}

}  // namespace mozgach
