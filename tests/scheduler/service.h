// A Service is a real daemon on 127.0.0.1, with clients of its three services.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "mozgach/v1/job_service.grpc.pb.h"
#include "mozgach/v1/registry_service.grpc.pb.h"
#include "mozgach/v1/worker_service.grpc.pb.h"
#include "scheduler/daemon/daemon.h"
#include "tests/registry/temporary_directory.h"
#include "tests/scheduler/fleet.h"

namespace mozgach {

class Service : public ::testing::Test {
 protected:
  Service();

  // Starts it, on the same data and another port if it ran before.
  void Start();
  DaemonOptions Options() const;

  grpc::Status Upload(const std::string& sha256, uint64_t size, uint64_t offset,
                      const std::string& bytes);
  std::string PutBlob(const std::string& bytes);
  v1::Submission Domain(const std::string& name, const std::string& rows = "rows");
  int64_t SubmitOne(const std::string& name, const std::string& rows = "rows");
  grpc::Status Synchronize(const TestWorker& worker, v1::SynchronizeResponse* response);
  v1::SynchronizeResponse Call(const TestWorker& worker);
  // Claims, uploads and reports one job of `worker`, until it is published.
  void RunOne(TestWorker& worker, const std::string& bytes = "tensors");
  // Adds the two files that a version must have, uploaded, to `result`.
  void AddAdapter(v1::Result& result, const std::string& bytes = "tensors");
  v1::Job Get(int64_t job);

  TemporaryDirectory directory_;
  SchedulerConfig config_;
  std::unique_ptr<Daemon> daemon_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::JobService::Stub> jobs_;
  std::unique_ptr<v1::WorkerService::Stub> workers_;
  std::unique_ptr<v1::RegistryService::Stub> registry_;
};

// A context whose call gives up after a while, so that a test cannot hang.
struct DeadlineContext {
  DeadlineContext() {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  }
  operator grpc::ClientContext*() { return &context; }
  grpc::ClientContext context;
};

}  // namespace mozgach
