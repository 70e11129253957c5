// A Session is the worker's mind: what it runs, what it tells the scheduler, what it does next.
//
// Sans-io: it is told what happened (with `now`, a monotonic time that counts suspended time) and
// answers with actions; it owns no thread, file, socket or clock.  Equal seeds and inputs give
// equal actions, so that a simulation can run many of them.  Not thread-safe.
//
// Leases.  An answer that names an attempt renews its lease until `lease_ms` after the request was
// sent.  The scheduler's word is final: an attempt that an answer does not name is stopped at once.
// While the scheduler does not answer, what is being trained goes on, even past the end of its
// lease: a scheduler that is down for an hour costs nothing, and if it gave the job away meanwhile,
// the attempt number fences the late result off.  An attempt whose lease has ended starts nothing
// new: it waits for the next answer before it takes a turn of the trainer.
//
// Devices.  Each has one trainer for many jobs.  A device asks for its next job while the present
// one evaluates or nears its end, and while one uploads, so that the trainer is never without work.
// When a trainer dies, the attempt it worked on has failed (infrastructure); those behind it wait
// for the next trainer.  One that hangs is killed: time that this process slept itself, on a
// machine that was suspended, does not count as the trainer's silence.
//
// Checkpoints.  What a trainer leaves goes to the scheduler as well, one at a time, the newest
// next, so that another worker can go on if this one dies.  A job that is handed back stops with a
// checkpoint, and is over here once that is with the scheduler.
//
// Bases.  One that lies below --bases is used as it is.  Any other comes from the scheduler, when
// it holds it: fetched, or found whole where an earlier fetch has left it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "worker/session/actions.h"
#include "worker/session/base_folder.h"
#include "worker/session/call_schedule.h"
#include "worker/session/device.h"
#include "worker/session/host_memory.h"
#include "worker/session/trainer_events.h"
#include "worker/session/worker_attempt.h"

namespace mozgach {

struct SessionOptions {
  std::string name;         // the worker's name in the fleet
  std::string incarnation;  // random, new at every start
  std::string version;
  int devices = 1;
  uint64_t memory_bytes = 0;  // limit per trainer set by the operator; 0: what the device has
  uint64_t seed = 0;
  CallScheduleOptions calls;
  DeviceOptions device;
  Milliseconds prefetch{5'000};  // the next job is asked for this long before the present one ends
  Milliseconds cancel_within{20'000};  // then the trainer is killed
  Milliseconds hand_back_within{
      600'000};                     // as cancel_within: a step and a checkpoint take their time
  Milliseconds stop_within{5'000};  // after Stop(): then the session ends, whatever is open
  Milliseconds handover_within{30'000};  // after Stop() while a checkpoint is being uploaded
  // A trainer that has work and writes no line for so long is killed, or for ten times the longest
  // silence that it has broken in this attempt, where that is longer.  0: never.
  Milliseconds trainer_silence{1'800'000};
};

class Session {
 public:
  explicit Session(SessionOptions options);

  // What happened.  Answers for attempts and calls that are gone are passed over.
  void BasesFound(FoundBases bases);
  void BaseFetched(const AttemptId& id, absl::StatusOr<std::string> directory);
  // Progress of fetching the base for attempt `id`.
  void BaseProgress(const AttemptId& id, const v1::BaseFetch& fetch);
  // What there is room for, and how many bytes of bases have been fetched since the start.
  void BaseDisk(uint64_t room_bytes, uint64_t fetched_bytes);
  void Answered(int64_t call, const v1::SynchronizeResponse& answer, Milliseconds now);
  void CallFailed(int64_t call, const absl::Status& status, Milliseconds now);
  void DatasetsFetched(const AttemptId& id, absl::StatusOr<DatasetPaths> paths);
  void Uploaded(const AttemptId& id, absl::StatusOr<std::vector<v1::File>> files);
  // If the checkpoint could not be fetched, the job starts over.
  void CheckpointFetched(const AttemptId& id, const absl::Status& status);
  void CheckpointUploaded(const AttemptId& id, const absl::StatusOr<v1::Checkpoint>& checkpoint);
  void TrainerSaid(int device, const TrainerEvent& event, Milliseconds now);
  void TrainerWrote(int device, const std::string& line);  // on its stderr
  // Of these, `mapped_bytes` are files that the system counts as free as well.
  void TrainerUses(int device, uint64_t resident_bytes, uint64_t mapped_bytes = 0);
  // What the host has left, looked at together with what trainers use.
  void HostHas(const HostMemory& memory);
  // `how` is for people: "was killed by signal 9", and its last words.
  // `for_memory`: the system killed it because there was too little memory.
  void TrainerExited(int device, const std::string& how, Milliseconds now, bool for_memory = false);
  // Ends the session: asks for nothing more, stops what runs, reports it STOPPED.
  // Trainers are told to exit, which leaves a checkpoint for the next attempt, on whatever worker.
  void Stop(Milliseconds now);

  // What is to be done now, in order.  To be called after each of the above, and at NextDue.
  std::vector<Action> Poll(Milliseconds now);
  // Milliseconds::max(): nothing until something happens.
  Milliseconds NextDue(Milliseconds now) const;
  // After Stop: everything is told and ended, or the time for it is up.
  bool Over(Milliseconds now) const;

  // For logs, metrics and tests.
  const std::map<AttemptId, WorkerAttempt>& attempts() const { return attempts_; }
  const std::vector<Device>& devices() const { return devices_; }
  const FoundBases& bases() const { return bases_; }
  uint64_t base_bytes_fetched() const { return base_bytes_fetched_; }
  // The bases, by name, that a trainer has loaded or an attempt needs.
  std::set<std::string> BasesInUse() const;
  std::set<int64_t> JobsHeld() const;
  bool replaced() const { return replaced_; }  // another worker took over this one's name
  Milliseconds last_answer_at() const { return last_answer_at_; }
  uint64_t base_loads() const;
  uint64_t trainer_restarts() const;
  uint64_t memory_bytes() const;
  // The attempt whose turn it is on `device`; nullptr: none.
  const WorkerAttempt* RunningOn(int device) const;

 private:
  struct Running;  // visits trainer events

  // Orders of the scheduler.
  void Obey(const v1::Assignment& assignment, Milliseconds lease_ends, Milliseconds now);
  void GiveWay(Milliseconds now);  // to another worker of this name
  void Accept(const v1::Assignment& assignment, Milliseconds lease_ends);
  // Finds its base, or has it fetched.
  void Provide(WorkerAttempt& attempt, const v1::Assignment& assignment);
  void UploadAgain(WorkerAttempt& attempt);
  // Stops it so that another worker goes on.
  void HandBack(WorkerAttempt& attempt, const std::string& why, Milliseconds now);
  // Its newest checkpoint goes to the scheduler, unless one is on its way: then once that is there.
  void SendCheckpoint(WorkerAttempt& attempt);
  // Ends its work.  It is gone at once, or when its trainer has let go of it; one that is still
  // `reported` stays, as stopped, until the scheduler names it no more.
  void EndWork(WorkerAttempt& attempt, const std::string& why, Milliseconds now);
  void Drop(WorkerAttempt& attempt, Milliseconds now);

  // Events of a trainer about an attempt it runs.
  void On(WorkerAttempt& attempt, const TrainerPhase& event, Milliseconds now);
  void On(WorkerAttempt& attempt, const TrainerStarted& event, Milliseconds now);
  void On(WorkerAttempt& attempt, const TrainerSteppedDown& event, Milliseconds now);
  void On(WorkerAttempt& attempt, const TrainerStep& event, Milliseconds now);
  void On(WorkerAttempt& attempt, const TrainerEvaluation& event, Milliseconds now);
  void On(WorkerAttempt& attempt, const TrainerAlive& event, Milliseconds now);
  void On(WorkerAttempt& attempt, const TrainerCheckpoint& event, Milliseconds now);
  void On(WorkerAttempt& attempt, const TrainerDone& event, Milliseconds now);
  void On(WorkerAttempt& attempt, const TrainerFailed& event, Milliseconds now);
  void On(WorkerAttempt& attempt, const TrainerCancelled& event, Milliseconds now);

  // Reports the loss on the validation rows, where `metrics_json` has it.
  void TakeEvalLoss(WorkerAttempt& attempt, const std::string& metrics_json);
  WorkerAttempt* Find(const AttemptId& id);
  void Fail(WorkerAttempt& attempt, v1::Failure::Class failure_class, const std::string& message);
  void Settle(WorkerAttempt& attempt);  // the trainer has let go of a stopping attempt
  void Forget(const WorkerAttempt& attempt);
  void WaitWhenProvided(WorkerAttempt& attempt);  // its data and its base are here
  void Log(const WorkerAttempt& attempt, std::string line);
  // The one called `wanted`; where there is none of that name, the one that is best for `base`.
  int ChooseDevice(const std::string& base, const std::string& wanted) const;
  void StartWaiting(Milliseconds now);
  bool CanStart(const WorkerAttempt& attempt, Milliseconds now) const;
  void KillWhatHangs(Milliseconds now);
  void CountSilence(Milliseconds now);
  // The trainer of `device` has written a line.
  void EndSilence(int device, Milliseconds now);
  Milliseconds QuietLimit(const WorkerAttempt& attempt) const;
  Milliseconds WatchGap() const;  // between two looks at a trainer that works
  // The attempt that the trainer of `device` works on, whether it has spoken of it or not.
  const WorkerAttempt* WorkedOn(int device) const;

  // What the scheduler is told.
  v1::SynchronizeRequest Request(const CallSchedule::Call& call) const;
  uint32_t FreeSlots() const;
  uint32_t FreeSlotsOf(int device) const;
  v1::Device Describe(int device) const;
  // Sum of the free bytes of the devices that could start a job now.
  uint64_t FreeBytes() const;
  void LookAtMemory();  // calls where much has come or gone since the last call
  bool NearsItsEnd(const WorkerAttempt& attempt) const;
  bool stopping() const { return stop_at_ >= Milliseconds(0); }

  const SessionOptions options_;
  CallSchedule calls_;
  std::vector<Device> devices_;
  std::vector<uint64_t> resident_bytes_;  // per device
  std::vector<uint64_t> mapped_bytes_;    // the part of these that is mapped
  std::vector<Milliseconds> quiet_;       // per device: since its trainer said a word
  Milliseconds last_poll_{-1};
  FoundBases bases_;
  uint64_t base_room_bytes_ = 0;
  uint64_t base_bytes_fetched_ = 0;
  std::map<AttemptId, v1::BaseFetch> base_fetches_;  // by the attempts they are for
  std::map<AttemptId, WorkerAttempt> attempts_;
  std::vector<Action> actions_;  // not yet taken by Poll
  std::vector<AttemptId> told_;  // in the call in flight
  int64_t arrivals_ = 0;
  uint32_t slots_told_ = 0;
  uint64_t free_told_ = 0;
  HostMemory host_;
  std::set<std::string> configs_wanted_;  // bases whose config.json goes with the next call
  bool draining_ = false;
  bool replaced_ = false;
  uint64_t scheduler_incarnation_ = 0;
  Milliseconds last_answer_at_{-1};
  Milliseconds stop_at_{-1};
};

}  // namespace mozgach
