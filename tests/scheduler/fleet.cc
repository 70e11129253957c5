#include "tests/scheduler/fleet.h"

#include "common/digest.h"
#include "common/domain/domain_spec.h"
#include "nlohmann/json.hpp"
#include "registry/blob_upload.h"
#include "registry/migration.h"
#include "scheduler/state/schema.h"
#include "tests/registry/weights.h"

namespace mozgach {

TestWorker::TestWorker(const std::string& name, const std::vector<std::string>& bases,
                       const std::string& incarnation) {
  request.set_worker(name);
  request.set_incarnation(incarnation);
  request.set_version("test");
  for (const std::string& base : bases) request.add_bases()->set_name(base);
  v1::Device& device = *request.add_devices();
  device.set_name("cpu");
  device.set_memory_total_bytes(1000);
  device.set_memory_free_bytes(500);
}

v1::AttemptReport& TestWorker::Reports(int64_t job, int64_t attempt,
                                       v1::AttemptReport::Phase phase) {
  for (v1::AttemptReport& report : *request.mutable_attempts()) {
    if (report.job() != job || report.attempt() != attempt) continue;
    report.set_phase(phase);
    return report;
  }
  v1::AttemptReport& report = *request.add_attempts();
  report.set_job(job);
  report.set_attempt(attempt);
  report.set_phase(phase);
  return report;
}

void TestWorker::Fails(const v1::Assignment& assignment, v1::Failure::Class failure,
                       const std::string& message) {
  v1::AttemptReport& report = Reports(assignment, v1::AttemptReport::FAILED);
  report.mutable_failure()->set_class_(failure);
  report.mutable_failure()->set_message(message);
}

Fleet::Fleet() {
  database_ = Database::Open(":memory:").value();
  EXPECT_TRUE(Migrate(*database_, Schema()).ok());
  blobs_ = std::make_unique<BlobStore>(directory_.path() / "blobs", 1 << 20);
  EXPECT_TRUE(blobs_->Open().ok());
  Restart();
}

void Fleet::Restart() {
  core_.reset();
  adapters_ = std::make_unique<AdapterStore>(*database_, RegistryRoot());
  core_ = std::make_unique<Core>(config_, *database_, *blobs_, *adapters_);
  const absl::Status status = core_->Recover(now_);
  EXPECT_TRUE(status.ok()) << status;
}

void Fleet::Pass(Milliseconds time) {
  now_.wall += time;
  now_.since_boot += time;
  core_->Enter(now_);
}

std::string Fleet::PutBlob(const std::string& bytes) {
  const std::string sha256 = Sha256Hex(bytes);
  auto upload = blobs_->Upload(sha256, bytes.size(), 0);
  EXPECT_TRUE((*upload)->Append(bytes).ok());
  EXPECT_TRUE((*upload)->Finish().ok());
  return sha256;
}

v1::Submission Fleet::Domain(const std::string& name, const std::string& base, int64_t priority,
                             const std::string& rows) {
  DomainSpec spec;
  spec.domain = name;
  spec.base = base;
  spec.priority = priority;
  spec.data.train = {"train.jsonl"};
  v1::Submission submission;
  submission.set_spec_json(ToJson(spec).dump());
  v1::Dataset& dataset = *submission.add_datasets();
  dataset.set_role(v1::Dataset::TRAIN);
  dataset.set_name("train.jsonl");
  dataset.set_sha256(PutBlob(rows));
  dataset.set_size(rows.size());
  return submission;
}

absl::StatusOr<v1::SubmitResponse> Fleet::TrySubmit(const std::vector<v1::Submission>& domains,
                                                    bool dry_run) {
  v1::SubmitRequest request;
  for (const v1::Submission& domain : domains) *request.add_domains() = domain;
  request.set_dry_run(dry_run);
  request.set_actor("tester@here");
  ASSIGN_OR_RETURN(const std::vector<CheckedSubmission> checked, CheckSubmissions(request));
  return core_->Submit(now_, request, checked);
}

v1::SubmitResponse Fleet::Submit(const std::vector<v1::Submission>& domains) {
  const auto response = TrySubmit(domains);
  EXPECT_TRUE(response.ok()) << response.status();
  return response.value_or(v1::SubmitResponse());
}

int64_t Fleet::SubmitOne(const std::string& name, const std::string& base, int64_t priority) {
  const v1::SubmitResponse response = Submit({Domain(name, base, priority)});
  EXPECT_EQ(response.outcomes_size(), 1);
  return response.outcomes_size() == 1 ? response.outcomes(0).job() : 0;
}

absl::StatusOr<Answer> Fleet::TryCall(const TestWorker& worker) {
  const absl::Status checked = CheckRequest(worker.request);
  EXPECT_TRUE(checked.ok()) << checked;
  return core_->Synchronize(now_, worker.request, false);
}

v1::SynchronizeResponse Fleet::Call(const TestWorker& worker) {
  const auto answer = TryCall(worker);
  EXPECT_TRUE(answer.ok()) << answer.status();
  return answer.ok() ? answer->response : v1::SynchronizeResponse();
}

v1::Assignment Fleet::Claim(TestWorker& worker) {
  worker.Says(1);
  const v1::SynchronizeResponse response = Call(worker);
  worker.Says(0);
  for (const v1::Assignment& assignment : response.assignments()) {
    if (!assignment.spec_json().empty()) return assignment;
  }
  return v1::Assignment();
}

v1::Result Fleet::Result(const std::string& bytes, const std::string& base) {
  v1::Result result;
  for (const auto& [path, content] :
       {std::pair<std::string, std::string>{"adapter_config.json", AdapterConfigText(base)},
        {"adapter_model.safetensors", Weights(bytes)}}) {
    v1::File& file = *result.add_files();
    file.set_path(path);
    file.set_sha256(PutBlob(content));
    file.set_size(content.size());
  }
  result.set_metrics_json(R"({"base": {"eval_loss": 2.0}, "adapter": {"eval_loss": 1.0}})");
  result.set_base_digest("base-digest");
  result.set_code_version("test");
  result.set_train_rows(10);
  result.set_train_seconds(1.5);
  return result;
}

void Fleet::RunOne(TestWorker& worker) {
  const v1::Assignment assignment = Claim(worker);
  ASSERT_NE(assignment.job(), 0);
  *worker.Reports(assignment, v1::AttemptReport::FINISHED).mutable_result() =
      Result("tensors of " + std::to_string(assignment.job()),
             nlohmann::json::parse(assignment.spec_json()).at("base"));
  const v1::SynchronizeResponse response = Call(worker);
  const v1::Assignment* named = Named(response, assignment.job());
  ASSERT_NE(named, nullptr);
  EXPECT_EQ(named->desired(), v1::Assignment::PUBLISHED);
  worker.Forgets();
}

v1::Job Fleet::Get(int64_t job) {
  v1::GetRequest request;
  request.set_job(job);
  const auto found = core_->Get(now_, request);
  EXPECT_TRUE(found.ok()) << found.status();
  return found.value_or(v1::Job());
}

v1::ExplainResponse Fleet::Explain(int64_t job) {
  v1::ExplainRequest request;
  request.set_job(job);
  const auto explained = core_->Explain(now_, request);
  EXPECT_TRUE(explained.ok()) << explained.status();
  return explained.value_or(v1::ExplainResponse());
}

void Fleet::Cancel(int64_t job) {
  v1::CancelRequest request;
  request.mutable_selector()->add_jobs(job);
  request.set_actor("tester@here");
  EXPECT_TRUE(core_->Cancel(now_, request).ok());
}

std::vector<Version> Fleet::Versions() { return adapters_->List("").value(); }

const v1::Assignment* Named(const v1::SynchronizeResponse& response, int64_t job) {
  for (const v1::Assignment& assignment : response.assignments()) {
    if (assignment.job() == job) return &assignment;
  }
  return nullptr;
}

}  // namespace mozgach
