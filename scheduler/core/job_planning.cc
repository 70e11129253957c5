#include "scheduler/core/job_planning.h"

#include "common/json_text.h"
#include "failpoint/failpoint.h"
#include "nlohmann/json.hpp"
#include "scheduler/placement/placement.h"

namespace mozgach {
namespace {

constexpr int64_t kShapesAtOnce = 128;
constexpr int64_t kJobsAtOnce = 500;
constexpr char kUnreadable[] = "{}";  // settings that no plan is made for

}  // namespace

absl::StatusOr<std::string> SettingsOf(SchedulerState& state, const Job& job) {
  const absl::StatusOr<JobShape> shape = state.shapes.Get(job.shape);
  if (shape.ok() && !shape->settings.empty()) return shape->settings;
  if (!shape.ok() && !absl::IsNotFound(shape.status())) return shape.status();
  ASSIGN_OR_RETURN(const Queue::Details details, state.queue.GetDetails(job.job));
  const absl::StatusOr<nlohmann::json> json = ParseJson(details.spec_json);
  if (!json.ok()) return std::string(kUnreadable);
  const absl::StatusOr<DomainSpec> spec = DomainSpecFromJson(*json);
  return spec.ok() ? MemorySettings(*spec, DomainRows()) : kUnreadable;
}

absl::StatusOr<int64_t> ShapeOfNew(SchedulerState& state, const NewJob& job) {
  return state.shapes.FindOrAdd(job.base, BaseKey(job.base, job.revision), job.memory_settings,
                                /*stepped_down=*/false, state.configs.Find(job.base), job.plan);
}

absl::Status LearnConfig(SchedulerState& state, const std::string& worker, const v1::Base& base) {
  Transaction transaction(state.database);
  RETURN_IF_ERROR(transaction.status());
  RETURN_IF_ERROR(state.configs.Save(worker, base));
  RETURN_IF_ERROR(COMMIT("scheduler.base_config.learn", transaction));
  state.configs.Add(worker, base);
  return PlanSomeShapes(state).status();
}

absl::StatusOr<bool> PlanSomeShapes(SchedulerState& state) {
  while (!state.configs.behind().empty()) {
    const std::string base = *state.configs.behind().begin();
    Transaction transaction(state.database);
    RETURN_IF_ERROR(transaction.status());
    ASSIGN_OR_RETURN(const int64_t planned,
                     state.shapes.Plan(base, *state.configs.Find(base), kShapesAtOnce));
    if (planned > 0) RETURN_IF_ERROR(COMMIT("scheduler.shapes.plan", transaction));
    if (planned == kShapesAtOnce) return true;
    state.configs.MarkPlanned(base);
    if (planned > 0) state.wakeups.base_keys.insert(base);
  }
  return false;
}

absl::StatusOr<bool> PlanSomeJobsFromBefore(SchedulerState& state) {
  Transaction transaction(state.database);
  RETURN_IF_ERROR(transaction.status());
  ASSIGN_OR_RETURN(const std::vector<int64_t> jobs, state.queue.FromBefore(kJobsAtOnce));
  for (const int64_t number : jobs) {
    ASSIGN_OR_RETURN(const Job job, state.queue.Get(number));
    ASSIGN_OR_RETURN(const Queue::Details details, state.queue.GetDetails(number));
    ASSIGN_OR_RETURN(const std::string settings, SettingsOf(state, job));
    ASSIGN_OR_RETURN(
        const int64_t shape,
        state.shapes.FindOrAdd(job.base, job.base_key, settings,
                               HasSteppedDown(details.pinned_json), state.configs.Find(job.base)));
    RETURN_IF_ERROR(state.queue.SetShape(number, shape));
  }
  if (!jobs.empty()) RETURN_IF_ERROR(COMMIT("scheduler.old_jobs.plan", transaction));
  return static_cast<int64_t>(jobs.size()) == kJobsAtOnce;
}

}  // namespace mozgach
