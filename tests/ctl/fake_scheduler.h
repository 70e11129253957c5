// A FakeScheduler answers mozgachctl's calls on 127.0.0.1, from what a test puts into it.
#pragma once

#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mozgach/v1/fleet_service.grpc.pb.h"
#include "mozgach/v1/job_service.grpc.pb.h"
#include "mozgach/v1/registry_service.grpc.pb.h"
#include "mozgach/v1/upkeep_service.grpc.pb.h"
#include "mozgach/v1/worker_service.grpc.pb.h"

namespace mozgach {

// Remembers what it was asked; a submit wants every dataset it has no blob of.
class FakeJobs : public v1::JobService::Service {
 public:
  explicit FakeJobs(std::map<std::string, std::string>* blobs) : blobs_(blobs) {}

  grpc::Status Submit(grpc::ServerContext*, const v1::SubmitRequest*, v1::SubmitResponse*) override;
  grpc::Status List(grpc::ServerContext*, const v1::ListRequest*, v1::ListResponse*) override;
  grpc::Status Cancel(grpc::ServerContext*, const v1::CancelRequest*, v1::CancelResponse*) override;
  grpc::Status Retry(grpc::ServerContext*, const v1::RetryRequest*, v1::RetryResponse*) override;
  grpc::Status Watch(grpc::ServerContext*, const v1::WatchRequest*,
                     grpc::ServerWriter<v1::WatchResponse>*) override;
  grpc::Status Logs(grpc::ServerContext*, const v1::LogsRequest*,
                    grpc::ServerWriter<v1::LogsResponse>*) override;
  grpc::Status ListWorkers(grpc::ServerContext*, const v1::ListWorkersRequest*,
                           v1::ListWorkersResponse*) override;
  grpc::Status DrainWorker(grpc::ServerContext*, const v1::DrainWorkerRequest*,
                           v1::Worker*) override;
  grpc::Status ForgetWorker(grpc::ServerContext*, const v1::ForgetWorkerRequest*,
                            v1::ForgetWorkerResponse*) override;

  std::vector<v1::SubmitRequest> submits;
  std::vector<v1::CancelRequest> cancels;
  std::vector<v1::RetryRequest> retries;
  std::vector<v1::DrainWorkerRequest> drains;
  std::vector<v1::ForgetWorkerRequest> forgotten;
  std::vector<v1::WatchRequest> watches;
  std::vector<v1::Job> jobs;
  std::vector<v1::WatchResponse> changes;
  std::string worker_state = "up";
  int watches_cut_off = 0;   // so many calls of Watch break after their first change
  bool watch_hangs = false;  // Watch ends only when its caller goes
  std::string log;

 private:
  std::map<std::string, std::string>* blobs_;
};

class FakeBlobs : public v1::WorkerService::Service {
 public:
  grpc::Status StatBlobs(grpc::ServerContext*, const v1::StatBlobsRequest*,
                         v1::StatBlobsResponse*) override;
  grpc::Status UploadBlob(grpc::ServerContext*, grpc::ServerReader<v1::UploadBlobRequest>*,
                          v1::UploadBlobResponse*) override;

  std::map<std::string, std::string> blobs;
  std::map<std::string, std::string> partial;
  std::vector<uint64_t> offsets;  // at which uploads started
  int breaks = 0;                 // so many uploads break after their first piece
};

class FakeRegistry : public v1::RegistryService::Service {
 public:
  grpc::Status ListVersions(grpc::ServerContext*, const v1::ListVersionsRequest*,
                            v1::ListVersionsResponse*) override;
  grpc::Status GetVersion(grpc::ServerContext*, const v1::GetVersionRequest*,
                          v1::Version*) override;
  grpc::Status SetAlias(grpc::ServerContext*, const v1::SetAliasRequest*, v1::Version*) override;
  grpc::Status DownloadFile(grpc::ServerContext*, const v1::DownloadFileRequest*,
                            grpc::ServerWriter<v1::DownloadFileResponse>*) override;
  grpc::Status VerifyVersion(grpc::ServerContext*, const v1::VerifyVersionRequest*,
                             v1::VerifyVersionResponse*) override;

  // Adds `path` to the version that is offered.
  void AddFile(const std::string& path, const std::string& bytes);

  v1::Version version;
  std::map<std::string, std::string> files;
  std::vector<v1::SetAliasRequest> aliases;
  std::vector<std::string> problems;
};

class FakeUpkeep : public v1::UpkeepService::Service {
 public:
  FakeUpkeep();
  grpc::Status CheckConsistency(grpc::ServerContext*, const v1::CheckConsistencyRequest* request,
                                v1::CheckConsistencyResponse* response) override;
  grpc::Status CollectGarbage(grpc::ServerContext*, const v1::CollectGarbageRequest* request,
                              v1::CollectGarbageResponse* response) override;

  v1::CheckConsistencyResponse checked;
  v1::CollectGarbageResponse collected;
  std::vector<v1::CheckConsistencyRequest> consistency_checks;
  std::vector<v1::CollectGarbageRequest> collections;
};

class FakeFleet : public v1::FleetService::Service {
 public:
  grpc::Status ListTokens(grpc::ServerContext*, const v1::ListTokensRequest*,
                          v1::ListTokensResponse* response) override;
  grpc::Status Revoke(grpc::ServerContext*, const v1::RevokeRequest* request,
                      v1::Revocation* response) override;

  std::vector<std::string> tokens;   // the names of the token holders
  std::vector<std::string> revoked;  // in the order of the calls
  std::vector<int64_t> issued;       // the issue times that all revocations named
};

class FakeScheduler {
 public:
  FakeScheduler();
  ~FakeScheduler();

  const std::string& address() const { return address_; }

  FakeBlobs blobs;
  FakeJobs jobs{&blobs.blobs};
  FakeRegistry registry;
  FakeUpkeep upkeep;
  FakeFleet fleet;

 private:
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

v1::Job MakeJob(int64_t number, const std::string& domain, const std::string& state);

}  // namespace mozgach
