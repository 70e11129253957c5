// A Device is one GPU, or the CPU, and the life of its one trainer: starting, up, dead for a while.
//
// Sans-io: it says when a trainer should be started or killed; the worker does it.  The wait before
// a trainer is started again doubles with every death that follows without a job done between. Not
// thread-safe.
#pragma once

#include <string>

#include "common/clock.h"
#include "worker/session/back_off.h"
#include "worker/session/trainer_events.h"

namespace mozgach {

struct DeviceOptions {
  Milliseconds ready_within{120'000};  // from the start of a trainer to its `ready`
  Milliseconds restart_first{200};
  Milliseconds restart_longest{30'000};
};

class Device {
 public:
  Device(DeviceOptions options, uint64_t seed);

  // A trainer should be started now; it counts as starting from then on.
  bool ShouldStart(Milliseconds now);
  // It did not get ready in time, or was condemned: kill it.  True once.
  bool ShouldKill(Milliseconds now);
  // Milliseconds::max(): nothing to do on its own.
  Milliseconds NextDue() const;

  void Ready(const TrainerReady& ready);
  void Has(const TrainerMemory& memory);
  void BaseLoaded(const TrainerBaseLoaded& loaded);
  // Its trainer holds `memory_bytes` between jobs; 0: it did not say.  True where that is so much
  // more than after its first job on this base that it should make room for a new one: it is ending
  // from then on, and gets nothing more.
  bool JobDone(uint64_t memory_bytes);
  // It hangs: ShouldKill is true.  `why` is for people, in place of how it will have died.
  void Condemn(const std::string& why = "");
  // Returns how long until the next start.
  Milliseconds Exited(Milliseconds now);
  // No trainer is started any more.
  void Retire() { retired_ = true; }

  bool up() const { return state_ == State::kUp; }
  bool down() const { return state_ == State::kDown; }
  bool ending() const { return state_ == State::kEnding; }
  const TrainerReady& info() const { return info_; }
  const std::string& loaded_base() const { return loaded_base_; }
  uint64_t base_loads() const { return earlier_base_loads_ + base_loads_; }
  uint64_t restarts() const { return restarts_; }
  // Trainers in a row that died before they were ready.
  int fruitless_starts() const { return fruitless_starts_; }
  // Why its trainer was condemned; empty: it was not, or nothing was said.
  const std::string& condemned_why() const { return condemned_why_; }

 private:
  enum class State { kDown, kStarting, kUp, kEnding };

  const DeviceOptions options_;
  BackOff back_off_;
  State state_ = State::kDown;
  bool condemned_ = false;
  std::string condemned_why_;
  bool killed_ = false;
  bool retired_ = false;
  bool started_before_ = false;
  Milliseconds start_at_{0};
  Milliseconds ready_by_{0};
  TrainerReady info_;
  std::string loaded_base_;
  uint64_t held_at_first_ = 0;       // bytes, after the first job on this base; 0: not yet
  uint64_t base_loads_ = 0;          // loads of the running trainer
  uint64_t earlier_base_loads_ = 0;  // loads of earlier trainers
  uint64_t restarts_ = 0;
  int fruitless_starts_ = 0;
};

}  // namespace mozgach
