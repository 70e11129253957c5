#include "tests/scheduler/service.h"

#include "common/digest.h"
#include "common/domain/domain_spec.h"
#include "nlohmann/json.hpp"
#include "tests/registry/weights.h"

namespace mozgach {

Service::Service() { Start(); }

DaemonOptions Service::Options() const {
  return {.data = directory_.path() / "data",
          .listen = "127.0.0.1:0",
          .http = "127.0.0.1:0",
          .config = config_};
}

void Service::Start() {
  daemon_.reset();
  auto started = Daemon::Start(Options(), Clock::System());
  ASSERT_TRUE(started.ok()) << started.status();
  daemon_ = *std::move(started);
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(64 << 20);
  channel_ = grpc::CreateCustomChannel(daemon_->grpc_address(), grpc::InsecureChannelCredentials(),
                                       arguments);
  jobs_ = v1::JobService::NewStub(channel_);
  workers_ = v1::WorkerService::NewStub(channel_);
  registry_ = v1::RegistryService::NewStub(channel_);
}

grpc::Status Service::Upload(const std::string& sha256, uint64_t size, uint64_t offset,
                             const std::string& bytes) {
  DeadlineContext deadline;
  v1::UploadBlobResponse response;
  const auto writer = workers_->UploadBlob(deadline, &response);
  v1::UploadBlobRequest request;
  request.set_sha256(sha256);
  request.set_size(size);
  request.set_offset(offset);
  request.set_data(bytes);
  writer->Write(request);
  writer->WritesDone();
  return writer->Finish();
}

std::string Service::PutBlob(const std::string& bytes) {
  const std::string sha256 = Sha256Hex(bytes);
  const grpc::Status status = Upload(sha256, bytes.size(), 0, bytes);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return sha256;
}

v1::Submission Service::Domain(const std::string& name, const std::string& rows) {
  DomainSpec spec;
  spec.domain = name;
  spec.base = kTiny;
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

int64_t Service::SubmitOne(const std::string& name, const std::string& rows) {
  DeadlineContext deadline;
  v1::SubmitRequest request;
  *request.add_domains() = Domain(name, rows);
  v1::SubmitResponse response;
  const grpc::Status status = jobs_->Submit(deadline, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.outcomes_size() == 1 ? response.outcomes(0).job() : 0;
}

grpc::Status Service::Synchronize(const TestWorker& worker, v1::SynchronizeResponse* response) {
  DeadlineContext deadline;
  return workers_->Synchronize(deadline, worker.request, response);
}

v1::SynchronizeResponse Service::Call(const TestWorker& worker) {
  v1::SynchronizeResponse response;
  const grpc::Status status = Synchronize(worker, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

void Service::RunOne(TestWorker& worker, const std::string& bytes) {
  worker.Says(1);
  const v1::SynchronizeResponse given = Call(worker);
  worker.Says(0);
  ASSERT_EQ(given.assignments_size(), 1);
  AddAdapter(*worker.Reports(given.assignments(0), v1::AttemptReport::FINISHED).mutable_result(),
             bytes);
  const v1::SynchronizeResponse done = Call(worker);
  ASSERT_EQ(done.assignments_size(), 1);
  EXPECT_EQ(done.assignments(0).desired(), v1::Assignment::PUBLISHED);
  worker.Forgets();
}

void Service::AddAdapter(v1::Result& result, const std::string& bytes) {
  v1::File& config = *result.add_files();
  config.set_path("adapter_config.json");
  config.set_sha256(PutBlob(AdapterConfigText(kTiny)));
  v1::File& weights = *result.add_files();
  weights.set_path("adapter_model.safetensors");
  weights.set_sha256(PutBlob(Weights(bytes)));
}

v1::Job Service::Get(int64_t job) {
  DeadlineContext deadline;
  v1::GetRequest request;
  request.set_job(job);
  v1::Job response;
  const grpc::Status status = jobs_->Get(deadline, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

}  // namespace mozgach
