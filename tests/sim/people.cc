#include "tests/sim/people.h"

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/domain/domain_spec.h"
#include "nlohmann/json.hpp"
#include "registry/query.h"
#include "tests/sim/worker_machine.h"

namespace mozgach::sim {
namespace {

constexpr int64_t kDomains = 80;
constexpr Milliseconds kDrainRetry(500);

constexpr char kOpenJobs[] = "SELECT job FROM jobs WHERE state IN ('queued', 'running')";
constexpr char kNewestRunning[] =
    "SELECT job FROM attempts WHERE state IN ('running', 'publishing') "
    "ORDER BY state = 'publishing' DESC, step DESC, job LIMIT 1";
constexpr char kDraining[] = "SELECT worker FROM workers WHERE draining = 1";
constexpr char kPublishing[] =
    "SELECT attempt FROM attempts WHERE job = ?1 AND state = 'publishing'";

}  // namespace

v1::Submission People::SubmissionOf(const std::string& domain, const Wish& wish, bool* uploaded) {
  DomainSpec spec;
  spec.domain = domain;
  spec.base = wish.qwen ? kQwen : kTiny;
  spec.priority = wish.priority;
  spec.data.max_length = wish.max_length;
  spec.data.train = {"train.jsonl"};
  const std::string rows = absl::StrCat("rows of ", domain, " ", wish.change);
  *uploaded = scheduler_.HasBlob(Sha256Hex(rows)) || scheduler_.PutBlob(rows).ok();
  v1::Submission submission;
  submission.set_spec_json(ToJson(spec).dump());
  v1::Dataset& dataset = *submission.add_datasets();
  dataset.set_role(v1::Dataset::TRAIN);
  dataset.set_name("train.jsonl");
  dataset.set_sha256(Sha256Hex(rows));
  dataset.set_size(rows.size());
  return submission;
}

void People::Submit(int64_t domains) {
  v1::SubmitRequest request;
  request.set_actor("people");
  std::set<std::string> named;
  for (int64_t i = 0; i < domains; ++i) {
    const std::string domain = absl::StrCat("domain-", dice_.Between(1, kDomains));
    if (!named.insert(domain).second) continue;
    auto [known, first] = wishes_.try_emplace(domain);
    Wish& wish = known->second;
    if (first) wish.qwen = dice_.Chance(0.3);
    if (dice_.Chance(0.45)) wish.change = dice_.Between(0, 3);
    if (dice_.Chance(0.1)) wish.max_length = 512 << dice_.Between(0, 3);
    if (dice_.Chance(0.2)) wish.priority = dice_.Between(0, 100);
    bool uploaded = false;
    if (!Ready()) return;
    *request.add_domains() = SubmissionOf(domain, wish, &uploaded);
    if (!uploaded) return;
  }
  if (Ready()) Send(request);
}

void People::Send(const v1::SubmitRequest& request) {
  const auto checked = CheckSubmissions(request);
  absl::StatusOr<v1::SubmitResponse> response;
  const bool heard = scheduler_.Ask([&](Core& core, const Now& now) {
    response = checked.ok() ? core.Submit(now, request, *checked)
                            : absl::StatusOr<v1::SubmitResponse>(checked.status());
  });
  if (!heard || !response.ok() || response->missing_blobs_size() > 0) {
    return Note("submitted, and was not heard", request.domains_size());
  }
  for (const auto& outcome : response->outcomes()) {
    scheduler_.invariants().Accepted(outcome.job());
    if (outcome.outcome() != "unchanged" && outcome.outcome() != "updated" &&
        outcome.outcome() != "repaired")
      ++submitted_;
    Note(outcome.outcome(), outcome.job());
  }
}

std::vector<int64_t> People::Numbers(const char* sql) {
  std::vector<int64_t> numbers;
  Query rows(scheduler_.database(), sql);
  while (rows.Next()) numbers.push_back(rows.Int(0));
  return numbers;
}

void People::Cancel(bool newest_running) {
  if (!Ready()) return;
  const std::vector<int64_t> jobs = Numbers(newest_running ? kNewestRunning : kOpenJobs);
  if (jobs.empty()) return;
  v1::CancelRequest request;
  request.set_actor("people");
  request.mutable_selector()->add_jobs(
      jobs[static_cast<size_t>(dice_.Between(0, static_cast<int64_t>(jobs.size()) - 1))]);
  CancelJobs(request);
}

void People::CancelAll() {
  if (!Ready()) return;
  v1::CancelRequest request;
  request.set_actor("people");
  request.mutable_selector()->set_all(true);
  CancelJobs(request);
}

void People::CancelJobs(const v1::CancelRequest& request) {
  absl::StatusOr<v1::CancelResponse> response;
  std::map<int64_t, int64_t> publishing;
  const bool heard = scheduler_.Ask([&](Core& core, const Now& now) {
    core.Enter(now);
    for (const int64_t job : Numbers(kOpenJobs)) {
      Query row(scheduler_.database(), kPublishing, job);
      if (row.Next()) publishing[job] = row.Int(0);
    }
    response = core.Cancel(now, request);
  });
  if (!heard || !response.ok()) return Note("cancelled, and was not heard");
  for (const v1::Job& job : response->jobs()) {
    scheduler_.invariants().Cancelled(job.job(), publishing[job.job()]);
    Note("cancelled", job.job());
  }
}

void People::Retry() {
  if (!Ready()) return;
  v1::RetryRequest request;
  request.set_actor("people");
  request.mutable_selector()->set_all(true);
  absl::StatusOr<v1::RetryResponse> response;
  const bool heard =
      scheduler_.Ask([&](Core& core, const Now& now) { response = core.Retry(now, request); });
  if (!heard || !response.ok()) return Note("retried, and was not heard");
  for (const v1::Job& job : response->jobs()) {
    scheduler_.invariants().Accepted(job.job());
    ++submitted_;
    Note("retried as", job.job());
  }
}

void People::Drain(const std::string& worker, bool undo) {
  if (!Ready()) return;
  v1::DrainWorkerRequest request;
  request.set_worker(worker);
  request.set_undo(undo);
  if (!undo && dice_.Chance(0.6)) {
    request.set_within_ms(static_cast<uint64_t>(dice_.Between(0, 30'000)));
  }
  request.set_actor("people");
  bool done = false;
  const bool heard = scheduler_.Ask([&](Core& core, const Now& now) {
    const auto answer = core.Drain(now, request);
    done = answer.ok() || absl::IsNotFound(answer.status());
  });
  Note(undo ? "undid a drain" : "asked for a drain", done && heard ? 1 : 0);
}

void People::UndoEveryDrain() {
  // As it is stored: a restore may have brought one back.
  std::vector<std::string> workers;
  Query rows(scheduler_.database(), kDraining);
  while (rows.Next()) workers.push_back(rows.Text(0));
  for (const std::string& worker : workers) Drain(worker, true);
  if (!workers.empty()) agenda_.After(kDrainRetry, [this] { UndoEveryDrain(); });
}

void People::Meddle() {
  if (!dice_.Chance(0.02)) return;
  if (Ready()) scheduler_.CheckInvariants();  // what is over by then may go before the next look
  Submit(dice_.Between(1, 3));
  if (Ready()) scheduler_.CheckInvariants();
}

void People::Look() {
  if (!Ready()) return;
  v1::ListRequest list;
  list.mutable_selector()->set_all(true);
  (void)scheduler_.Ask([&](Core& core, const Now& now) {
    const auto jobs = core.List(now, list);
    (void)core.ListWorkers(now);
    (void)core.ListEvents(now, v1::ListEventsRequest());
    for (const int64_t job : Numbers(kOpenJobs)) {
      v1::ExplainRequest explain;
      explain.set_job(job);
      (void)core.Explain(now, explain);
    }
    if (jobs.ok()) Note("looked at jobs", jobs->jobs_size());
  });
}

}  // namespace mozgach::sim
