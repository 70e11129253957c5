// Who is let in through TLS, and who may do what there.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <future>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "mozgach/v1/upkeep_service.pb.h"
#include "security/channel.h"
#include "security/token.h"
#include "tests/scheduler/tls_daemon.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class AuthenticationTest : public TlsDaemon {
 protected:
  // Nobody: knows the scheduler, shows nothing.
  TlsClient ComeAsNobody() {
    return ConnectThrough(grpc::SslCredentials({.pem_root_certs = authority_.certificate_pem}));
  }
};

// Every method of the six services, as "/mozgach.v1.JobService/Submit".
std::vector<std::string> EveryMethod() {
  std::vector<std::string> paths;
  for (const google::protobuf::FileDescriptor* file :
       {v1::SubmitRequest::descriptor()->file(), v1::SynchronizeRequest::descriptor()->file(),
        v1::Version::descriptor()->file(), v1::AddBaseRequest::descriptor()->file(),
        v1::AddTokenRequest::descriptor()->file(),
        v1::CheckConsistencyRequest::descriptor()->file()}) {
    const google::protobuf::ServiceDescriptor& service = *file->service(0);
    for (int i = 0; i < service.method_count(); ++i) {
      paths.push_back(absl::StrCat("/", service.full_name(), "/", service.method(i)->name()));
    }
  }
  return paths;
}

// Returns the status of an empty message to `path`.
grpc::Status Knock(TlsClient& client, const std::string& path) {
  grpc::GenericStub stub(client.channel);
  DeadlineContext deadline;
  const grpc::Slice empty("");
  const grpc::ByteBuffer nothing(&empty, 1);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> answered;
  stub.UnaryCall(&deadline.context, path, {}, &nothing, &response,
                 [&](grpc::Status status) { answered.set_value(status); });
  return answered.get_future().get();
}

TEST_F(AuthenticationTest, WithoutCertificateOrTokenNoMethodAnswers) {
  TlsClient nobody = ComeAsNobody();
  std::vector<std::string> paths = EveryMethod();
  EXPECT_EQ(paths.size(), 31u);
  paths.push_back("/grpc.health.v1.Health/Check");
  paths.push_back("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
  paths.push_back("/mozgach.v1.JobService/NoSuchMethod");
  for (const std::string& path : paths) {
    const grpc::Status status = Knock(nobody, path);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << path;
  }
  EXPECT_THAT(Knock(nobody, paths[0]).error_message(), HasSubstr("--tls DIR"));
}

TEST_F(AuthenticationTest, PlaintextIsNotUnderstood) {
  TlsClient plain = ConnectThrough(grpc::InsecureChannelCredentials());
  EXPECT_EQ(CodeOfPs(plain), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(AuthenticationTest, ACertificateOfAnotherAuthorityIsRefusedOnBothSides) {
  const KeyAndCertificate other = *MakeAuthority("fleet", now_, 10);
  const KeyAndCertificate eve = *IssueForCaller(other, Role::kOperator, "eve", now_, 5);
  // It knows the scheduler, and shows what another authority has signed.
  TlsClient forged =
      ConnectThrough(grpc::SslCredentials({.pem_root_certs = authority_.certificate_pem,
                                           .pem_private_key = eve.key_pem,
                                           .pem_cert_chain = eve.certificate_pem}));
  EXPECT_EQ(CodeOfPs(forged), grpc::StatusCode::UNAVAILABLE);
  // It is of another fleet: this scheduler is not its.
  const auto folder = Folder("eve", eve, other);
  TlsClient stranger =
      ConnectThrough(*CredentialsFor({.address = daemon_->grpc_address(), .tls = folder}));
  EXPECT_EQ(CodeOfPs(stranger), grpc::StatusCode::UNAVAILABLE);
  TlsClient friendly = Connect(Role::kViewer, "vera");
  EXPECT_EQ(CodeOfPs(friendly), grpc::StatusCode::OK);
}

TEST_F(AuthenticationTest, AWorkersCertificateIsNoSchedulers) {
  // In the place of the scheduler's while it runs: new connections are shown it.
  Folder("scheduler", Issue(Role::kWorker, "alpha"), authority_);
  grpc::StatusCode code = grpc::StatusCode::OK;
  for (int tries = 0; tries < 100 && code == grpc::StatusCode::OK; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    TlsClient boss = Connect(Role::kOperator, "boss");
    code = CodeOfPs(boss);
  }
  EXPECT_EQ(code, grpc::StatusCode::UNAVAILABLE);
}

TEST_F(AuthenticationTest, ASchedulerDoesNotStartWithWhatOneCallsWith) {
  for (const Role role : {Role::kWorker, Role::kOperator}) {
    const auto folder = Folder("gpu-1", Issue(role, "gpu-1"), authority_);
    const auto second = Daemon::Start({.data = directory_.path() / "other",
                                       .listen = "127.0.0.1:0",
                                       .http = "127.0.0.1:0",
                                       .tls = folder,
                                       .config = config_},
                                      Clock::System());
    EXPECT_EQ(second.status().code(), absl::StatusCode::kInvalidArgument) << second.status();
    EXPECT_THAT(std::string(second.status().message()),
                AllOf(HasSubstr("gpu-1 is what gpu-1 calls a scheduler with"),
                      HasSubstr("mozgachctl fleet scheduler --host NAME")));
  }
}

TEST_F(AuthenticationTest, TheSchedulersCertificateIsNobodyToCallWith) {
  const auto own = directory_.path() / "scheduler";
  TlsClient scheduler =
      ConnectThrough(*CredentialsFor({.address = daemon_->grpc_address(), .tls = own}));
  EXPECT_NE(CodeOfPs(scheduler), grpc::StatusCode::OK);
}

TEST_F(AuthenticationTest, EachRoleMayWhatItIsForAndNoMore) {
  TlsClient viewer = Connect(Role::kViewer, "vera"), submitter = Connect(Role::kSubmitter, "sam"),
            boss = Connect(Role::kOperator, "boss"), worker = Connect(Role::kWorker, "alpha");
  const auto denied = grpc::StatusCode::PERMISSION_DENIED;
  const auto may = [&](TlsClient& client, const std::string& path) {
    return Knock(client, "/mozgach.v1." + path).error_code() != denied;
  };
  for (const char* path : {"JobService/List", "JobService/Logs", "JobService/ListEvents",
                           "RegistryService/DownloadFile", "BaseService/ListBases"}) {
    EXPECT_TRUE(may(viewer, path) && may(submitter, path) && may(boss, path)) << path;
    EXPECT_FALSE(may(worker, path)) << path;
  }
  for (const char* path : {"JobService/Submit", "JobService/Cancel", "JobService/Retry",
                           "RegistryService/VerifyVersion", "BaseService/VerifyBase"}) {
    EXPECT_TRUE(!may(viewer, path) && may(submitter, path) && may(boss, path)) << path;
    EXPECT_FALSE(may(worker, path)) << path;
  }
  for (const char* path :
       {"JobService/DrainWorker", "RegistryService/SetAlias", "BaseService/AddBase",
        "FleetService/AddToken", "FleetService/Revoke", "FleetService/ListTokens"}) {
    EXPECT_TRUE(!may(viewer, path) && !may(submitter, path) && may(boss, path)) << path;
    EXPECT_FALSE(may(worker, path)) << path;
  }
  for (const char* path :
       {"WorkerService/Synchronize", "WorkerService/DownloadBlob", "WorkerService/AppendLog"}) {
    EXPECT_TRUE(!may(viewer, path) && !may(submitter, path) && !may(boss, path)) << path;
    EXPECT_TRUE(may(worker, path)) << path;
  }
  EXPECT_TRUE(!may(viewer, "WorkerService/UploadBlob") && may(worker, "WorkerService/UploadBlob"));
  EXPECT_THAT(Knock(viewer, "/mozgach.v1.JobService/Submit").error_message(),
              HasSubstr("a viewer may not call Submit: that takes the role submitter"));
  EXPECT_THAT(Knock(boss, "/mozgach.v1.WorkerService/Synchronize").error_message(),
              HasSubstr("an operator may not call Synchronize"));
}

TEST_F(AuthenticationTest, TheEventLogSaysWhoDidItWhateverTheRequestClaims) {
  TlsClient sam = Connect(Role::kSubmitter, "sam");
  const int64_t job = SubmitOne(sam, "law");
  DeadlineContext cancel_deadline, deadline;
  v1::CancelRequest cancel;
  cancel.mutable_selector()->add_jobs(job);
  cancel.set_actor("mallory@elsewhere");
  v1::CancelResponse cancelled;
  ASSERT_TRUE(sam.jobs->Cancel(cancel_deadline, cancel, &cancelled).ok());
  v1::ListEventsResponse events;
  ASSERT_TRUE(sam.jobs->ListEvents(deadline, v1::ListEventsRequest(), &events).ok());
  ASSERT_GE(events.events_size(), 2);
  for (const v1::Event& event : events.events()) EXPECT_EQ(event.actor(), "sam") << event.kind();
}

TEST_F(AuthenticationTest, ATokenOpensUntilItExpiresOrIsRevokedOrReplaced) {
  const std::string token = AddToken(Role::kViewer, "alice");
  TlsClient alice = ConnectWithToken(token);
  EXPECT_EQ(CodeOfPs(alice), grpc::StatusCode::OK);
  EXPECT_EQ(Knock(alice, "/mozgach.v1.JobService/Submit").error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  TlsClient guesser = ConnectWithToken(NewToken("alice"));
  EXPECT_EQ(CodeOfPs(guesser), grpc::StatusCode::UNAUTHENTICATED);
  TlsClient unknown = ConnectWithToken(NewToken("nobody"));
  EXPECT_EQ(CodeOfPs(unknown), grpc::StatusCode::UNAUTHENTICATED);

  TlsClient replaced = ConnectWithToken(AddToken(Role::kViewer, "alice"));
  EXPECT_EQ(CodeOfPs(alice), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(CodeOfPs(replaced), grpc::StatusCode::OK);
  Revoke("alice");
  EXPECT_EQ(CodeOfPs(replaced), grpc::StatusCode::UNAUTHENTICATED);

  TlsClient late = ConnectWithToken(AddToken(Role::kViewer, "bob", 1));
  EXPECT_EQ(CodeOfPs(late), grpc::StatusCode::OK);
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  const grpc::Status expired = Knock(late, "/mozgach.v1.JobService/List");
  EXPECT_EQ(expired.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(expired.error_message(), HasSubstr("the token of bob expired at"));
}

TEST_F(AuthenticationTest, TokensAreStillThereAfterARestartAndHashedAtRest) {
  const std::string token = AddToken(Role::kViewer, "alice");
  Start();
  TlsClient alice = ConnectWithToken(token);
  EXPECT_EQ(CodeOfPs(alice), grpc::StatusCode::OK);
  const std::string secret = token.substr(token.rfind('.') + 1);
  daemon_.reset();
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(directory_.path() / "data")) {
    if (!entry.is_regular_file()) continue;
    const auto bytes = ReadFile(entry.path());
    EXPECT_EQ(bytes->find(secret), std::string::npos) << entry.path();
  }
}

TEST_F(AuthenticationTest, ARevokedCertificateOpensNothingAndANewOneDoes) {
  TlsClient alpha = Connect(Role::kWorker, "alpha");
  EXPECT_TRUE(Knock(alpha, "/mozgach.v1.FleetService/WhoAmI").ok());
  Revoke("alpha");
  const grpc::Status status = Knock(alpha, "/mozgach.v1.FleetService/WhoAmI");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(status.error_message(), HasSubstr("certificate of alpha was revoked"));
  const auto later = Clock::System().Now() + std::chrono::seconds(1);
  const auto folder = Folder("alpha", Issue(Role::kWorker, "alpha", later), authority_);
  TlsClient renewed =
      ConnectThrough(*CredentialsFor({.address = daemon_->grpc_address(), .tls = folder}));
  EXPECT_TRUE(Knock(renewed, "/mozgach.v1.FleetService/WhoAmI").ok());
}

TEST_F(AuthenticationTest, ACertificateOfAClockThatIsAheadDoesNotSurviveItsRevocation) {
  // An hour later TLS itself would refuse it: certificates are valid from an hour before.
  for (const auto ahead : {std::chrono::seconds(5), std::chrono::seconds(1800)}) {
    const auto folder =
        Folder("alpha", Issue(Role::kWorker, "alpha", Clock::System().Now() + ahead), authority_);
    TlsClient alpha =
        ConnectThrough(*CredentialsFor({.address = daemon_->grpc_address(), .tls = folder}));
    EXPECT_EQ(Knock(alpha, "/mozgach.v1.FleetService/WhoAmI").ok(), ahead.count() < 10);
    Revoke("alpha");
    EXPECT_EQ(Knock(alpha, "/mozgach.v1.FleetService/WhoAmI").error_code(),
              grpc::StatusCode::UNAUTHENTICATED);
  }
}

TEST_F(AuthenticationTest, ACertificateThatIsReplacedOnDiskIsUsedWithoutARestart) {
  const auto name_shown = [&] {
    TlsClient client = Connect(Role::kViewer, "vera");
    DeadlineContext deadline;
    v1::ListResponse response;
    EXPECT_TRUE(client.jobs->List(deadline, v1::ListRequest(), &response).ok());
    const auto names = deadline.context.auth_context()->FindPropertyValues("x509_common_name");
    return names.empty() ? "" : std::string(names[0].data(), names[0].size());
  };
  TlsClient before = Connect(Role::kViewer, "early");
  EXPECT_EQ(CodeOfPs(before), grpc::StatusCode::OK);
  EXPECT_EQ(name_shown(), "127.0.0.1");
  IssueToScheduler({"second.example.org", "127.0.0.1"});
  std::string shown;
  for (int i = 0; i < 100 && shown != "second.example.org"; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    shown = name_shown();
  }
  EXPECT_EQ(shown, "second.example.org");
  EXPECT_EQ(CodeOfPs(before), grpc::StatusCode::OK);  // over the connection it had
}

TEST_F(AuthenticationTest, HalfACertificateOrKeyLocksNobodyOut) {
  const fs::path folder = directory_.path() / "scheduler";
  const KeyAndCertificate next = *IssueForHosts(authority_, {"127.0.0.1"}, now_, 5);
  testing::internal::CaptureStdout();
  for (const char* name : {"certificate.pem", "key.pem", "ca.pem"}) {
    const std::string whole = ReadFile(folder / name).value();
    fs::resize_file(folder / name, 200);
    std::this_thread::sleep_for(std::chrono::milliseconds(2500));
    TlsClient client = Connect(Role::kViewer, "vera");
    EXPECT_EQ(CodeOfPs(client), grpc::StatusCode::OK) << name;
    std::ofstream(folder / name) << whole;
  }
  std::ofstream(folder / "certificate.pem") << next.certificate_pem;  // and not its key
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  TlsClient client = Connect(Role::kViewer, "vera");
  EXPECT_EQ(CodeOfPs(client), grpc::StatusCode::OK);
  const std::string said = testing::internal::GetCapturedStdout();
  for (const char* name : {"certificate.pem", "key.pem", "ca.pem"}) {
    EXPECT_THAT(said, HasSubstr((folder / name).string() + ": ")) << name;
  }
  EXPECT_THAT(said, HasSubstr("copy them again"));
}

TEST_F(AuthenticationTest, AStreamEndsWhenItsReaderIsNotLetInAnyMore) {
  TlsClient sam = Connect(Role::kSubmitter, "sam");
  SubmitOne(sam, "law");
  TlsClient alice = ConnectWithToken(AddToken(Role::kViewer, "alice"));
  DeadlineContext deadline;
  v1::WatchResponse response;
  const auto watch = alice.jobs->Watch(deadline, v1::WatchRequest());
  ASSERT_TRUE(watch->Read(&response));
  Revoke("alice");
  while (watch->Read(&response)) continue;
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(AuthenticationTest, WhoCallsTooOftenIsToldToWait) {
  config_.calls_per_second_max = 2;
  Start();
  TlsClient vera = Connect(Role::kViewer, "vera"), other = Connect(Role::kViewer, "other");
  int refused = 0;
  for (int i = 0; i < 40; ++i) refused += CodeOfPs(vera) == grpc::StatusCode::RESOURCE_EXHAUSTED;
  EXPECT_GE(refused, 15);
  EXPECT_EQ(CodeOfPs(other), grpc::StatusCode::OK);
}

}  // namespace
}  // namespace mozgach
