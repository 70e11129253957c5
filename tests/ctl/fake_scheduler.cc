#include "tests/ctl/fake_scheduler.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "common/clock.h"
#include "common/digest.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

grpc::Status NotFound(const std::string& what) {
  return grpc::Status(grpc::StatusCode::NOT_FOUND, what);
}

}  // namespace

grpc::Status FakeJobs::Submit(grpc::ServerContext*, const v1::SubmitRequest* request,
                              v1::SubmitResponse* response) {
  submits.push_back(*request);
  int64_t job = 0;
  for (const v1::Submission& domain : request->domains()) {
    auto& outcome = *response->add_outcomes();
    outcome.set_domain(nlohmann::json::parse(domain.spec_json())["domain"]);
    outcome.set_outcome("new");
    outcome.set_job(++job);
    *outcome.mutable_notices() = domain.notices();
    for (const v1::Dataset& dataset : domain.datasets()) {
      if (blobs_->count(dataset.sha256()) == 0) response->add_missing_blobs(dataset.sha256());
    }
  }
  return grpc::Status::OK;
}

grpc::Status FakeJobs::List(grpc::ServerContext*, const v1::ListRequest* request,
                            v1::ListResponse* response) {
  for (const std::string& domain : request->selector().domains()) {
    const auto known = [&](const v1::Job& job) { return job.domain() == domain; };
    if (std::none_of(jobs.begin(), jobs.end(), known)) {
      return NotFound("there is no domain '" + domain + "'");
    }
  }
  for (const v1::Job& job : jobs) *response->add_jobs() = job;
  return grpc::Status::OK;
}

grpc::Status FakeJobs::Cancel(grpc::ServerContext*, const v1::CancelRequest* request,
                              v1::CancelResponse* response) {
  cancels.push_back(*request);
  for (const v1::Job& job : jobs) *response->add_jobs() = job;
  return grpc::Status::OK;
}

grpc::Status FakeJobs::Retry(grpc::ServerContext*, const v1::RetryRequest* request,
                             v1::RetryResponse*) {
  retries.push_back(*request);
  return grpc::Status::OK;
}

grpc::Status FakeJobs::Watch(grpc::ServerContext* context, const v1::WatchRequest* request,
                             grpc::ServerWriter<v1::WatchResponse>* writer) {
  watches.push_back(*request);
  for (const v1::WatchResponse& change : changes) {
    writer->Write(change);
    if (watches_cut_off > 0) {
      --watches_cut_off;
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "restarting");
    }
  }
  while (watch_hangs && !context->IsCancelled()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return grpc::Status::OK;
}

grpc::Status FakeJobs::Logs(grpc::ServerContext*, const v1::LogsRequest* request,
                            grpc::ServerWriter<v1::LogsResponse>* writer) {
  v1::LogsResponse response;
  response.set_data(log.substr(std::min<size_t>(request->offset(), log.size())));
  writer->Write(response);
  return grpc::Status::OK;
}

grpc::Status FakeJobs::ListWorkers(grpc::ServerContext*, const v1::ListWorkersRequest*,
                                   v1::ListWorkersResponse* response) {
  v1::Worker& worker = *response->add_workers();
  worker.set_worker("host1");
  worker.set_state(worker_state);
  worker.add_bases("mozgach/tiny");
  worker.add_jobs(7);
  worker.set_base_loads(2);
  worker.set_memory_bytes(uint64_t{5} << 30);
  worker.add_devices()->set_name("cpu");
  return grpc::Status::OK;
}

grpc::Status FakeJobs::DrainWorker(grpc::ServerContext*, const v1::DrainWorkerRequest* request,
                                   v1::Worker* response) {
  drains.push_back(*request);
  response->set_worker(request->worker());
  return grpc::Status::OK;
}

grpc::Status FakeJobs::ForgetWorker(grpc::ServerContext*, const v1::ForgetWorkerRequest* request,
                                    v1::ForgetWorkerResponse*) {
  forgotten.push_back(*request);
  if (request->worker() == "alpha") return grpc::Status::OK;
  return {grpc::StatusCode::NOT_FOUND, "there is no worker 'aplha'; did you mean 'alpha'?"};
}

grpc::Status FakeBlobs::StatBlobs(grpc::ServerContext*, const v1::StatBlobsRequest* request,
                                  v1::StatBlobsResponse* response) {
  for (const std::string& sha256 : request->sha256()) {
    auto& blob = *response->add_blobs();
    blob.set_sha256(sha256);
    blob.set_complete(blobs.count(sha256) > 0);
    blob.set_received_bytes(partial[sha256].size());
  }
  return grpc::Status::OK;
}

grpc::Status FakeBlobs::UploadBlob(grpc::ServerContext*,
                                   grpc::ServerReader<v1::UploadBlobRequest>* reader,
                                   v1::UploadBlobResponse* response) {
  v1::UploadBlobRequest first, piece;
  reader->Read(&first);
  offsets.push_back(first.offset());
  std::string& bytes = partial[first.sha256()];
  bytes.resize(first.offset());
  while (reader->Read(&piece)) {
    bytes += piece.data();
    if (breaks > 0) {
      --breaks;
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "connection lost");
    }
  }
  if (bytes.size() != first.size()) return grpc::Status(grpc::StatusCode::OUT_OF_RANGE, "short");
  if (Sha256Hex(bytes) != first.sha256()) {
    bytes.clear();
    return grpc::Status(grpc::StatusCode::DATA_LOSS, "the digest is wrong");
  }
  response->set_received_bytes(bytes.size());
  blobs[first.sha256()] = std::move(bytes);
  return grpc::Status::OK;
}

grpc::Status FakeRegistry::ListVersions(grpc::ServerContext*, const v1::ListVersionsRequest*,
                                        v1::ListVersionsResponse* response) {
  *response->add_versions() = version;
  return grpc::Status::OK;
}

grpc::Status FakeRegistry::GetVersion(grpc::ServerContext*, const v1::GetVersionRequest* request,
                                      v1::Version* response) {
  if (request->domain() != version.domain()) return NotFound("no domain " + request->domain());
  *response = version;
  return grpc::Status::OK;
}

grpc::Status FakeRegistry::SetAlias(grpc::ServerContext*, const v1::SetAliasRequest* request,
                                    v1::Version* response) {
  aliases.push_back(*request);
  *response = version;
  return grpc::Status::OK;
}

grpc::Status FakeRegistry::DownloadFile(grpc::ServerContext*,
                                        const v1::DownloadFileRequest* request,
                                        grpc::ServerWriter<v1::DownloadFileResponse>* writer) {
  const std::string& bytes = files[request->path()];
  v1::DownloadFileResponse piece;
  for (size_t at = 0; at < bytes.size(); at += 1000) {
    piece.set_data(bytes.substr(at, 1000));
    writer->Write(piece);
  }
  return grpc::Status::OK;
}

grpc::Status FakeRegistry::VerifyVersion(grpc::ServerContext*,
                                         const v1::VerifyVersionRequest* request,
                                         v1::VerifyVersionResponse* response) {
  response->set_domain(request->domain());
  response->set_version(request->version());
  for (const std::string& problem : problems) response->add_problems(problem);
  return grpc::Status::OK;
}

void FakeRegistry::AddFile(const std::string& path, const std::string& bytes) {
  files[path] = bytes;
  v1::File& file = *version.add_files();
  file.set_path(path);
  file.set_sha256(Sha256Hex(bytes));
  file.set_size(bytes.size());
}

FakeUpkeep::FakeUpkeep() { checked.set_time(FormatTime(Clock::System().Now())); }

grpc::Status FakeUpkeep::CheckConsistency(grpc::ServerContext*,
                                          const v1::CheckConsistencyRequest* request,
                                          v1::CheckConsistencyResponse* response) {
  consistency_checks.push_back(*request);
  *response = checked;
  return grpc::Status::OK;
}

grpc::Status FakeUpkeep::CollectGarbage(grpc::ServerContext*,
                                        const v1::CollectGarbageRequest* request,
                                        v1::CollectGarbageResponse* response) {
  collections.push_back(*request);
  *response = collected;
  return grpc::Status::OK;
}

grpc::Status FakeFleet::ListTokens(grpc::ServerContext*, const v1::ListTokensRequest*,
                                   v1::ListTokensResponse* response) {
  for (const std::string& name : tokens) response->add_tokens()->set_name(name);
  for (const std::string& name : revoked) response->add_revocations()->set_name(name);
  return grpc::Status::OK;
}

grpc::Status FakeFleet::Revoke(grpc::ServerContext*, const v1::RevokeRequest* request,
                               v1::Revocation* response) {
  revoked.push_back(request->name());
  issued.insert(issued.end(), request->issued_ms().begin(), request->issued_ms().end());
  response->set_name(request->name());
  response->set_before("2026-01-01T00:00:00Z");
  response->set_had_token(std::count(tokens.begin(), tokens.end(), request->name()) > 0);
  return grpc::Status::OK;
}

FakeScheduler::FakeScheduler() {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(64 << 20);
  builder.RegisterService(&jobs);
  builder.RegisterService(&blobs);
  builder.RegisterService(&registry);
  builder.RegisterService(&upkeep);
  builder.RegisterService(&fleet);
  server_ = builder.BuildAndStart();
  address_ = "127.0.0.1:" + std::to_string(port);
}

FakeScheduler::~FakeScheduler() {
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
}

v1::Job MakeJob(int64_t number, const std::string& domain, const std::string& state) {
  v1::Job job;
  job.set_job(number);
  job.set_domain(domain);
  job.set_state(state);
  return job;
}

}  // namespace mozgach
