// The Network between one host and the scheduler: calls are lost, late, doubled and overtaken, in
// both directions, and some that fail have happened.
#pragma once

#include <memory>

#include "tests/sim/agenda.h"
#include "tests/sim/dice.h"
#include "tests/sim/scheduler_machine.h"
#include "tests/sim/worker_machine.h"

namespace mozgach::sim {

class Network : public Line {
 public:
  Network(uint64_t seed, Agenda& agenda, SchedulerMachine& scheduler)
      : dice_(seed), agenda_(agenda), scheduler_(scheduler) {}

  void BeBad(Milliseconds length) { bad_until_ = std::max(bad_until_, agenda_.now() + length); }
  void Cut(Milliseconds length) { cut_until_ = std::max(cut_until_, agenda_.now() + length); }
  void Heal() { bad_until_ = cut_until_ = agenda_.now(); }

  void Call(std::shared_ptr<const v1::SynchronizeRequest> request, Milliseconds deadline,
            Answer answer) override;
  void GiveUp(std::shared_ptr<const v1::SynchronizeRequest> request) override;
  absl::Status Upload(const std::string& bytes) override;
  absl::Status Download(const std::string& sha256) override;
  void Alarm(const std::string& what) override { scheduler_.Alarmed(what); }

 private:
  bool bad() const { return agenda_.now() < bad_until_; }
  bool cut() const { return agenda_.now() < cut_until_; }
  bool Loses() { return cut() || (bad() && dice_.Chance(0.15)); }
  // How long a message takes in one direction.
  Milliseconds Takes();
  void Carry(std::shared_ptr<const v1::SynchronizeRequest> request, Answer answer,
             Milliseconds wait);
  void Arrive(std::shared_ptr<const v1::SynchronizeRequest> request, Answer answer);
  bool Reachable();

  Dice dice_;
  Agenda& agenda_;
  SchedulerMachine& scheduler_;
  Milliseconds bad_until_{0};
  Milliseconds cut_until_{0};
};

}  // namespace mozgach::sim
