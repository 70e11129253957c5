// The WorkerTable is the workers: what each said last, which of two with one name counts, who
// drains. Names and drains are rows; what a worker says at every call is kept in memory only, so
// that an idle call writes nothing.
//
// One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "mozgach/v1/worker_service.pb.h"
#include "registry/database.h"
#include "scheduler/jobs/now.h"
#include "scheduler/state/worker_health.h"

namespace mozgach {

struct WorkerState {
  std::string name;
  std::string incarnation;
  std::string version;
  std::vector<v1::Base> bases;
  std::unordered_set<std::string> keys;     // OfferedKeys(bases)
  std::unordered_set<std::string> awaited;  // bases of these whose config.json it was asked for
  std::vector<v1::Device> devices;
  int64_t free_slots = 0;
  int64_t unreported = 0;  // leases given that it has not named yet
  uint64_t base_loads = 0;
  uint64_t trainer_restarts = 0;
  uint64_t memory_bytes = 0;
  uint64_t base_room_bytes = 0;  // for bases that it would fetch
  std::vector<v1::BaseFetch> base_fetches;
  uint64_t base_bytes_fetched = 0;
  bool drain = false;     // an operator said so
  WallTime drain_by{};    // then what still runs is handed back; epoch: never
  bool draining = false;  // it said so itself
  uint64_t sequence = 0;
  bool heard = false;          // since this scheduler started, which was then:
  Milliseconds known_since{};  // since boot
  WallTime last_call{};
  Milliseconds last_call_since_boot{};
  WorkerHealth health;

  bool MustHandBack(WallTime now) const {
    return drain && drain_by != WallTime{} && now >= drain_by;
  }
};

class WorkerTable {
 public:
  enum class Arrival {
    kCurrent,    // what it says counts
    kReplaced,   // a later incarnation has called: it must end
    kOvertaken,  // a later call of its own has been answered
  };

  WorkerTable(Database& database, int64_t workers_max)
      : database_(database), workers_max_(workers_max) {}

  // Reads the rows.  Forgets workers silent since before `before` that `keep` does not want.
  absl::Status Recover(const Now& now, WallTime before,
                       const std::unordered_set<std::string>& keep);

  // Takes in what a call says.  Writes only when the incarnation or the bases are new.
  // RESOURCE_EXHAUSTED when there are too many workers.
  absl::StatusOr<Arrival> Arrive(const Now& now, const v1::SynchronizeRequest& request);

  // Null where there is none; valid until the worker_table changes.
  const WorkerState* Find(const std::string& worker) const;
  WorkerState* Find(const std::string& worker);
  const std::map<std::string, WorkerState>& workers() const { return workers_; }

  // Joins the open transaction; NOT_FOUND where there is none.  MarkDrain once it is committed.
  // `by`: as WorkerState::drain_by.
  absl::Status SaveDrain(const std::string& worker, bool drain, WallTime by);
  void MarkDrain(const std::string& worker, bool drain, WallTime by);

  // Joins the open transaction: the rows of `worker` go.  Forget once it is committed.
  absl::Status RemoveRows(const std::string& worker);
  void Forget(const std::string& worker) { workers_.erase(worker); }

  // Stores when each worker called last, so that a scheduler that starts again can say it.
  absl::Status SaveCalls();

  // True when it has not called for `lease`, or not yet since this scheduler started.
  static bool IsLost(const WorkerState& worker, const Now& now, Milliseconds lease);

  // True for a lease after this scheduler started, until it calls: nobody knows yet whether it is
  // lost.
  static bool IsAwaited(const WorkerState& worker, const Now& now, Milliseconds lease);

  // Totals of all workers since this scheduler started.
  uint64_t base_loads_total() const { return base_loads_total_; }
  uint64_t trainer_restarts_total() const { return trainer_restarts_total_; }
  uint64_t base_bytes_fetched_total() const { return base_bytes_fetched_total_; }

 private:
  absl::StatusOr<bool> Knows(const std::string& worker, const std::string& incarnation);
  absl::Status Save(const Now& now, const v1::SynchronizeRequest& request,
                    const std::string& bases_json, bool new_incarnation);
  void TakeBases(WorkerState& worker, const std::string& bases_json);
  void TakeCounts(WorkerState& worker, const v1::SynchronizeRequest& request, bool new_incarnation);

  Database& database_;
  const int64_t workers_max_;
  std::map<std::string, WorkerState> workers_;
  uint64_t base_loads_total_ = 0;
  uint64_t trainer_restarts_total_ = 0;
  uint64_t base_bytes_fetched_total_ = 0;
};

}  // namespace mozgach
