// People ask things of the simulated scheduler, as mozgachctl would.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/dice.h"
#include "tests/sim/scheduler_machine.h"

namespace mozgach::sim {

class People {
 public:
  People(uint64_t seed, Agenda& agenda, Trace& trace, SchedulerMachine& scheduler)
      : dice_(seed), agenda_(agenda), trace_(trace), scheduler_(scheduler) {}

  // Each does nothing where the scheduler does not answer.
  void Submit(int64_t domains);
  void Cancel(bool newest_running);
  void CancelAll();
  void Retry();
  void Drain(const std::string& worker, bool undo);
  // Until it has been heard.
  void UndoEveryDrain();
  void Look();
  // Now and then a submit, in the middle of what somebody else does.
  void Meddle();

  int64_t submitted() const { return submitted_; }

 private:
  struct Wish {  // what a domain is to be
    int64_t change = 0;
    bool qwen = false;
    int64_t priority = 50;
    int64_t max_length = 1024;  // decides about memory
  };
  v1::Submission SubmissionOf(const std::string& domain, const Wish& wish, bool* uploaded);
  void Send(const v1::SubmitRequest& request);
  void CancelJobs(const v1::CancelRequest& request);
  bool Ready() const { return scheduler_.up() && !scheduler_.paused(); }
  std::vector<int64_t> Numbers(const char* sql);
  void Note(std::string_view what, int64_t first = 0, int64_t second = 0) {
    trace_.Note(agenda_.now(), "people", what, first, second);
  }

  Dice dice_;
  Agenda& agenda_;
  Trace& trace_;
  SchedulerMachine& scheduler_;
  std::map<std::string, Wish> wishes_;
  int64_t submitted_ = 0;
};

}  // namespace mozgach::sim
