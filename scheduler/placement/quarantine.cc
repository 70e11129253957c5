#include "scheduler/placement/quarantine.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/utf8.h"
#include "failpoint/failpoint.h"

namespace mozgach {
namespace {

constexpr size_t kReasonBytesMax = 1024;
constexpr int kDoublingsMax = 6;

bool IsTheWorkers(FailureClass failure) {
  return failure == FailureClass::kInfrastructure || failure == FailureClass::kUnknown;
}

absl::Status Tell(SchedulerState& state, const Now& now, const WorkerState& worker) {
  Transaction transaction(state.database);
  RETURN_IF_ERROR(transaction.status());
  RETURN_IF_ERROR(state.events.Append(
      {.time = now.wall,
       .kind = "quarantined",
       .actor = "scheduler",
       .message = absl::StrCat(worker.name, " ", ShowQuarantine(worker, now))}));
  return COMMIT("scheduler.worker.quarantine", transaction);
}

}  // namespace

std::string ShowQuarantine(const WorkerState& worker, const Now& now) {
  const double left =
      static_cast<double>((worker.health.quarantined_until - now.since_boot).count());
  return absl::StrFormat("is quarantined for another %.0f s: %s", std::max(0.0, left / 1000),
                         worker.health.reason);
}

void HearFailure(SchedulerState& state, const Now& now, const std::string& name,
                 const std::string& domain, FailureClass failure, const std::string& message) {
  WorkerState* worker = state.worker_table.Find(name);
  if (worker == nullptr || !IsTheWorkers(failure) || state.config.quarantine_domains == 0) return;
  WorkerHealth& health = worker->health;
  health.failed_domains.insert(domain);
  const auto failed = static_cast<int64_t>(health.failed_domains.size());
  if (IsQuarantined(*worker, now)) return;
  if (health.quarantines == 0 && failed < state.config.quarantine_domains) return;
  const int doublings = std::min(health.quarantines, kDoublingsMax);
  health.quarantined_until = now.since_boot + state.config.quarantine * (int64_t{1} << doublings);
  ++health.quarantines;
  health.told_it_is_over = false;
  health.reason = Abbreviate(
      absl::StrCat(failed, " domains failed there and nothing succeeded since, the last with: ",
                   message, "; `mozgachctl drain ", name, " --undo` gives it work at once"),
      kReasonBytesMax);
  spdlog::warn("worker {} {}", name, ShowQuarantine(*worker, now));
  state.wake_at = std::min(state.wake_at, health.quarantined_until);
  if (absl::Status told = Tell(state, now, *worker); !told.ok()) state.RecordWriteError(told);
}

void HearItIsWell(SchedulerState& state, const std::string& name) {
  if (WorkerState* worker = state.worker_table.Find(name); worker != nullptr) worker->health = {};
}

}  // namespace mozgach
