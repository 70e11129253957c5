#include "scheduler/state/progress_cache.h"

#include <tuple>

#include "failpoint/failpoint.h"

namespace mozgach {
namespace {

auto Seen(const AttemptProgress& p) {
  return std::tie(p.device, p.phase, p.step, p.steps, p.loss, p.tokens_per_second,
                  p.memory_peak_bytes, p.memory_planned_bytes, p.step_loss, p.eval_loss);
}

}  // namespace

void ProgressCache::Start(int64_t job, int64_t attempt, const std::string& domain) {
  entries_[job] = Entry{.attempt = attempt, .domain = domain};
}

bool ProgressCache::Record(int64_t job, const AttemptProgress& progress, Milliseconds since_boot) {
  const auto it = entries_.find(job);
  if (it == entries_.end()) return false;
  const bool moved = it->second.progress.step != progress.step ||
                     it->second.progress.phase != progress.phase ||
                     it->second.stepped_at == Milliseconds(0);
  if (moved) it->second.stepped_at = since_boot;
  if (Seen(it->second.progress) == Seen(progress)) return false;
  it->second.progress = progress;
  it->second.dirty = true;
  dirty_ = true;
  return true;
}

void ProgressCache::Note(int64_t job, const std::string& note) {
  const auto it = entries_.find(job);
  if (it != entries_.end()) it->second.note = note;
}

const ProgressCache::Entry* ProgressCache::Find(int64_t job) const {
  const auto it = entries_.find(job);
  return it == entries_.end() ? nullptr : &it->second;
}

absl::Status ProgressCache::Flush(Database& database, Attempts& attempts) {
  Transaction transaction(database);
  RETURN_IF_ERROR(transaction.status());
  for (const auto& [job, entry] : entries_) {
    if (!entry.dirty) continue;
    RETURN_IF_ERROR(attempts.RecordProgress(job, entry.attempt, entry.progress));
  }
  RETURN_IF_ERROR(COMMIT("scheduler.progress.write", transaction));
  for (auto& [job, entry] : entries_) entry.dirty = false;
  dirty_ = false;
  return absl::OkStatus();
}

}  // namespace mozgach
