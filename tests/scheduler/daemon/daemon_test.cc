#include "scheduler/daemon/daemon.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <future>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "nlohmann/json.hpp"
#include "tests/registry/weights.h"
#include "tests/scheduler/http_get.h"
#include "tests/scheduler/service.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

class DaemonTest : public Service {};

TEST_F(DaemonTest, SaysWhereItListens) {
  const auto endpoints = nlohmann::json::parse(ReadFile(Options().data / "endpoints.json").value());
  EXPECT_EQ(endpoints["grpc"], daemon_->grpc_address());
  EXPECT_EQ(endpoints["http"], daemon_->http_address());
  EXPECT_EQ(endpoints["pid"], ::getpid());
  EXPECT_THAT(daemon_->grpc_address(), ::testing::MatchesRegex("127\\.0\\.0\\.1:[1-9][0-9]*"));
}

TEST_F(DaemonTest, OneDaemonInOneDirectory) {
  const auto second = Daemon::Start(Options(), Clock::System());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition) << second.status();
}

TEST_F(DaemonTest, AddressInUseIsSaidSo) {
  DaemonOptions options = Options();
  options.data = directory_.path() / "other";
  options.listen = daemon_->grpc_address();
  const auto second = Daemon::Start(options, Clock::System());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(daemon_->grpc_address()));
  options.listen = "127.0.0.1:0";
  options.http = daemon_->http_address();
  const auto third = Daemon::Start(options, Clock::System());
  EXPECT_EQ(third.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(third.status().message()), HasSubstr(daemon_->http_address()));
}

TEST_F(DaemonTest, MetricsAreThere) {
  SubmitOne("law");
  const std::string answer = HttpGet(daemon_->http_address(), "/metrics");
  EXPECT_THAT(answer, HasSubstr("200 OK"));
  EXPECT_THAT(answer, HasSubstr("mozgach_jobs{state=\"queued\"} 1\n"));
  EXPECT_THAT(answer, HasSubstr("mozgach_build_info{version="));
}

TEST_F(DaemonTest, TheFrontPageAndHealthAreThereAndNothingElse) {
  SubmitOne("law");
  const std::string page = HttpGet(daemon_->http_address(), "/");
  EXPECT_THAT(page, HasSubstr("200 OK"));
  EXPECT_THAT(page, HasSubstr("<td>queued</td><td>1</td>"));
  EXPECT_THAT(page, HasSubstr("href=\"/metrics\""));
  const std::string health = HttpGet(daemon_->http_address(), "/health");
  EXPECT_THAT(health, HasSubstr("200 OK"));
  EXPECT_THAT(health, HasSubstr("{\"status\":\"ok\"}"));
  EXPECT_THAT(HttpGet(daemon_->http_address(), "/etc/passwd"), HasSubstr("404 Not Found"));
}

TEST_F(DaemonTest, HealthAndReflectionAreOn) {
  grpc::GenericStub stub(channel_);
  DeadlineContext deadline, again;
  const grpc::Slice empty("");
  const grpc::ByteBuffer everything(&empty, 1);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> checked;
  stub.UnaryCall(&deadline.context, "/grpc.health.v1.Health/Check", {}, &everything, &response,
                 [&](grpc::Status status) { checked.set_value(status); });
  const grpc::Status health = checked.get_future().get();
  EXPECT_TRUE(health.ok()) << health.error_message();
  // Field 7 of ServerReflectionRequest: list_services "".
  const grpc::Slice list(std::string("\x3a\x00", 2));
  const grpc::ByteBuffer list_services(&list, 1);
  std::promise<grpc::Status> reflected;
  stub.UnaryCall(&again.context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                 {}, &list_services, &response,
                 [&](grpc::Status status) { reflected.set_value(status); });
  const grpc::Status reflection = reflected.get_future().get();
  EXPECT_TRUE(reflection.ok()) << reflection.error_message();
  grpc::Slice services;
  ASSERT_TRUE(response.DumpToSingleSlice(&services).ok());
  EXPECT_THAT(std::string(services.begin(), services.end()), HasSubstr("mozgach.v1.JobService"));
}

TEST_F(DaemonTest, RestartedInMidJobLosesNothing) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  alpha.Says(1);
  const v1::Assignment assignment = Call(alpha).assignments(0);
  alpha.Says(0);
  Start();
  AddAdapter(*alpha.Reports(assignment, v1::AttemptReport::FINISHED).mutable_result());
  const v1::SynchronizeResponse done = Call(alpha);
  ASSERT_EQ(done.assignments_size(), 1);
  EXPECT_EQ(done.assignments(0).desired(), v1::Assignment::PUBLISHED);
  EXPECT_EQ(Get(job).state(), "succeeded");
  EXPECT_EQ(Get(job).attempt(), 1);
}

TEST_F(DaemonTest, LeasesEndWithoutAnybodyCalling) {
  config_.lease = Milliseconds(300);
  Start();
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  alpha.Says(1);
  Call(alpha);
  DeadlineContext deadline;
  v1::WatchRequest request;
  const auto watch = jobs_->Watch(deadline, request);
  v1::WatchResponse response;
  std::string state;
  while (state != "queued" && watch->Read(&response)) state = response.jobs(0).state();
  EXPECT_EQ(state, "queued");
  EXPECT_EQ(Get(job).failure_class(), "lost");
}

TEST_F(DaemonTest, StopsWithinSeconds) {
  DeadlineContext deadline;
  SubmitOne("law");
  const auto watch = jobs_->Watch(deadline, v1::WatchRequest());
  v1::WatchResponse response;
  ASSERT_TRUE(watch->Read(&response));
  const auto start = std::chrono::steady_clock::now();
  daemon_->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace mozgach
