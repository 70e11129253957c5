// A Trainer is a simulated mozgach-trainer: one process, one training at a time, the others in
// line. It says the events of docs/trainer_protocol.md, in that order, unless something befalls it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "tests/sim/agenda.h"
#include "tests/sim/dice.h"
#include "worker/session/actions.h"
#include "worker/session/trainer_events.h"

namespace mozgach::sim {

class Trainer : public std::enable_shared_from_this<Trainer> {
 public:
  // Who hears it.  Both may be called long after the order that led to them.
  struct Listener {
    std::function<void(const TrainerEvent&)> said;
    std::function<void(const std::string& how, bool for_memory)> exited;
    std::function<bool()> sick;                  // now: trainings fail
    std::function<Milliseconds()> frozen_until;  // its host is suspended
  };

  // `ready`: what it says of its device once it is up.
  Trainer(Agenda& agenda, uint64_t seed, TrainerReady ready, Listener listener)
      : agenda_(agenda), dice_(seed), ready_(std::move(ready)), listener_(std::move(listener)) {}

  void Start();
  // From `step` on, 0: from the beginning.
  void Train(const SendTraining& training, int64_t step);
  void Cancel(const AttemptId& id, bool save);
  // It exits by itself.
  void End();
  // Ends it with a signal.
  void Kill();
  // Ends it without a word: its host is gone.
  void Vanish() { alive_ = false; }

 private:
  struct Course {  // the training that runs
    AttemptId id;
    std::string domain;
    int64_t step = 0;
    int64_t steps = 0;
    Milliseconds each{0};
  };

  // After `wait`, unless it has died or the training is over by then.
  void Later(Milliseconds wait, std::function<void()> next);
  void LaterInTraining(Milliseconds wait, std::function<void()> next);
  void Next();
  void Begin(const SendTraining& training, int64_t step);
  void Save();
  void MakeStep();
  void Evaluate();
  void Finish();
  // True when something went wrong, and was said.
  bool GoesWrong();
  void Fail(v1::Failure::Class failure, const std::string& message);
  void Over();
  void Exit(const std::string& how, bool for_memory);

  Agenda& agenda_;
  Dice dice_;
  const TrainerReady ready_;
  const Listener listener_;
  bool alive_ = true;
  bool hangs_ = false;
  std::deque<std::pair<SendTraining, int64_t>> line_;  // and from which step
  bool busy_ = false;
  int64_t training_ = 0;  // the newest one
  Course course_;
  std::string loaded_base_;
  uint64_t base_loads_ = 0;
};

}  // namespace mozgach::sim
