#include "worker/session/device.h"

#include <algorithm>
#include <utility>

namespace mozgach {
namespace {

// What a trainer may gain from job to job before it counts as a leak: caches of libraries, pages of
// the base's files.
constexpr uint64_t kGainMax = UINT64_C(512) << 20;

}  // namespace

bool Device::JobDone(uint64_t memory_bytes) {
  back_off_.Reset();
  if (state_ != State::kUp || memory_bytes == 0) return false;
  if (held_at_first_ == 0) held_at_first_ = memory_bytes;
  if (memory_bytes <= held_at_first_ + std::max(kGainMax, held_at_first_ / 4)) return false;
  state_ = State::kEnding;
  return true;
}

Device::Device(DeviceOptions options, uint64_t seed)
    : options_(options), back_off_(options.restart_first, options.restart_longest, seed) {}

bool Device::ShouldStart(Milliseconds now) {
  if (state_ != State::kDown || retired_ || now < start_at_) return false;
  state_ = State::kStarting;
  ready_by_ = now + options_.ready_within;
  if (std::exchange(started_before_, true)) ++restarts_;
  return true;
}

bool Device::ShouldKill(Milliseconds now) {
  if (state_ == State::kDown || killed_) return false;
  if (!condemned_ && !(state_ == State::kStarting && now >= ready_by_)) return false;
  killed_ = true;
  return true;
}

Milliseconds Device::NextDue() const {
  if (state_ == State::kDown) return retired_ ? Milliseconds::max() : start_at_;
  if (killed_) return Milliseconds::max();
  if (condemned_) return Milliseconds(0);
  return state_ == State::kStarting ? ready_by_ : Milliseconds::max();
}

void Device::Ready(const TrainerReady& ready) {
  if (state_ != State::kStarting) return;
  state_ = State::kUp;
  fruitless_starts_ = 0;
  info_ = ready;
}

void Device::Has(const TrainerMemory& memory) {
  // What the trainer holds it gives back before a new job.
  info_.memory_free_bytes = memory.free_bytes + memory.used_bytes;
}

void Device::Condemn(const std::string& why) {
  if (state_ == State::kDown || condemned_) return;
  condemned_ = true;
  condemned_why_ = why;
}

void Device::BaseLoaded(const TrainerBaseLoaded& loaded) {
  loaded_base_ = loaded.base;
  held_at_first_ = 0;
  base_loads_ = loaded.base_loads;
}

Milliseconds Device::Exited(Milliseconds now) {
  if (state_ == State::kStarting) ++fruitless_starts_;
  state_ = State::kDown;
  condemned_ = killed_ = false;
  condemned_why_.clear();
  loaded_base_.clear();
  held_at_first_ = 0;
  earlier_base_loads_ += std::exchange(base_loads_, 0);
  const Milliseconds wait = back_off_.Next();
  start_at_ = now + wait;
  return wait;
}

}  // namespace mozgach
