// TlsDaemon is a real daemon behind TLS on 127.0.0.1, with its authority and channels for clients.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "mozgach/v1/base_service.grpc.pb.h"
#include "mozgach/v1/fleet_service.grpc.pb.h"
#include "mozgach/v1/job_service.grpc.pb.h"
#include "mozgach/v1/registry_service.grpc.pb.h"
#include "mozgach/v1/worker_service.grpc.pb.h"
#include "scheduler/daemon/daemon.h"
#include "security/certificate_authority.h"
#include "tests/registry/temporary_directory.h"
#include "tests/scheduler/service.h"

namespace mozgach {

// Somebody who calls, with stubs of all services over a connection of its own.
struct TlsClient {
  explicit TlsClient(std::shared_ptr<grpc::Channel> through);

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::JobService::Stub> jobs;
  std::unique_ptr<v1::WorkerService::Stub> workers;
  std::unique_ptr<v1::RegistryService::Stub> registry;
  std::unique_ptr<v1::BaseService::Stub> bases;
  std::unique_ptr<v1::FleetService::Stub> fleet;
};

class TlsDaemon : public ::testing::Test {
 protected:
  TlsDaemon();

  void Start();
  // ca.pem, and what `issued` holds; returns the folder.
  std::filesystem::path Folder(const std::string& name, const KeyAndCertificate& issued,
                               const KeyAndCertificate& trusted);
  KeyAndCertificate Issue(Role role, const std::string& name, WallTime issued = {});
  void IssueToScheduler(const std::vector<std::string>& hosts);

  // With a certificate of this fleet.
  TlsClient Connect(Role role, const std::string& name);
  // With a token only.
  TlsClient ConnectWithToken(const std::string& token);
  TlsClient ConnectThrough(const std::shared_ptr<grpc::ChannelCredentials>& credentials);

  // A token of the operator's making; `expires` in seconds from now, 0: never.
  std::string AddToken(Role role, const std::string& name, int64_t expires_in_s = 0);
  void Revoke(const std::string& name);
  // One domain, submitted by `client`; returns its job.
  int64_t SubmitOne(TlsClient& client, const std::string& name);

  TemporaryDirectory directory_;
  SchedulerConfig config_;
  const WallTime now_ = Clock::System().Now();
  const KeyAndCertificate authority_ = *MakeAuthority("fleet", now_, 10);
  std::unique_ptr<Daemon> daemon_;
};

grpc::StatusCode CodeOfPs(TlsClient& client);

}  // namespace mozgach
