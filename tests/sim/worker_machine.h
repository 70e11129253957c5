// A WorkerMachine is one run of a simulated worker: the real Session, and around it what worker.cc
// does with threads and processes: trainers, transfers, calls.  When the process ends the machine
// is over; the next start is another one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/agenda.h"
#include "tests/sim/dice.h"
#include "tests/sim/trace.h"
#include "tests/sim/trainer.h"
#include "worker/session/session.h"

namespace mozgach::sim {

inline constexpr char kTiny[] = "mozgach/tiny";
inline constexpr char kQwen[] = "Qwen/Qwen2.5-3B";

// The way from a host to the scheduler.
class Line {
 public:
  using Answer = std::function<void(absl::StatusOr<v1::SynchronizeResponse>)>;
  virtual ~Line() = default;
  // `answer` may come never, late, or twice.
  virtual void Call(std::shared_ptr<const v1::SynchronizeRequest> request, Milliseconds deadline,
                    Answer answer) = 0;
  // The caller has gone.
  virtual void GiveUp(std::shared_ptr<const v1::SynchronizeRequest> request) = 0;
  // UNAVAILABLE: try again later.
  virtual absl::Status Upload(const std::string& bytes) = 0;
  virtual absl::Status Download(const std::string& sha256) = 0;
  // Something has come to a worker that must not.
  virtual void Alarm(const std::string& what) = 0;
};

// The state of a host, independent of the worker that runs on it.
struct HostState {
  int index = 0;
  std::vector<std::string> bases;
  int devices = 1;
  uint64_t memory_bytes = 0;     // memory of each device
  Milliseconds paused_until{0};  // its worker's process
  Milliseconds frozen_until{0};  // all of it
  Milliseconds sick_until{0};    // its trainers
  Milliseconds clock_offset{0};  // offset of its monotonic clock
};

// "cpu", or "cuda:0" and "cuda:1".
std::string DeviceName(const HostState& host, int device);

// The bytes of the adapter that an attempt trains, by file.  They tell whose they are.
std::map<std::string, std::string> AdapterOf(const Work& work);

// The bytes of a checkpoint, by file.  They do not depend on the worker that makes it.
std::map<std::string, std::string> CheckpointOf(const Work& work, int64_t step);

class WorkerMachine : public std::enable_shared_from_this<WorkerMachine> {
 public:
  // All but the strings outlive it.
  WorkerMachine(std::string name, std::string incarnation, uint64_t seed, const HostState& host,
                Line& line, Agenda& agenda, Trace& trace);

  void Start();
  void Crash();
  // SIGTERM.
  void Stop();
  bool alive() const { return alive_; }
  bool replaced() const { return session_.replaced(); }
  const std::string& incarnation() const { return incarnation_; }
  // Does what was held back during the pause, and goes on.
  void Resume() { Wake(); }

 private:
  Milliseconds now() const { return agenda_.now() + host_.clock_offset; }
  Milliseconds held_until() const { return std::max(host_.paused_until, host_.frozen_until); }
  // Does `deed` when the process runs, after `wait`; never when it is gone by then.
  void Later(Milliseconds wait, std::function<void()> deed);
  // Hears something and then does what the session wants.
  void Tell(std::function<void()> hear);
  void Wake();
  void Poll();

  void Do(StartTrainer& action);
  void Do(KillTrainer& action);
  void Do(EndTrainer& action);
  void Do(SendTraining& action);
  void Do(CancelTraining& action);
  void Do(FetchDatasets& action);
  void Do(FetchBase& action);
  void Do(FetchHandover& action);
  void Do(UploadHandover& action);
  void Do(UploadAdapter& action);
  void Do(AbortTransfers& action);
  void Do(ForgetAttempt& action);
  void Do(WriteLog& action) {}
  void Do(RescanBases& action);
  void Do(MakeCall& action);

  void Fetch(const AttemptId& id, const std::vector<v1::Dataset>& datasets, int64_t transfer);
  void Upload(const AttemptId& id, const Work& work, int64_t transfer);
  // UNAVAILABLE: it is to be tried again.
  absl::StatusOr<std::vector<v1::File>> TryToUpload(
      const std::map<std::string, std::string>& contents);
  void FetchState(const AttemptId& id, const v1::Checkpoint& checkpoint);
  void UploadState(const AttemptId& id, const Work& work, int64_t step);
  bool StillWanted(const AttemptId& id, int64_t transfer) const;
  FoundBases Bases() const;
  void Note(std::string_view what, int64_t first = 0, int64_t second = 0) {
    trace_.Note(agenda_.now(), label_, what, first, second);
  }

  const std::string name_;
  const std::string incarnation_;
  const std::string label_;
  Dice dice_;
  const HostState& host_;
  Line& line_;
  Agenda& agenda_;
  Trace& trace_;
  Session session_;
  bool alive_ = true;
  std::vector<std::shared_ptr<Trainer>> trainers_;
  int64_t trainers_started_ = 0;
  std::map<AttemptId, int64_t> transfers_;  // the newest of each attempt
  std::map<int64_t, int64_t> checkpoints_;  // on its disk: the newest step of each job
  int64_t next_transfer_ = 1;
  std::shared_ptr<const v1::SynchronizeRequest> call_;  // in flight
  int64_t wakes_ = 0;
};

}  // namespace mozgach::sim
