// What a client of any kind may send: every name and every count of every call, at its worst. After
// each the scheduler lives, and no file has come, gone or been read that was not its.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>

#include "common/digest.h"
#include "mozgach/v1/base_service.grpc.pb.h"
#include "mozgach/v1/fleet_service.grpc.pb.h"
#include "tests/scheduler/service.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string>& HostileNames() {
  static const std::vector<std::string> names = {
      "..",
      ".",
      "../secret",
      "../../../../../../etc/passwd",
      "/etc/passwd",
      "law/../../secret",
      "law/./v0001",
      "law//v0001",
      "law/",
      "~/secret",
      "link",  // a symbolic link that lies in the registry
      "link/secret",
      "..\\secret",
      "C:\\secret",
      "%2e%2e%2fsecret",
      "law\n",
      "law\r\nx: y",
      "\x1b[2J",
      "*",
      "$(id)",
      "'; DROP TABLE jobs; --",
      "-rf",
      std::string("law\0x", 5),
      std::string("\0", 1),
      std::string(255, '.'),
      std::string(10 << 10, 'a'),
      std::string(1 << 20, '/'),
      "\xE2\x80\xAE"
      "wal",  // text that runs backwards
  };
  return names;
}

class HostileClientTest : public Service {
 protected:
  void SetUp() override {
    bases_ = v1::BaseService::NewStub(channel_);
    fleet_ = v1::FleetService::NewStub(channel_);
    std::ofstream(directory_.path() / "secret") << kSecret;
    SubmitOne("law");
    alpha_.Says(1);
    RunOne(alpha_);
    SubmitOne("tax");
    alpha_.Says(1);
    lease_ = Call(alpha_).assignments(0);
    alpha_.Says(0);
    fs::create_symlink(directory_.path(), Options().data / "registry" / "link");
    before_ = Tree();
  }

  // Every file below the test's directory but those that SQLite writes; logs may come.
  std::map<std::string, uintmax_t> Tree() const {
    std::map<std::string, uintmax_t> tree;
    for (const auto& entry : fs::recursive_directory_iterator(directory_.path())) {
      const std::string path = entry.path().string();
      if (path.find("mozgach.db") != std::string::npos) continue;
      tree[path] = entry.is_regular_file() ? entry.file_size() : 0;
    }
    return tree;
  }

  void ExpectUnharmed(const std::string& call, const std::string& name) {
    const std::string shown = call + " of '" + name.substr(0, 40) + "'";
    EXPECT_EQ(Tree(), before_) << shown;
    v1::ListResponse response;
    DeadlineContext deadline;
    const grpc::Status status = jobs_->List(deadline, v1::ListRequest(), &response);
    ASSERT_TRUE(status.ok()) << shown << ": " << status.error_message();
    EXPECT_EQ(response.jobs_size(), 2) << shown;
  }

  // Refused, or without anything that was not there for this name.
  template <typename Stub, typename Request, typename Response>
  grpc::Status Send(Stub& stub,
                    grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request) {
    DeadlineContext deadline;
    Response response;
    const grpc::Status status = (stub.*method)(deadline, request, &response);
    EXPECT_EQ(response.SerializeAsString().find(kSecret), std::string::npos);
    EXPECT_LE(status.error_message().size(), 2100u);
    return status;
  }
  template <typename Reader, typename Response>
  grpc::Status Drain(Reader reader, Response response) {
    while (reader->Read(&response)) {
      EXPECT_EQ(response.data().find(kSecret), std::string::npos);
      EXPECT_EQ(response.data().find("root:"), std::string::npos);
    }
    return reader->Finish();
  }

  static constexpr char kSecret[] = "this must not be read";

  std::unique_ptr<v1::BaseService::Stub> bases_;
  std::unique_ptr<v1::FleetService::Stub> fleet_;
  TestWorker alpha_{"alpha"};
  v1::Assignment lease_;
  std::map<std::string, uintmax_t> before_;
};

TEST_F(HostileClientTest, NamesOfDomainsAndVersionsAreNoPaths) {
  for (const std::string& name : HostileNames()) {
    v1::GetVersionRequest get;
    get.set_domain(name);
    EXPECT_FALSE(Send(*registry_, &v1::RegistryService::Stub::GetVersion, get).ok()) << name;
    get.set_domain("law");
    get.set_version(name);
    EXPECT_FALSE(Send(*registry_, &v1::RegistryService::Stub::GetVersion, get).ok()) << name;
    v1::VerifyVersionRequest verify;
    verify.set_domain(name);
    EXPECT_FALSE(Send(*registry_, &v1::RegistryService::Stub::VerifyVersion, verify).ok()) << name;
    v1::SetAliasRequest alias;
    alias.set_domain("law");
    alias.set_alias(name);
    alias.set_version("v0001");
    if (name != "link") {
      EXPECT_FALSE(Send(*registry_, &v1::RegistryService::Stub::SetAlias, alias).ok()) << name;
    }
    alias.set_alias("champion");
    alias.set_version(name);
    EXPECT_FALSE(Send(*registry_, &v1::RegistryService::Stub::SetAlias, alias).ok()) << name;
    alias.set_domain(name);
    alias.set_version("v0001");
    EXPECT_FALSE(Send(*registry_, &v1::RegistryService::Stub::SetAlias, alias).ok()) << name;
    v1::ListVersionsRequest list;
    list.set_domain(name);
    Send(*registry_, &v1::RegistryService::Stub::ListVersions, list);
    ExpectUnharmed("a version", name);
  }
}

TEST_F(HostileClientTest, OnlyFilesThatWerePublishedAreDownloaded) {
  for (const std::string& name : HostileNames()) {
    for (int field = 0; field < 3; ++field) {
      v1::DownloadFileRequest request;
      request.set_domain(field == 0 ? name : "law");
      request.set_version(field == 1 ? name : "v0001");
      request.set_path(field == 2 ? name : "adapter_model.safetensors");
      DeadlineContext deadline;
      EXPECT_FALSE(
          Drain(registry_->DownloadFile(deadline, request), v1::DownloadFileResponse()).ok())
          << field << " " << name;
    }
    ExpectUnharmed("DownloadFile", name);
  }
}

TEST_F(HostileClientTest, BlobsAreNamedByDigestsOnly) {
  std::vector<std::string> names = HostileNames();
  names.push_back("../" + std::string(61, 'a'));
  names.push_back(std::string(64, 'A'));
  names.push_back(std::string(63, 'a') + "/");
  for (const std::string& name : names) {
    v1::StatBlobsRequest stat;
    stat.add_sha256(name);
    EXPECT_FALSE(Send(*workers_, &v1::WorkerService::Stub::StatBlobs, stat).ok()) << name;
    EXPECT_FALSE(Upload(name, 4, 0, "evil").ok()) << name;
    v1::DownloadBlobRequest request;
    request.set_sha256(name);
    DeadlineContext deadline;
    EXPECT_FALSE(Drain(workers_->DownloadBlob(deadline, request), v1::DownloadBlobResponse()).ok())
        << name;
    ExpectUnharmed("a blob", name);
  }
}

TEST_F(HostileClientTest, SelectionsThatNameNothingFindNothing) {
  for (const std::string& name : HostileNames()) {
    v1::ListRequest list;
    list.mutable_selector()->add_domains(name);
    EXPECT_FALSE(Send(*jobs_, &v1::JobService::Stub::List, list).ok()) << name;
    v1::CancelRequest cancel;
    *cancel.mutable_selector() = list.selector();
    EXPECT_FALSE(Send(*jobs_, &v1::JobService::Stub::Cancel, cancel).ok()) << name;
    v1::RetryRequest retry;
    *retry.mutable_selector() = list.selector();
    EXPECT_FALSE(Send(*jobs_, &v1::JobService::Stub::Retry, retry).ok()) << name;
    v1::ExplainRequest explain;
    explain.set_domain(name);
    EXPECT_FALSE(Send(*jobs_, &v1::JobService::Stub::Explain, explain).ok()) << name;
    v1::LogsRequest logs;
    logs.set_domain(name);
    DeadlineContext logs_deadline, watch_deadline;
    EXPECT_FALSE(Drain(jobs_->Logs(logs_deadline, logs), v1::LogsResponse()).ok()) << name;
    v1::WatchRequest watch;
    *watch.mutable_selector() = list.selector();
    v1::WatchResponse changes;
    const auto watching = jobs_->Watch(watch_deadline, watch);
    while (watching->Read(&changes)) continue;
    EXPECT_FALSE(watching->Finish().ok()) << name;
    v1::DrainWorkerRequest drain;
    drain.set_worker(name);
    EXPECT_FALSE(Send(*jobs_, &v1::JobService::Stub::DrainWorker, drain).ok()) << name;
    v1::ListEventsRequest events;
    events.set_domain(name);
    Send(*jobs_, &v1::JobService::Stub::ListEvents, events);
    ExpectUnharmed("a selection", name);
  }
}

TEST_F(HostileClientTest, BasesTokensAndWorkersHaveNamesThatAreNames) {
  for (const std::string& name : HostileNames()) {
    v1::AddBaseRequest add;
    add.mutable_base()->set_base(name);
    EXPECT_FALSE(Send(*bases_, &v1::BaseService::Stub::AddBase, add).ok()) << name;
    add.mutable_base()->set_base("mozgach/evil");
    v1::File& file = *add.mutable_base()->add_files();
    file.set_path(name);
    file.set_sha256(Sha256Hex("rows"));
    file.set_size(4);
    EXPECT_FALSE(Send(*bases_, &v1::BaseService::Stub::AddBase, add).ok()) << name;
    v1::VerifyBaseRequest verify;
    verify.set_base(name);
    EXPECT_FALSE(Send(*bases_, &v1::BaseService::Stub::VerifyBase, verify).ok()) << name;
    v1::AddTokenRequest token;
    token.set_name(name);
    token.set_role("viewer");
    token.set_sha256(Sha256Hex(name));
    v1::RevokeRequest revoke;
    revoke.set_name(name);
    v1::SynchronizeRequest call = TestWorker("bravo").request;
    call.set_worker(name);
    if (name != "link") {
      EXPECT_FALSE(Send(*fleet_, &v1::FleetService::Stub::AddToken, token).ok()) << name;
      EXPECT_FALSE(Send(*fleet_, &v1::FleetService::Stub::Revoke, revoke).ok()) << name;
    }
    token.set_name("eve");
    token.set_role(name);
    EXPECT_FALSE(Send(*fleet_, &v1::FleetService::Stub::AddToken, token).ok()) << name;
    token.set_role("viewer");
    token.set_expires_at(name);
    EXPECT_FALSE(Send(*fleet_, &v1::FleetService::Stub::AddToken, token).ok()) << name;
    token.clear_expires_at();
    token.set_sha256(name);
    EXPECT_FALSE(Send(*fleet_, &v1::FleetService::Stub::AddToken, token).ok()) << name;
    Send(*workers_, &v1::WorkerService::Stub::Synchronize, call);  // a worker may be called "."
    call = TestWorker("bravo").request;
    call.mutable_bases(0)->set_name(name);
    if (name != "link" && name != "link/secret") {  // as on the hub: OWNER/NAME
      EXPECT_FALSE(Send(*workers_, &v1::WorkerService::Stub::Synchronize, call).ok()) << name;
    }
    ExpectUnharmed("a base, token or worker", name);
  }
}

TEST_F(HostileClientTest, FilesOfAnAdapterLieInItAndAreNothingThatIsRunOnLoading) {
  std::vector<std::string> names = HostileNames();
  for (const char* pickled : {"adapter_model.bin", "adapter_model.pt", "x/weights.pth", "a.pkl",
                              "training_args.bin", "optimizer.ckpt", "modeling_evil.py", "run.sh",
                              "libevil.so", "adapter_model.safetensors.bin", "adapter_model"}) {
    names.push_back(pickled);
  }
  int number = 0;
  for (const std::string& name : names) {
    const std::string suffix = std::to_string(++number);
    const int64_t job = SubmitOne("attack-" + suffix);
    TestWorker mallory("mallory-" + suffix);
    mallory.Says(1);
    const v1::SynchronizeResponse given = Call(mallory);
    mallory.Says(0);
    ASSERT_EQ(given.assignments_size(), 1) << name;
    v1::File& file = *mallory.Reports(given.assignments(0), v1::AttemptReport::FINISHED)
                          .mutable_result()
                          ->add_files();
    file.set_path(name);
    file.set_sha256(Sha256Hex("rows"));
    EXPECT_EQ(Call(mallory).assignments_size(), 0) << name;
    EXPECT_EQ(Get(job).failure_class(), "unknown") << name;
    EXPECT_EQ(Tree(), before_) << name;
    v1::CancelRequest cancel;
    cancel.mutable_selector()->add_jobs(job);
    EXPECT_TRUE(Send(*jobs_, &v1::JobService::Stub::Cancel, cancel).ok());
  }
}

TEST_F(HostileClientTest, CountsAreBounded) {
  v1::ListRequest list;
  v1::StatBlobsRequest stat;
  v1::SubmitRequest submit;
  v1::SynchronizeRequest call = TestWorker("bravo").request;
  for (int i = 0; i < 100001; ++i) {
    list.mutable_selector()->add_jobs(1);
    stat.add_sha256(Sha256Hex("rows"));
    submit.add_domains();
  }
  for (int i = 0; i < 10001; ++i) call.add_bases()->set_name(kTiny);
  const auto refused = grpc::StatusCode::INVALID_ARGUMENT;
  EXPECT_EQ(Send(*jobs_, &v1::JobService::Stub::List, list).error_code(), refused);
  EXPECT_EQ(Send(*workers_, &v1::WorkerService::Stub::StatBlobs, stat).error_code(), refused);
  EXPECT_EQ(Send(*jobs_, &v1::JobService::Stub::Submit, submit).error_code(), refused);
  EXPECT_EQ(Send(*workers_, &v1::WorkerService::Stub::Synchronize, call).error_code(), refused);
  EXPECT_FALSE(Upload(Sha256Hex("big"), UINT64_MAX, 0, "x").ok());
  EXPECT_FALSE(Upload(Sha256Hex("big"), 10, UINT64_MAX, "x").ok());
  ExpectUnharmed("counts", "");
}

TEST_F(HostileClientTest, NumbersAtTheirEndsAreOnlyNumbers) {
  for (const int64_t number : {INT64_MIN, int64_t{-1}, int64_t{0}, INT64_MAX}) {
    v1::GetRequest get;
    get.set_job(number);
    EXPECT_FALSE(Send(*jobs_, &v1::JobService::Stub::Get, get).ok()) << number;
    v1::AppendLogRequest log;
    log.set_job(number);
    log.set_attempt(number);
    log.set_offset(static_cast<uint64_t>(number));
    log.set_data("x");
    EXPECT_FALSE(Send(*workers_, &v1::WorkerService::Stub::AppendLog, log).ok()) << number;
    v1::ListEventsRequest events;
    events.set_job(number);
    events.set_after(number);
    events.set_limit(number);
    Send(*jobs_, &v1::JobService::Stub::ListEvents, events);
    v1::LogsRequest logs;
    logs.set_domain("law");
    logs.set_attempt(number);
    logs.set_offset(static_cast<uint64_t>(number));
    DeadlineContext deadline;
    Drain(jobs_->Logs(deadline, logs), v1::LogsResponse());
    v1::DownloadFileRequest file;
    file.set_domain("law");
    file.set_path("adapter_model.safetensors");
    file.set_offset(static_cast<uint64_t>(number));
    DeadlineContext file_deadline;
    Drain(registry_->DownloadFile(file_deadline, file), v1::DownloadFileResponse());
    ExpectUnharmed("a number", std::to_string(number));
  }
}

TEST_F(HostileClientTest, AMessageThatIsTooLargeIsNotTaken) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxSendMessageSize(-1);
  const auto jobs = v1::JobService::NewStub(grpc::CreateCustomChannel(
      daemon_->grpc_address(), grpc::InsecureChannelCredentials(), arguments));
  v1::SubmitRequest request;
  request.add_domains()->set_spec_json(std::string(65 << 20, ' '));
  EXPECT_EQ(Send(*jobs, &v1::JobService::Stub::Submit, request).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  request.mutable_domains(0)->set_spec_json(std::string(2 << 20, '['));
  EXPECT_EQ(Send(*jobs, &v1::JobService::Stub::Submit, request).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  request.mutable_domains(0)->set_spec_json(std::string(1 << 20, '['));
  EXPECT_EQ(Send(*jobs, &v1::JobService::Stub::Submit, request).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  ExpectUnharmed("a large message", "");
}

}  // namespace
}  // namespace mozgach
