#include "trainer/serve/heartbeat.h"

#include <cstdint>
#include <utility>

#include "common/work_count.h"
#include "nlohmann/json.hpp"

namespace mozgach {

Heartbeat::Heartbeat(EventWriter& events, std::chrono::milliseconds interval)
    : events_(events), interval_(interval), thread_([this] { Run(); }) {}

Heartbeat::~Heartbeat() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    end_ = true;
    ended_.notify_one();
  }
  thread_.join();
}

void Heartbeat::Begin(const AttemptId& id) {
  CountWorkOfThisThread();
  NoteWork();
  const std::lock_guard<std::mutex> lock(mutex_);
  id_ = id;
}

void Heartbeat::End() {
  const std::lock_guard<std::mutex> lock(mutex_);
  id_.reset();
}

void Heartbeat::Run() {
  uint64_t told = WorkCount();
  std::unique_lock<std::mutex> lock(mutex_);
  while (!ended_.wait_for(lock, interval_, [this] { return end_; })) {
    const uint64_t done = WorkCount();
    if (!id_.has_value() || std::exchange(told, done) == done) continue;
    events_.Write({{"event", "alive"}, {"job", id_->job}, {"attempt", id_->attempt}});
  }
}

}  // namespace mozgach
