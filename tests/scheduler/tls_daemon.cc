#include "tests/scheduler/tls_daemon.h"

#include <sys/stat.h>

#include <fstream>

#include "common/digest.h"
#include "common/domain/domain_spec.h"
#include "nlohmann/json.hpp"
#include "security/channel.h"
#include "security/token.h"

namespace mozgach {
namespace fs = std::filesystem;

TlsClient::TlsClient(std::shared_ptr<grpc::Channel> through)
    : channel(std::move(through)),
      jobs(v1::JobService::NewStub(channel)),
      workers(v1::WorkerService::NewStub(channel)),
      registry(v1::RegistryService::NewStub(channel)),
      bases(v1::BaseService::NewStub(channel)),
      fleet(v1::FleetService::NewStub(channel)) {}

TlsDaemon::TlsDaemon() {
  IssueToScheduler({"127.0.0.1"});
  Start();
}

void TlsDaemon::Start() {
  daemon_.reset();
  auto started = Daemon::Start({.data = directory_.path() / "data",
                                .listen = "127.0.0.1:0",
                                .http = "127.0.0.1:0",
                                .tls = directory_.path() / "scheduler",
                                .config = config_},
                               Clock::System());
  ASSERT_TRUE(started.ok()) << started.status();
  daemon_ = *std::move(started);
}

fs::path TlsDaemon::Folder(const std::string& name, const KeyAndCertificate& issued,
                           const KeyAndCertificate& trusted) {
  const fs::path folder = directory_.path() / name;
  fs::create_directories(folder);
  std::ofstream(folder / "ca.pem") << trusted.certificate_pem;
  if (issued.key_pem.empty()) return folder;
  std::ofstream(folder / "key.pem") << issued.key_pem;
  ::chmod((folder / "key.pem").c_str(), 0600);
  std::ofstream(folder / "certificate.pem") << issued.certificate_pem;
  return folder;
}

KeyAndCertificate TlsDaemon::Issue(Role role, const std::string& name, WallTime issued) {
  return *IssueForCaller(authority_, role, name, issued == WallTime() ? now_ : issued, 5);
}

void TlsDaemon::IssueToScheduler(const std::vector<std::string>& hosts) {
  Folder("scheduler", *IssueForHosts(authority_, hosts, now_, 5), authority_);
}

TlsClient TlsDaemon::ConnectThrough(const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments;
  // Nobody comes over a connection that another has made.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return TlsClient(grpc::CreateCustomChannel(daemon_->grpc_address(), credentials, arguments));
}

TlsClient TlsDaemon::Connect(Role role, const std::string& name) {
  const fs::path folder = Folder(name, Issue(role, name), authority_);
  const auto credentials = CredentialsFor({.address = daemon_->grpc_address(), .tls = folder});
  EXPECT_TRUE(credentials.ok()) << credentials.status();
  return ConnectThrough(*credentials);
}

TlsClient TlsDaemon::ConnectWithToken(const std::string& token) {
  const fs::path folder = Folder("with_token", {}, authority_);
  const auto credentials =
      CredentialsFor({.address = daemon_->grpc_address(), .tls = folder, .token = token});
  EXPECT_TRUE(credentials.ok()) << credentials.status();
  return ConnectThrough(*credentials);
}

std::string TlsDaemon::AddToken(Role role, const std::string& name, int64_t expires_in_s) {
  const std::string token = NewToken(name);
  v1::AddTokenRequest request;
  request.set_name(name);
  request.set_role(Name(role));
  request.set_sha256(DigestOfToken(token));
  request.set_replace(true);
  if (expires_in_s > 0) {
    const auto until = Clock::System().Now() + std::chrono::seconds(expires_in_s);
    request.set_expires_at(FormatTime(until));
  }
  DeadlineContext deadline;
  v1::Token response;
  const grpc::Status status =
      Connect(Role::kOperator, "boss").fleet->AddToken(deadline, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return token;
}

void TlsDaemon::Revoke(const std::string& name) {
  DeadlineContext deadline;
  v1::RevokeRequest request;
  request.set_name(name);
  v1::Revocation response;
  const grpc::Status status =
      Connect(Role::kOperator, "boss").fleet->Revoke(deadline, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

int64_t TlsDaemon::SubmitOne(TlsClient& client, const std::string& name) {
  const std::string rows = "rows";
  DeadlineContext upload_patience, submit_patience;
  v1::UploadBlobResponse uploaded;
  const auto writer = client.workers->UploadBlob(upload_patience, &uploaded);
  v1::UploadBlobRequest blob;
  blob.set_sha256(Sha256Hex(rows));
  blob.set_size(rows.size());
  blob.set_data(rows);
  writer->Write(blob);
  writer->WritesDone();
  EXPECT_TRUE(writer->Finish().ok());

  DomainSpec spec;
  spec.domain = name;
  spec.base = kTiny;
  spec.data.train = {"train.jsonl"};
  v1::SubmitRequest request;
  request.set_actor("mallory@elsewhere");
  v1::Submission& submission = *request.add_domains();
  submission.set_spec_json(ToJson(spec).dump());
  v1::Dataset& dataset = *submission.add_datasets();
  dataset.set_role(v1::Dataset::TRAIN);
  dataset.set_name("train.jsonl");
  dataset.set_sha256(Sha256Hex(rows));
  dataset.set_size(rows.size());
  v1::SubmitResponse response;
  const grpc::Status status = client.jobs->Submit(submit_patience, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.outcomes_size() == 1 ? response.outcomes(0).job() : 0;
}

grpc::StatusCode CodeOfPs(TlsClient& client) {
  DeadlineContext deadline;
  v1::ListResponse response;
  return client.jobs->List(deadline, v1::ListRequest(), &response).error_code();
}

}  // namespace mozgach
