#include "scheduler/jobs/lease.h"

#include <algorithm>

#include "registry/query.h"
#include "scheduler/queries.h"

namespace mozgach {
namespace sql = scheduler_sql;

absl::Status Leases::Recover(const Now& now, Milliseconds length) {
  by_job_.clear();
  by_end_.clear();
  by_limit_.clear();
  by_worker_.clear();
  by_pool_.clear();
  Query rows(database_, sql::kEveryLease);
  while (rows.Next()) {
    const bool trains = rows.Int(8) != 0;
    const Milliseconds trained = std::max(Milliseconds(0), now.wall - FromMillis(rows.Int(8)));
    Add({.job = rows.Int(0),
         .attempt = rows.Int(1),
         .worker = rows.Text(2),
         .incarnation = rows.Text(3),
         .expires_at = now.since_boot + length,
         .stop = rows.Int(4) != 0,
         .device = rows.Text(5),
         .memory_pool = rows.Text(6),
         .reserved_bytes = static_cast<uint64_t>(rows.Int(7)),
         .time_limit = Milliseconds(rows.Int(9)),
         .trains_since = trains ? now.since_boot - trained : Milliseconds::max()});
  }
  return rows.status();
}

absl::Status Leases::InsertRow(const Lease& lease) {
  return Run(database_, sql::kInsertLease, lease.job, lease.attempt, lease.worker,
             lease.incarnation, lease.device, lease.memory_pool, lease.reserved_bytes);
}

absl::Status Leases::StartClockRow(WallTime now, const Lease& lease) {
  return Run(database_, sql::kStartClock, lease.job, lease.attempt, ToMillis(now));
}

absl::Status Leases::HandOverRow(const Lease& lease, const std::string& incarnation) {
  return Run(database_, sql::kHandOverLease, lease.job, lease.attempt, incarnation);
}

absl::Status Leases::DeleteRow(const Lease& lease) {
  return Run(database_, sql::kEndLease, lease.job, lease.attempt);
}

void Leases::Add(Lease lease) {
  Erase(lease.job);
  by_end_.emplace(lease.expires_at, lease.job);
  if (lease.RunsUntil() != Milliseconds::max()) by_limit_.emplace(lease.RunsUntil(), lease.job);
  by_worker_[lease.worker].insert(lease.job);
  if (!lease.memory_pool.empty()) by_pool_[lease.memory_pool].insert(lease.job);
  by_job_[lease.job] = std::move(lease);
}

void Leases::Erase(int64_t job) {
  const auto it = by_job_.find(job);
  if (it == by_job_.end()) return;
  by_end_.erase({it->second.expires_at, job});
  by_limit_.erase({it->second.RunsUntil(), job});
  const auto holder = by_worker_.find(it->second.worker);
  holder->second.erase(job);
  if (holder->second.empty()) by_worker_.erase(holder);
  if (const auto pool = by_pool_.find(it->second.memory_pool); pool != by_pool_.end()) {
    pool->second.erase(job);
    if (pool->second.empty()) by_pool_.erase(pool);
  }
  by_job_.erase(it);
}

void Leases::Renew(int64_t job, Milliseconds expires_at) {
  const auto it = by_job_.find(job);
  if (it == by_job_.end()) return;
  by_end_.erase({it->second.expires_at, job});
  it->second.expires_at = expires_at;
  by_end_.emplace(expires_at, job);
}

void Leases::MarkReported(int64_t job, const std::string& incarnation) {
  const auto it = by_job_.find(job);
  if (it == by_job_.end()) return;
  it->second.reported = true;
  it->second.incarnation = incarnation;
}

void Leases::MarkPinned(int64_t job, const std::string& pinned_json) {
  const auto it = by_job_.find(job);
  if (it != by_job_.end()) it->second.pinned_json = pinned_json;
}

void Leases::MarkCheckpoint(int64_t job, int64_t step) {
  const auto it = by_job_.find(job);
  if (it != by_job_.end()) it->second.checkpoint_step = step;
}

void Leases::MarkTimeLimit(int64_t job, Milliseconds limit) {
  if (const Lease* lease = Find(job); lease != nullptr) Limit(job, limit, lease->trains_since);
}

void Leases::MarkTraining(int64_t job, Milliseconds since) {
  if (const Lease* lease = Find(job); lease != nullptr) Limit(job, lease->time_limit, since);
}

void Leases::Limit(int64_t job, Milliseconds limit, Milliseconds trains_since) {
  Lease lease = *Find(job);
  lease.time_limit = limit;
  lease.trains_since = trains_since;
  Add(std::move(lease));
}

void Leases::MarkStop(int64_t job) {
  const auto it = by_job_.find(job);
  if (it != by_job_.end()) it->second.stop = true;
}

const Lease* Leases::Find(int64_t job) const {
  const auto it = by_job_.find(job);
  return it == by_job_.end() ? nullptr : &it->second;
}

std::vector<int64_t> Leases::JobsOf(const std::string& worker) const {
  const auto it = by_worker_.find(worker);
  if (it == by_worker_.end()) return {};
  return {it->second.begin(), it->second.end()};
}

std::vector<int64_t> Leases::JobsIn(const std::string& memory_pool) const {
  const auto it = by_pool_.find(memory_pool);
  if (it == by_pool_.end()) return {};
  return {it->second.begin(), it->second.end()};
}

std::unordered_set<std::string> Leases::Holders() const {
  std::unordered_set<std::string> holders;
  for (const auto& [worker, jobs] : by_worker_) holders.insert(worker);
  return holders;
}

const Lease* Leases::Next() const {
  return by_end_.empty() ? nullptr : Find(by_end_.begin()->second);
}

const Lease* Leases::NextOverLimit() const {
  return by_limit_.empty() ? nullptr : Find(by_limit_.begin()->second);
}

}  // namespace mozgach
