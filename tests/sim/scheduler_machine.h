// The SchedulerMachine is the host of the simulated scheduler: the real core behind the real front
// executor, on a database in memory and files below a folder, both of which outlive its crashes.
//
// It watches every call for what no look at the database afterwards could see: that a report of an
// attempt which is over changes nothing.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/executor/core_executor.h"
#include "tests/invariants/invariants.h"
#include "tests/sim/agenda.h"
#include "tests/sim/plan.h"
#include "tests/sim/trace.h"

namespace mozgach::sim {

class SchedulerMachine {
 public:
  using Reply = CoreExecutor::Reply;
  // Says what does not hold; the life ends there.
  using Alarm = std::function<void(const std::string&)>;

  // `root` is an empty folder.  All but `root` outlive it.
  SchedulerMachine(std::filesystem::path root, const Plan& plan, Agenda& agenda, Trace& trace,
                   Alarm alarm);
  ~SchedulerMachine();

  // Starts the process; again after a while when the disk does not let it.
  void Start();
  void Crash(const char* why);
  void CrashFor(const char* why, Milliseconds length);
  bool up() const { return core_ != nullptr; }

  void Pause(Milliseconds length);
  bool paused() const { return agenda_.now() < paused_until_; }
  Milliseconds paused_until() const { return paused_until_; }
  void JumpClock(Milliseconds amount) { wall_offset_ += amount; }
  void FillDisk(bool full);
  void BackUp();
  void RestoreFor(Milliseconds length);
  // By rules that keep as little as they may.  `between` is called between its turns.
  void Collect(const std::function<void()>& between);
  void LoseStaging();

  // REQUIRES of all below: up and not paused.  The scheduler may die of it: then no reply comes.
  void Hear(std::shared_ptr<const v1::SynchronizeRequest> request, Reply reply);
  void Leave(const v1::SynchronizeRequest& request);
  // False: it died, and nobody heard the answer.
  bool Ask(const std::function<void(Core&, const Now&)>& question);
  absl::Status PutBlob(const std::string& bytes);
  bool HasBlob(const std::string& sha256) const { return blobs_->Has(sha256); }

  void Alarmed(const std::string& what) { alarm_(what); }

  Invariants& invariants() { return invariants_; }
  // Every few calls, and when asked to.
  void CheckInvariants();
  // The queue is empty, and everything is in order.
  bool AtRest();
  void CheckAtRest();

  int64_t calls() const { return calls_; }
  int64_t stale_reports_seen() const { return stale_seen_; }
  int64_t restores() const { return restores_; }
  int64_t deaths() const { return deaths_; }
  int64_t collected() const { return collected_; }
  int64_t Count(const char* sql);
  Database& database() { return *database_; }

 private:
  class MachineClock : public Clock {
   public:
    explicit MachineClock(const SchedulerMachine& machine) : machine_(machine) {}
    WallTime Now() const override;
    Milliseconds SinceBoot() const override;

   private:
    const SchedulerMachine& machine_;
  };

  // The rows that a report of an attempt which is over must leave as they are.
  struct Guarded {
    int64_t job = 0;
    int64_t attempt = 0;
    std::string before;      // the row of the attempt
    std::string job_before;  // the row of its job, and the rows that belong to it
    bool others_business = false;
  };
  std::vector<Guarded> GuardStale(const v1::SynchronizeRequest& request);
  bool IsOthersBusiness(const v1::SynchronizeRequest& request, const v1::AttemptReport& report);
  bool IsStale(const v1::SynchronizeRequest& request, const v1::AttemptReport& report);
  void CheckGuarded(const std::vector<Guarded>& guarded);
  std::string RowsOf(int64_t job, int64_t attempt);
  std::string JobRow(int64_t job);

  absl::Status TryToStart();
  void Restore(Milliseconds length);
  void Close();
  // Every dataset that a job still wants is there.
  void CheckBlobs();
  void PlanTick();
  void DieIfDead();
  void Note(std::string_view what, int64_t first = 0, int64_t second = 0) {
    trace_.Note(agenda_.now(), "scheduler", what, first, second);
  }

  const std::filesystem::path root_;
  const Plan& plan_;
  Agenda& agenda_;
  Trace& trace_;
  const Alarm alarm_;
  MachineClock clock_;
  SchedulerConfig config_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Database> backup_;
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<AdapterStore> adapters_;
  std::unique_ptr<Core> core_;
  std::unique_ptr<CoreExecutor> executor_;
  Invariants invariants_;
  Milliseconds wall_offset_{0};
  Milliseconds booted_{0};
  Milliseconds paused_until_{0};
  bool restoring_ = false;
  int64_t life_ = 0;   // the process's life; replies to another one are dropped
  int64_t ticks_ = 0;  // the newest tick is the one that counts
  int64_t calls_ = 0;
  int64_t stale_seen_ = 0;
  int64_t restores_ = 0;
  int64_t deaths_ = 0;
  int64_t collected_ = 0;
};

}  // namespace mozgach::sim
