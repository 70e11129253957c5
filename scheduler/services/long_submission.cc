#include "scheduler/services/long_submission.h"

#include <chrono>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/core/submission.h"
#include "scheduler/placement/placement.h"

namespace mozgach {
namespace {

using SteadyClock = std::chrono::steady_clock;

std::set<std::string> DomainsOf(absl::Span<const CheckedSubmission> submissions) {
  std::set<std::string> domains;
  for (const CheckedSubmission& checked : submissions) domains.insert(checked.job.domain);
  return domains;
}

absl::Status Closing() {
  return absl::UnavailableError(
      "the scheduler is shutting down; nothing was queued, submit again when it is back");
}

absl::StatusOr<bool> ChangesSomething(SchedulerState& state, const NewJob& job,
                                      const v1::SubmitResponse::Outcome& outcome) {
  if (outcome.outcome() != "unchanged") return true;
  ASSIGN_OR_RETURN(const Queue::Details details, state.queue.GetDetails(outcome.job()));
  return NoticesDiffer(details, job);
}

// One submission of many domains, from its first look at the queue to its response.
class LongSubmission {
 public:
  LongSubmission(CoreExecutor& executor, const v1::SubmitRequest& how,
                 const v1::SubmitRequest& request, std::vector<CheckedSubmission> checked)
      : executor_(executor), how_(how), request_(request), checked_(std::move(checked)) {}

  absl::StatusOr<v1::SubmitResponse> Run();

 private:
  // Asks the executor, then leaves it to others for as long as the answer took.
  template <typename Question>
  auto AskInTurn(Question question) {
    SteadyClock::duration took{};
    auto answer = executor_.Run([&](Core& core, const Now& now) {
      const auto start = SteadyClock::now();
      core.Enter(now);
      auto result = question(core, now);
      took = SteadyClock::now() - start;
      return result;
    });
    std::this_thread::sleep_for(took);
    return answer;
  }

  // What the request would do: the outcome of every domain, and datasets that are missing.
  absl::Status Preview();
  absl::Status PreviewPart(size_t begin, size_t end);
  // Plans the shapes that no job had yet, without holding the executor.
  absl::Status PlanShapes();
  // Leaves the checked that change something.
  void KeepActive();
  absl::Status Stage();
  absl::Status Accept();
  absl::Status QueueParts();

  CoreExecutor& executor_;
  const v1::SubmitRequest& how_;
  const v1::SubmitRequest& request_;
  std::vector<CheckedSubmission> checked_;
  std::vector<bool> changes_;      // per domain of the request: whether something is written
  std::vector<size_t> positions_;  // positions of checked_ in the request
  std::map<std::string, BaseConfig> configs_;
  // Base and settings of shapes that no job had yet.
  std::set<std::pair<std::string, std::string>> unplanned_;
  v1::SubmitResponse response_;
  int64_t submission_ = 0;
  bool accepted_ = false;
};

absl::StatusOr<v1::SubmitResponse> LongSubmission::Run() {
  if (!how_.dry_run()) {
    // Before the first look for datasets: they stay while it is there.
    ASSIGN_OR_RETURN(submission_, AskInTurn([&](Core& core, const Now&) {
                       return core.state().staged.Begin(how_.actor());
                     }));
  }
  absl::Status status = Preview();
  const bool writes = status.ok() && !how_.dry_run() && response_.missing_blobs().empty();
  if (writes) KeepActive();
  if (writes && !checked_.empty()) {
    status = PlanShapes();
    if (status.ok()) status = Stage();
    if (status.ok()) status = Accept();
  }
  if (submission_ != 0 && !accepted_) {
    const absl::Status dropped =
        AskInTurn([&](Core& core, const Now&) { return core.state().staged.Drop(submission_); });
    if (status.ok()) status = dropped;
  }
  RETURN_IF_ERROR(status);
  if (accepted_) RETURN_IF_ERROR(QueueParts());
  return std::move(response_);
}

absl::Status LongSubmission::Preview() {
  size_t begin = 0;
  for (const size_t end : PartEnds(checked_)) {
    if (executor_.closed()) return Closing();
    RETURN_IF_ERROR(PreviewPart(begin, end));
    begin = end;
  }
  const std::set<std::string> missing(response_.missing_blobs().begin(),
                                      response_.missing_blobs().end());
  response_.clear_missing_blobs();
  response_.mutable_missing_blobs()->Add(missing.begin(), missing.end());
  return absl::OkStatus();
}

absl::Status LongSubmission::PreviewPart(size_t begin, size_t end) {
  v1::SubmitRequest look = how_;
  look.set_dry_run(true);
  const auto part = absl::MakeConstSpan(checked_).subspan(begin, end - begin);
  return AskInTurn([&](Core& core, const Now& now) -> absl::Status {
    SchedulerState& state = core.state();
    ASSIGN_OR_RETURN(const v1::SubmitResponse preview, core.Submit(now, look, part));
    response_.MergeFrom(preview);
    for (size_t i = begin; i < end; ++i) {
      const NewJob& job = checked_[i].job;
      ASSIGN_OR_RETURN(const bool changes,
                       ChangesSomething(state, job, preview.outcomes(static_cast<int>(i - begin))));
      changes_.push_back(changes);
      ASSIGN_OR_RETURN(const auto shape, state.shapes.Find(BaseKey(job.base, job.revision),
                                                           job.memory_settings, false));
      if (shape.has_value()) continue;
      unplanned_.emplace(job.base, job.memory_settings);
      const BaseConfig* config = state.configs.Find(job.base);
      if (config != nullptr) configs_.try_emplace(job.base, *config);
    }
    return absl::OkStatus();
  });
}

absl::Status LongSubmission::PlanShapes() {
  std::map<std::pair<std::string, std::string>, ShapePlan> plans;
  for (CheckedSubmission& checked : checked_) {
    NewJob& job = checked.job;
    const std::pair<std::string, std::string> key(job.base, job.memory_settings);
    const auto config = configs_.find(job.base);
    if (config == configs_.end() || unplanned_.count(key) == 0) continue;
    const auto [plan, first] = plans.try_emplace(key);
    if (first) {
      if (executor_.closed()) return Closing();
      plan->second = {config->second.digest,
                      PlanNeeds(config->second, job.memory_settings, /*stepped_down=*/false)};
    }
    job.plan = plan->second;
  }
  return absl::OkStatus();
}

void LongSubmission::KeepActive() {
  std::vector<CheckedSubmission> active;
  for (size_t i = 0; i < checked_.size(); ++i) {
    if (!changes_[i]) continue;
    positions_.push_back(i);
    active.push_back(std::move(checked_[i]));
  }
  checked_ = std::move(active);
}

absl::Status LongSubmission::Stage() {
  size_t part = 0, next = 0;
  for (const size_t end : PartEnds(checked_)) {
    v1::SubmitRequest staged;
    for (; next < end; ++next) {
      *staged.add_domains() = request_.domains(static_cast<int>(positions_[next]));
    }
    if (executor_.closed()) return Closing();
    RETURN_IF_ERROR(AskInTurn([&](Core& core, const Now&) {
      return core.state().staged.Add(submission_, part, staged);
    }));
    ++part;
  }
  return absl::OkStatus();
}

absl::Status LongSubmission::Accept() {
  StagedSubmission staged;
  staged.actor = how_.actor();
  staged.part_ends = PartEnds(checked_);
  staged.checked = std::move(checked_);
  const std::set<std::string> domains = DomainsOf(staged.checked);
  while (!accepted_) {
    if (executor_.closed()) return Closing();
    RETURN_IF_ERROR(AskInTurn([&](Core& core, const Now& now) -> absl::Status {
      StagedSubmissions& all = core.state().staged;
      const int64_t earlier = all.FirstThatNames(domains);
      if (earlier != 0) return QueueNextPart(core.state(), now, earlier);
      RETURN_IF_ERROR(all.Accept(submission_, std::move(staged)));
      accepted_ = true;
      return absl::OkStatus();
    }));
  }
  return absl::OkStatus();
}

absl::Status LongSubmission::QueueParts() {
  v1::SubmitResponse queued;
  absl::Status status;
  for (bool done = false; !done && status.ok();) {
    status = AskInTurn([&](Core& core, const Now& now) -> absl::Status {
      StagedSubmissions& all = core.state().staged;
      if (!all.Find(submission_)->IsQueued()) {
        const absl::Status next = executor_.closed()
                                      ? absl::UnavailableError("it is shutting down")
                                      : QueueNextPart(core.state(), now, submission_);
        all.Find(submission_)->abandoned = !next.ok();
        RETURN_IF_ERROR(next);
      }
      done = all.Find(submission_)->IsQueued();
      if (!done) return absl::OkStatus();
      queued = std::move(all.Find(submission_)->response);
      all.Forget(submission_);
      return absl::OkStatus();
    });
  }
  if (!status.ok()) {
    return absl::Status(
        status.code(),
        absl::StrCat("the submission is accepted, but the scheduler cannot queue all "
                     "of it yet: ",
                     status.message(),
                     "; it goes on by itself, or "
                     "when it is started again"));
  }
  for (size_t i = 0; i < positions_.size(); ++i) {
    response_.mutable_outcomes(static_cast<int>(positions_[i]))
        ->Swap(queued.mutable_outcomes(static_cast<int>(i)));
  }
  return absl::OkStatus();
}

// One part: at once, after what was accepted earlier of the same domains.
absl::StatusOr<v1::SubmitResponse> SubmitAtOnce(CoreExecutor& executor,
                                                const v1::SubmitRequest& how,
                                                const std::vector<CheckedSubmission>& submissions) {
  const std::set<std::string> domains = DomainsOf(submissions);
  for (;;) {
    bool submitted = false;
    absl::StatusOr<v1::SubmitResponse> response =
        executor.Run([&](Core& core, const Now& now) -> absl::StatusOr<v1::SubmitResponse> {
          const int64_t earlier = core.state().staged.FirstThatNames(domains);
          submitted = earlier == 0;
          if (submitted) return core.Submit(now, how, submissions);
          RETURN_IF_ERROR(QueueNextPart(core.state(), now, earlier));
          return v1::SubmitResponse();
        });
    if (submitted || !response.ok()) return response;
  }
}

}  // namespace

absl::StatusOr<v1::SubmitResponse> SubmitInParts(CoreExecutor& executor,
                                                 const v1::SubmitRequest& how,
                                                 const v1::SubmitRequest& request,
                                                 std::vector<CheckedSubmission> checked) {
  if (PartEnds(checked).size() <= 1) return SubmitAtOnce(executor, how, checked);
  return LongSubmission(executor, how, request, std::move(checked)).Run();
}

}  // namespace mozgach
