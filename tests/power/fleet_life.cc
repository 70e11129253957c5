#include "tests/power/fleet_life.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/domain/domain_spec.h"
#include "common/files.h"
#include "nlohmann/json.hpp"
#include "registry/blob_upload.h"
#include "registry/migration.h"
#include "registry/query.h"
#include "scheduler/state/schema.h"
#include "tests/power/power_disk.h"
#include "tests/registry/weights.h"

namespace mozgach::power {
namespace {

constexpr int kDomains = 5;
constexpr int kStartsMax = 20;  // starts that may fail while the disk fails
constexpr int kHealingMax = 3000;
constexpr char kWorker[] = "alpha";
constexpr char kBase[] = "mozgach/tiny";

constexpr char kOpenJobs[] =
    "SELECT job FROM jobs WHERE state IN ('queued', 'running') ORDER BY job";
constexpr char kPublishing[] =
    "SELECT attempt FROM attempts WHERE job = ?1 AND attempt >= ?2 AND state = 'publishing'";

std::string Rows(const std::string& domain) { return "rows of " + domain + "\n"; }

}  // namespace

FleetLife::FleetLife(std::filesystem::path root, uint64_t seed)
    : root_(std::move(root)),
      dice_(seed),
      invariants_(root_ / "data" / "registry", {.back_off_ms = config_.back_off.count()}) {}

FleetLife::~FleetLife() { Close(); }

void FleetLife::Fail(const std::string& what) {
  if (violation_.empty()) violation_ = what;
}

absl::Status FleetLife::Open() {
  const std::filesystem::path data = root_ / "data";
  RETURN_IF_ERROR(SettleDirectory(data));
  ASSIGN_OR_RETURN(database_, Database::Open((data / "mozgach.db").string()));
  RETURN_IF_ERROR(Migrate(*database_, Schema()));
  blobs_ = std::make_unique<BlobStore>(data / "blobs", 1 << 20);
  RETURN_IF_ERROR(blobs_->Open());
  adapters_ = std::make_unique<AdapterStore>(*database_, data / "registry");
  core_ = std::make_unique<Core>(config_, *database_, *blobs_, *adapters_);
  RETURN_IF_ERROR(core_->Recover(now_));
  return database_->Sync();
}

void FleetLife::Close() {
  core_.reset();
  adapters_.reset();
  blobs_.reset();
  database_.reset();
}

void FleetLife::Start() {
  const absl::Status opened = Open();
  if (opened.ok() && !PowerDisk::Get().off()) {
    starts_ = 0;
    return Look();
  }
  Close();
  if (!opened.ok() && !PowerDisk::Get().off() && ++starts_ > kStartsMax) {
    Fail(absl::StrCat("the scheduler does not start: ", opened.message()));
  }
}

int64_t FleetLife::Count(const char* sql, int64_t first, int64_t second) {
  Query row(*database_, sql, first, second);
  return row.Next() ? row.Int(0) : -1;
}

std::vector<int64_t> FleetLife::OpenJobs() {
  std::vector<int64_t> jobs;
  Query open(*database_, kOpenJobs);
  while (open.Next()) jobs.push_back(open.Int(0));
  return jobs;
}

void FleetLife::Die() {
  Close();
  PowerDisk::Get().Revive();
}

void FleetLife::LosePower(uint64_t seed) {
  Close();
  PowerDisk::Get().PowerOn(seed);
}

bool FleetLife::Arrives() {
  if (PowerDisk::Get().off() || (!healing_ && Draw(5) == 0)) return false;
  const absl::Status synced = database_->Sync();
  // The process would end.
  if (!synced.ok()) Close();
  return synced.ok() && !PowerDisk::Get().off();
}

void FleetLife::Pass(Milliseconds time) {
  now_.wall += time;
  now_.since_boot += time;
}

void FleetLife::Step() {
  Pass(Milliseconds(static_cast<int64_t>(10 + Draw(500))));
  if (core_ == nullptr) return Start();
  switch (Draw(16)) {
    case 0:
    case 1:
    case 2:
      return Submit();
    case 3:
      return Cancel();
    case 4:
      return Retry();
    case 5:
      return SetAlias();
    case 6:
      return FailOne();
    case 7:
      if (Draw(4) == 0) Pass(2 * config_.lease);
      return core_->Enter(now_);
    case 8:
    case 9:
    case 10:
      return Finish();
    case 11:
      return Draw(3) == 0 ? SaveCheckpoint() : Finish();
    default:
      return Work(Draw(3) > 0);
  }
}

// As clients do, a second time where the first went wrong.
absl::Status FleetLife::PutBlob(const std::string& bytes) {
  return TryToPutBlob(bytes).ok() ? absl::OkStatus() : TryToPutBlob(bytes);
}

absl::Status FleetLife::TryToPutBlob(const std::string& bytes) {
  const std::string sha256 = Sha256Hex(bytes);
  ASSIGN_OR_RETURN(const BlobStore::Stat stat, blobs_->Find(sha256));
  if (stat.complete) return absl::OkStatus();
  ASSIGN_OR_RETURN(auto upload, blobs_->Upload(sha256, bytes.size(), stat.bytes));
  RETURN_IF_ERROR(upload->Append(std::string_view(bytes).substr(stat.bytes)));
  return upload->Finish();
}

void FleetLife::Submit() {
  v1::SubmitRequest request;
  request.set_actor("people");
  const uint64_t count = 1 + Draw(2);
  for (uint64_t i = 0; i < count; ++i) {
    DomainSpec spec;
    spec.domain = absl::StrCat("law-", (Draw(kDomains) + i) % kDomains);
    if (count == 2) spec.domain = absl::StrCat("law-", i);
    spec.base = kBase;
    spec.data.train = {"train.jsonl"};
    spec.training.seed = static_cast<int64_t>(Draw(2));
    const std::string rows = Rows(spec.domain);
    if (!PutBlob(rows).ok()) return;
    v1::Submission& submission = *request.add_domains();
    submission.set_spec_json(ToJson(spec).dump());
    v1::Dataset& dataset = *submission.add_datasets();
    dataset.set_role(v1::Dataset::TRAIN);
    dataset.set_name("train.jsonl");
    dataset.set_sha256(Sha256Hex(rows));
    dataset.set_size(rows.size());
  }
  const auto checked = CheckSubmissions(request);
  if (!checked.ok()) return Fail(std::string(checked.status().message()));
  const auto response = core_->Submit(now_, request, *checked);
  if (!response.ok() || response->missing_blobs_size() > 0 || !Arrives()) return;
  for (const auto& outcome : response->outcomes()) invariants_.Accepted(outcome.job());
  for (const auto& domain : request.domains()) datasets_.insert(domain.datasets(0).sha256());
  Acknowledge();
}

void FleetLife::Cancel() {
  core_->Enter(now_);
  const std::vector<int64_t> jobs = OpenJobs();
  if (jobs.empty()) return;
  const int64_t job = jobs[Draw(jobs.size())];
  const int64_t publishing = std::max<int64_t>(0, Count(kPublishing, job));
  v1::CancelRequest request;
  request.set_actor("people");
  request.mutable_selector()->add_jobs(job);
  const auto response = core_->Cancel(now_, request);
  if (!response.ok() || !Arrives()) return;
  invariants_.Cancelled(job, publishing);
  Acknowledge();
}

void FleetLife::Retry() {
  v1::RetryRequest request;
  request.set_actor("people");
  request.mutable_selector()->set_all(true);
  const auto response = core_->Retry(now_, request);
  if (!response.ok() || !Arrives()) return;
  for (const v1::Job& job : response->jobs()) invariants_.Accepted(job.job());
  Acknowledge();
}

void FleetLife::SetAlias() {
  const auto versions = adapters_->List("");
  if (!versions.ok() || versions->empty()) return;
  const Version& version = (*versions)[Draw(versions->size())];
  const auto before = may_be_named_.find(version.domain);
  if (before != may_be_named_.end()) before->second.insert(version.number);
  const auto set = adapters_->SetAlias(version.domain, "champion", VersionName(version.number));
  if (!set.ok() || !Arrives()) return;
  may_be_named_[version.domain] = {version.number};
  Acknowledge();
}

v1::SynchronizeRequest FleetLife::Request() const {
  v1::SynchronizeRequest request;
  request.set_worker(kWorker);
  request.set_incarnation("first");
  request.set_version("test");
  request.add_bases()->set_name(kBase);
  v1::Device& device = *request.add_devices();
  device.set_name("cpu");
  device.set_memory_total_bytes(1000);
  device.set_memory_free_bytes(500);
  for (const auto& [job, held] : held_) {
    v1::AttemptReport& report = *request.add_attempts();
    report.set_job(job);
    report.set_attempt(held.attempt);
    *report.mutable_checkpoint() = held.checkpoint;
    report.set_phase(v1::AttemptReport::TRAINING);
    report.mutable_progress()->set_step(1);
    report.set_pinned_json(R"({"threads": 2})");
  }
  return request;
}

std::optional<v1::SynchronizeResponse> FleetLife::Call(v1::SynchronizeRequest request) {
  const auto answer = core_->Synchronize(now_, request, false);
  if (!answer.ok() || !Arrives()) return std::nullopt;
  std::map<int64_t, Held> kept;
  for (const v1::Assignment& assignment : answer->response.assignments()) {
    const std::pair<int64_t, int64_t> id(assignment.job(), assignment.attempt());
    if (assignment.desired() == v1::Assignment::PUBLISHED) {
      published_[id.first] = id.second;
      Acknowledge();
    } else if (assignment.desired() == v1::Assignment::RUN ||
               assignment.desired() == v1::Assignment::UPLOAD_AGAIN) {
      if (claims_.insert(id).second) Acknowledge();
      const auto before = held_.find(id.first);
      const bool goes_on = before != held_.end() && before->second.attempt == id.second;
      kept[id.first] = {id.second, goes_on ? before->second.checkpoint : assignment.checkpoint()};
    }
  }
  held_ = std::move(kept);
  return answer->response;
}

void FleetLife::SaveCheckpoint() {
  if (held_.empty()) return Work(true);
  auto& [job, held] = *std::next(held_.begin(), static_cast<int64_t>(Draw(held_.size())));
  v1::Checkpoint checkpoint;
  checkpoint.set_step(held.checkpoint.step() + 1);
  for (const char* name : {"checkpoint.json", "state.safetensors"}) {
    const std::string bytes = absl::StrCat(name, " of job ", job, " at ", checkpoint.step());
    if (!PutBlob(bytes).ok()) return;
    v1::File& file = *checkpoint.add_files();
    file.set_path(name);
    file.set_sha256(Sha256Hex(bytes));
    file.set_size(bytes.size());
  }
  held.checkpoint = checkpoint;
  Work(false);
}

void FleetLife::Work(bool claims) {
  v1::SynchronizeRequest request = Request();
  request.set_free_slots(claims && held_.size() < 2 ? 1 : 0);
  Call(std::move(request));
}

void FleetLife::Finish() {
  if (held_.empty()) return Work(true);
  const auto chosen = std::next(held_.begin(), static_cast<int64_t>(Draw(held_.size())));
  v1::SynchronizeRequest request = Request();
  for (v1::AttemptReport& report : *request.mutable_attempts()) {
    if (report.job() != chosen->first) continue;
    report.set_phase(v1::AttemptReport::FINISHED);
    v1::Result& result = *report.mutable_result();
    // Longer than a few sectors.
    const std::string tensors = Weights(
        absl::StrCat("tensors of ", report.job(), "-", report.attempt(), std::string(3000, 't')));
    for (const auto& [path, bytes] :
         {std::pair<std::string, std::string>{"adapter_config.json", AdapterConfigText(kBase)},
          {"adapter_model.safetensors", tensors}}) {
      if (!PutBlob(bytes).ok()) return;
      v1::File& file = *result.add_files();
      file.set_path(path);
      file.set_sha256(Sha256Hex(bytes));
      file.set_size(bytes.size());
    }
    result.set_metrics_json(R"({"adapter": {"eval_loss": 1.0}})");
  }
  Call(std::move(request));
}

void FleetLife::FailOne() {
  if (held_.empty()) return;
  v1::SynchronizeRequest request = Request();
  v1::AttemptReport& report = *request.mutable_attempts(0);
  report.set_phase(v1::AttemptReport::FAILED);
  report.mutable_failure()->set_class_(v1::Failure::INFRASTRUCTURE);
  report.mutable_failure()->set_message("the link broke");
  Call(std::move(request));
}

void FleetLife::Heal() {
  PowerDisk::Get().PlanNothing();
  healing_ = true;
  for (int i = 0; i < kHealingMax && sound(); ++i) {
    Pass(Milliseconds(1000));
    if (core_ == nullptr) {
      Start();
    } else if (OpenJobs().empty()) {
      for (const std::string& problem : invariants_.CheckAtRest(*database_)) Fail(problem);
      return;
    } else if (held_.empty()) {
      Work(true);
    } else {
      Finish();
    }
  }
  Fail("the queue does not empty");
}

}  // namespace mozgach::power
