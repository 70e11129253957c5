#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>

#include "common/files.h"
#include "tests/scheduler/service.h"

namespace mozgach {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class JobServiceTest : public Service {
 protected:
  grpc::Status AppendLog(int64_t job, int64_t attempt, uint64_t offset, const std::string& data,
                         uint64_t* size) {
    DeadlineContext deadline;
    v1::AppendLogRequest request;
    request.set_job(job);
    request.set_attempt(attempt);
    request.set_offset(offset);
    request.set_data(data);
    v1::AppendLogResponse response;
    const grpc::Status status = workers_->AppendLog(deadline, request, &response);
    *size = response.size();
    return status;
  }
  std::string Logs(const std::string& domain, bool follow) {
    DeadlineContext deadline;
    v1::LogsRequest request;
    request.set_domain(domain);
    request.set_follow(follow);
    const auto reader = jobs_->Logs(deadline, request);
    std::string text;
    v1::LogsResponse response;
    while (reader->Read(&response)) text += response.data();
    const grpc::Status status = reader->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    return text;
  }
  v1::Assignment Claim(TestWorker& worker) {
    worker.Says(1);
    const v1::SynchronizeResponse response = Call(worker);
    worker.Says(0);
    return response.assignments_size() > 0 ? response.assignments(0) : v1::Assignment();
  }
};

TEST_F(JobServiceTest, SubmittingAgainRepairsADamagedDataset) {
  v1::SubmitRequest request;
  *request.add_domains() = Domain("law", "rows");
  const std::string sha256 = request.domains(0).datasets(0).sha256();
  const auto submit = [&] {
    DeadlineContext deadline;
    v1::SubmitResponse response;
    const grpc::Status status = jobs_->Submit(deadline, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  };
  submit();
  const auto blob = Options().data / "blobs" / sha256.substr(0, 2) / sha256;
  std::filesystem::remove(blob);
  std::ofstream(blob) << "rowS";
  const v1::SubmitResponse response = submit();
  ASSERT_EQ(response.missing_blobs_size(), 1);
  EXPECT_EQ(response.outcomes(0).outcome(), "repaired");
  PutBlob("rows");
  EXPECT_EQ(submit().missing_blobs_size(), 0);
  EXPECT_EQ(ReadFile(blob).value(), "rows");
}

TEST_F(JobServiceTest, WatchTellsEveryChangeAndEndsWithTheLastJob) {
  const int64_t job = SubmitOne("law");
  DeadlineContext deadline;
  const auto watch = jobs_->Watch(deadline, v1::WatchRequest());
  v1::WatchResponse response;
  ASSERT_TRUE(watch->Read(&response));
  ASSERT_EQ(response.jobs_size(), 1);
  EXPECT_EQ(response.jobs(0).state(), "queued");
  auto states = std::async(std::launch::async, [&] {
    std::vector<std::string> seen;
    v1::WatchResponse next;
    while (watch->Read(&next)) {
      for (const v1::Job& changed : next.jobs()) seen.push_back(changed.state());
    }
    return seen;
  });
  TestWorker alpha("alpha");
  const v1::Assignment assignment = Claim(alpha);
  EXPECT_EQ(assignment.job(), job);
  alpha.Reports(assignment);
  std::this_thread::sleep_for(milliseconds(250));
  alpha.Fails(assignment, v1::Failure::DATA, "row 3 has no target");
  Call(alpha);
  const std::vector<std::string> seen = states.get();
  ASSERT_GE(seen.size(), 2u);
  EXPECT_EQ(seen.front(), "running");
  EXPECT_EQ(seen.back(), "failed");
  EXPECT_TRUE(watch->Finish().ok());
}

TEST_F(JobServiceTest, WatchPushesProgressManyTimesASecond) {
  SubmitOne("law");
  TestWorker alpha("alpha");
  const v1::Assignment assignment = Claim(alpha);
  DeadlineContext deadline;
  v1::WatchRequest request;
  request.mutable_selector()->add_domains("law");
  const auto watch = jobs_->Watch(deadline, request);
  auto updates = std::async(std::launch::async, [&] {
    int count = 0;
    v1::WatchResponse response;
    while (watch->Read(&response)) ++count;
    return count;
  });
  for (int step = 1; step <= 100; ++step) {
    alpha.Reports(assignment).mutable_progress()->set_step(step);
    Call(alpha);
    std::this_thread::sleep_for(milliseconds(20));
  }
  alpha.Fails(assignment, v1::Failure::USER, "enough");
  Call(alpha);
  EXPECT_GE(updates.get(), 12) << "in two seconds or more";
}

TEST_F(JobServiceTest, WatchSeesANewerJobOfItsDomain) {
  SubmitOne("law");
  DeadlineContext deadline;
  v1::WatchRequest request;
  request.mutable_selector()->add_domains("law");
  const auto watch = jobs_->Watch(deadline, request);
  v1::WatchResponse response;
  ASSERT_TRUE(watch->Read(&response));
  const int64_t newer = SubmitOne("law", "other rows");
  bool joined = false;
  while (!joined && watch->Read(&response)) {
    for (const v1::Job& job : response.jobs()) joined |= job.job() == newer;
  }
  EXPECT_TRUE(joined);
}

TEST_F(JobServiceTest, WatchOfNothingEndsAndOfAnUnknownDomainSaysSo) {
  DeadlineContext deadline, again;
  v1::WatchResponse response;
  const auto nothing = jobs_->Watch(deadline, v1::WatchRequest());
  EXPECT_TRUE(nothing->Read(&response));
  EXPECT_FALSE(nothing->Read(&response));
  EXPECT_TRUE(nothing->Finish().ok());
  v1::WatchRequest request;
  request.mutable_selector()->add_domains("lwa");
  const auto unknown = jobs_->Watch(again, request);
  EXPECT_FALSE(unknown->Read(&response));
  EXPECT_EQ(unknown->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(JobServiceTest, LogsAreAppendedOnceAndFollowedToTheEnd) {
  SubmitOne("law");
  TestWorker alpha("alpha");
  const v1::Assignment assignment = Claim(alpha);
  uint64_t size = 0;
  ASSERT_TRUE(AppendLog(assignment.job(), 1, 0, "one\n", &size).ok());
  EXPECT_EQ(size, 4u);
  auto followed = std::async(std::launch::async, [&] { return Logs("law", true); });
  ASSERT_TRUE(AppendLog(assignment.job(), 1, 0, "one\ntwo\n", &size).ok());
  EXPECT_EQ(size, 8u);
  ASSERT_TRUE(AppendLog(assignment.job(), 1, 100, "gap", &size).ok());
  EXPECT_EQ(size, 8u) << "go on there";
  EXPECT_EQ(Logs("law", false), "one\ntwo\n");
  std::this_thread::sleep_for(milliseconds(200));
  ASSERT_TRUE(AppendLog(assignment.job(), 1, 8, "three\n", &size).ok());
  alpha.Fails(assignment, v1::Failure::USER, "enough");
  Call(alpha);
  EXPECT_EQ(followed.get(), "one\ntwo\nthree\n");
}

TEST_F(JobServiceTest, LogsOfUnknownAttemptsAreRefused) {
  SubmitOne("law");
  uint64_t size = 0;
  EXPECT_EQ(AppendLog(1, 1, 0, "x", &size).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(AppendLog(-1, 99, 0, "x", &size).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "data" / "logs"));
}

TEST_F(JobServiceTest, LogsOfAJobWithoutAttemptsSayWhy) {
  SubmitOne("law");
  DeadlineContext deadline, again;
  v1::LogsRequest request;
  request.set_domain("law");
  v1::LogsResponse response;
  const auto stream = jobs_->Logs(deadline, request);
  EXPECT_FALSE(stream->Read(&response));
  const grpc::Status none = stream->Finish();
  EXPECT_EQ(none.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(none.error_message(), HasSubstr("job 1 of law has had no attempt yet"));
  TestWorker alpha("alpha");
  RunOne(alpha);
  request.set_attempt(2);
  const auto second = jobs_->Logs(again, request);
  EXPECT_FALSE(second->Read(&response));
  const grpc::Status missing = second->Finish();
  EXPECT_EQ(missing.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(missing.error_message(), HasSubstr("no attempt 2; its latest is 1"));
}

TEST_F(JobServiceTest, LogsAreBounded) {
  config_.log_bytes_max = 10;
  Start();
  SubmitOne("law");
  TestWorker alpha("alpha");
  const v1::Assignment assignment = Claim(alpha);
  uint64_t size = 0;
  ASSERT_TRUE(AppendLog(assignment.job(), 1, 0, "0123456789abcdef", &size).ok());
  EXPECT_EQ(size, 16u) << "passed over, not asked for again";
  ASSERT_TRUE(AppendLog(assignment.job(), 1, 16, "more", &size).ok());
  EXPECT_EQ(size, 20u);
  EXPECT_EQ(Logs("law", false), "0123456789");
}

TEST_F(JobServiceTest, ErrorsSayWhatAndWhere) {
  DeadlineContext deadline;
  v1::SubmitRequest request;
  request.add_domains()->set_spec_json("{\"domain\": 7}");
  v1::SubmitResponse response;
  const grpc::Status status = jobs_->Submit(deadline, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("submission 1"));
}

TEST_F(JobServiceTest, LongErrorStillArrives) {
  DeadlineContext deadline;
  v1::GetRequest request;
  request.set_job(12345);
  v1::Job response;
  EXPECT_EQ(jobs_->Get(deadline, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);
  DeadlineContext again;
  v1::ExplainRequest explain;
  explain.set_domain(std::string(100000, 'x'));
  v1::ExplainResponse explained;
  const grpc::Status status = jobs_->Explain(again, explain, &explained);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND) << status.error_message();
}

TEST_F(JobServiceTest, ThirtyMegabytesOfDomainsAreOneRequest) {
  DeadlineContext deadline;
  v1::SubmitRequest request;
  const v1::Submission sample = Domain("law");
  for (int i = 0; i < 15000; ++i) *request.add_domains() = sample;
  ASSERT_GT(request.ByteSizeLong(), 4u << 20) << "gRPC's own bound";
  v1::SubmitResponse response;
  const grpc::Status status = jobs_->Submit(deadline, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << "read, and one name twice";
  EXPECT_THAT(status.error_message(), HasSubstr("twice"));
}

TEST_F(JobServiceTest, EventsAndWorkersAreListed) {
  SubmitOne("law");
  TestWorker alpha("alpha");
  RunOne(alpha);
  DeadlineContext deadline, again;
  v1::ListEventsResponse events;
  ASSERT_TRUE(jobs_->ListEvents(deadline, v1::ListEventsRequest(), &events).ok());
  EXPECT_EQ(events.events_size(), 3);
  v1::ListWorkersResponse workers;
  ASSERT_TRUE(jobs_->ListWorkers(again, v1::ListWorkersRequest(), &workers).ok());
  ASSERT_EQ(workers.workers_size(), 1);
  EXPECT_EQ(workers.workers(0).worker(), "alpha");
  EXPECT_EQ(workers.workers(0).state(), "up");
  EXPECT_EQ(workers.workers(0).devices(0).name(), "cpu");
}

}  // namespace
}  // namespace mozgach
