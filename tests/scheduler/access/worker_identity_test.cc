// A worker speaks for itself: its certificate is bound to its leases.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scheduler/tls_daemon.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

class WorkerIdentityTest : public TlsDaemon {
 protected:
  static grpc::Status Synchronize(TlsClient& client, const TestWorker& worker,
                                  v1::SynchronizeResponse* response) {
    DeadlineContext deadline;
    return client.workers->Synchronize(deadline, worker.request, response);
  }
  // A job that bravo has a lease of.
  v1::Assignment LeaseOfBravo() {
    TlsClient sam = Connect(Role::kSubmitter, "sam");
    SubmitOne(sam, "law");
    bravo_says_.Says(1);
    v1::SynchronizeResponse response;
    const grpc::Status status = Synchronize(bravo_, bravo_says_, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    bravo_says_.Says(0);
    EXPECT_EQ(response.assignments_size(), 1);
    return response.assignments_size() == 1 ? response.assignments(0) : v1::Assignment();
  }
  v1::Job Get(int64_t job) {
    DeadlineContext deadline;
    v1::GetRequest request;
    request.set_job(job);
    v1::Job response;
    EXPECT_TRUE(Connect(Role::kViewer, "vera").jobs->Get(deadline, request, &response).ok());
    return response;
  }

  TlsClient alpha_ = Connect(Role::kWorker, "alpha");
  TlsClient bravo_ = Connect(Role::kWorker, "bravo");
  TestWorker bravo_says_{"bravo"};
};

TEST_F(WorkerIdentityTest, CannotCallAsAnother) {
  const v1::Assignment lease = LeaseOfBravo();
  TestWorker pretended("bravo");
  pretended.Reports(lease);
  v1::SynchronizeResponse response;
  const grpc::Status status = Synchronize(alpha_, pretended, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(status.error_message(), HasSubstr("may not speak for the worker bravo"));
  // A new incarnation of bravo would have replaced it.
  TestWorker usurper("bravo", {kTiny}, "second");
  EXPECT_FALSE(Synchronize(alpha_, usurper, &response).ok());
  ASSERT_TRUE(Synchronize(bravo_, bravo_says_, &response).ok());
  EXPECT_FALSE(response.replaced());
}

TEST_F(WorkerIdentityTest, CannotRenewFailOrFinishALeaseOfAnotherByItsNumbers) {
  const v1::Assignment lease = LeaseOfBravo();
  for (const auto phase : {v1::AttemptReport::TRAINING, v1::AttemptReport::FAILED,
                           v1::AttemptReport::STOPPED, v1::AttemptReport::FINISHED}) {
    TestWorker alpha_says("alpha");
    v1::AttemptReport& report = alpha_says.Reports(lease, phase);
    report.mutable_failure()->set_message("no");
    report.mutable_result()->add_files()->set_path("adapter_model.safetensors");
    v1::SynchronizeResponse response;
    ASSERT_TRUE(Synchronize(alpha_, alpha_says, &response).ok());
    EXPECT_EQ(response.assignments_size(), 0) << phase;
    EXPECT_EQ(Get(lease.job()).state(), "running") << phase;
    EXPECT_EQ(Get(lease.job()).worker(), "bravo") << phase;
    EXPECT_EQ(Get(lease.job()).attempt(), lease.attempt()) << phase;
  }
}

TEST_F(WorkerIdentityTest, CannotWriteIntoTheLogOfAnother) {
  const v1::Assignment lease = LeaseOfBravo();
  v1::AppendLogRequest request;
  request.set_job(lease.job());
  request.set_attempt(lease.attempt());
  request.set_data("forged");
  v1::AppendLogResponse response;
  DeadlineContext alphas, bravos;
  EXPECT_EQ(alpha_.workers->AppendLog(alphas, request, &response).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  request.set_data("true");
  ASSERT_TRUE(bravo_.workers->AppendLog(bravos, request, &response).ok());
  EXPECT_EQ(response.size(), 4u);
}

TEST_F(WorkerIdentityTest, APersonCannotPassForAWorker) {
  TlsClient boss = Connect(Role::kOperator, "alpha");  // even with the same name
  TestWorker alpha_says("alpha");
  v1::SynchronizeResponse response;
  EXPECT_EQ(Synchronize(boss, alpha_says, &response).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(WorkerIdentityTest, AWorkersTokenIsAsGoodAsItsCertificate) {
  TlsClient charlie = ConnectWithToken(AddToken(Role::kWorker, "charlie"));
  v1::SynchronizeResponse response;
  TestWorker charlie_says("charlie"), alpha_says("alpha");
  EXPECT_TRUE(Synchronize(charlie, charlie_says, &response).ok());
  EXPECT_EQ(Synchronize(charlie, alpha_says, &response).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

}  // namespace
}  // namespace mozgach
