#include "scheduler/state/activity_log.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mozgach {
namespace {

using testing::HasSubstr;

v1::SubmitResponse Submitted(int domains) {
  v1::SubmitResponse response;
  for (int i = 0; i < domains; ++i) {
    auto& outcome = *response.add_outcomes();
    outcome.set_domain(absl::StrCat("domain-", i));
    outcome.set_outcome(i == 0 ? "unchanged" : "new");
    outcome.set_job(i + 1);
  }
  return response;
}

TEST(ActivityLogTest, SubmitOfManyDomainsIsOneShortLine) {
  EXPECT_EQ(SubmitLine(Submitted(2), "ann@executor"),
            "submitted by=ann@executor new=1 unchanged=1 jobs=1-2 domains=domain-0,domain-1");
  const std::string line = SubmitLine(Submitted(10'000), "ann@executor");
  EXPECT_EQ(line,
            "submitted by=ann@executor new=9999 unchanged=1 jobs=1-10000 "
            "domains=domain-0,domain-1,domain-2,… (10000)");
}

TEST(ActivityLogTest, LinesNameJobAttemptAndWorker) {
  Lease lease{.job = 17, .attempt = 2, .worker = "alpha", .device = "cuda:0"};
  EXPECT_EQ(ClaimLine(lease, "law"),
            "claimed job=17 domain=law attempt=2 worker=alpha device=cuda:0");
  Job job;
  job.job = 17;
  job.domain = "law";
  job.state = JobState::kFailed;
  EXPECT_EQ(EndLine(lease, job, FailureClass::kData, "row 3: no text"),
            "failed job=17 domain=law attempt=2 worker=alpha class=data reason=\"row 3: no text\"");
  job.state = JobState::kQueued;
  EXPECT_EQ(EndLine(lease, job, FailureClass::kLost, ""),
            "lease_lost job=17 domain=law attempt=2 worker=alpha then=requeued");
}

TEST(ActivityLogTest, TextsFromOutsideCannotLookLikeOtherKeys) {
  Lease lease{.job = 1, .attempt = 1, .worker = "x\" job=2"};
  EXPECT_THAT(ClaimLine(lease, "law"), HasSubstr(R"(worker="x\" job=2")"));
  Job job;
  job.state = JobState::kFailed;
  EXPECT_LT(EndLine(lease, job, FailureClass::kData, std::string(100'000, 'x')).size(), 1000u);
}

}  // namespace
}  // namespace mozgach
