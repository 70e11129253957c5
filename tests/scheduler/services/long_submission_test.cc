#include "scheduler/services/long_submission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "registry/query.h"
#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

using ::testing::ElementsAre;

class LongSubmissionTest : public Fleet {
 protected:
  static constexpr int kDomains = 500;

  v1::SubmitRequest Request(const std::string& rows = "rows") {
    v1::SubmitRequest request;
    for (int i = 0; i < kDomains; ++i) {
      *request.add_domains() = Domain(absl::StrCat("d", i), kTiny, 50, rows);
    }
    request.set_actor("me@here");
    return request;
  }

  absl::StatusOr<v1::SubmitResponse> SubmitAll(CoreExecutor& executor,
                                               const v1::SubmitRequest& request) {
    v1::SubmitRequest how;
    how.set_actor(request.actor());
    how.set_dry_run(request.dry_run());
    return SubmitInParts(executor, how, request, *CheckSubmissions(request));
  }
  v1::SubmitResponse SubmitAll(const v1::SubmitRequest& request) {
    CoreExecutor executor(*core_, Clock::System());
    const auto response = SubmitAll(executor, request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : v1::SubmitResponse();
  }

  static std::set<std::string> Outcomes(const v1::SubmitResponse& response) {
    std::set<std::string> outcomes;
    for (const auto& outcome : response.outcomes()) outcomes.insert(outcome.outcome());
    return outcomes;
  }
  // Statements are kept by their address: `sql` is a literal.
  int64_t Count(const char* sql) {
    Query rows(*database_, sql);
    return rows.Next() ? rows.Int(0) : -1;
  }
  int64_t Jobs() { return Count("SELECT count(*) FROM jobs"); }
  void ExpectNothingStaged() {
    EXPECT_EQ(Count("SELECT count(*) FROM submissions"), 0);
    EXPECT_EQ(Count("SELECT count(*) FROM submission_parts"), 0);
  }
};

TEST_F(LongSubmissionTest, AnswersForEachDomainInTheOrderOfTheRequest) {
  const v1::SubmitResponse response = SubmitAll(Request());
  ASSERT_EQ(response.outcomes_size(), kDomains);
  for (int i = 0; i < kDomains; ++i) {
    EXPECT_EQ(response.outcomes(i).domain(), absl::StrCat("d", i));
    EXPECT_EQ(response.outcomes(i).job(), i + 1);
  }
  EXPECT_THAT(Outcomes(response), ElementsAre("new"));
  EXPECT_EQ(Jobs(), kDomains);
  ExpectNothingStaged();
  EXPECT_THAT(Outcomes(SubmitAll(Request())), ElementsAre("unchanged"));
  EXPECT_EQ(Jobs(), kDomains);
  ExpectNothingStaged();
}

TEST_F(LongSubmissionTest, WritesNothingInADryRun) {
  v1::SubmitRequest request = Request();
  request.set_dry_run(true);
  EXPECT_THAT(Outcomes(SubmitAll(request)), ElementsAre("new"));
  EXPECT_EQ(Jobs(), 0);
  ExpectNothingStaged();
}

TEST_F(LongSubmissionTest, WritesNothingWhenOneDatasetIsMissing) {
  v1::SubmitRequest request = Request();
  const std::string missing(64, 'a');
  request.mutable_domains(kDomains - 1)->mutable_datasets(0)->set_sha256(missing);
  EXPECT_THAT(SubmitAll(request).missing_blobs(), ElementsAre(missing));
  EXPECT_EQ(Jobs(), 0);
  ExpectNothingStaged();
}

TEST_F(LongSubmissionTest, StoresNewNoticesOfUnchangedDomains) {
  v1::SubmitRequest request = Request();
  SubmitAll(request);
  request.mutable_domains(7)->add_notices("2 rows occur twice");
  const v1::SubmitResponse response = SubmitAll(request);
  EXPECT_THAT(Outcomes(response), ElementsAre("unchanged"));
  EXPECT_EQ(response.outcomes(7).job(), 8);
  EXPECT_THAT(Explain(8).notices(), ElementsAre("2 rows occur twice"));
  EXPECT_THAT(Explain(7).notices(), ElementsAre());
}

TEST_F(LongSubmissionTest, TwoOfTheSameDomainsDoNotMix) {
  const v1::SubmitRequest one = Request("rows"), other = Request("other");
  v1::SubmitResponse first, second;
  {
    CoreExecutor executor(*core_, Clock::System());
    std::thread beside([&] { first = *SubmitAll(executor, one); });
    second = *SubmitAll(executor, other);
    beside.join();
  }
  // Whichever was accepted first queued all of its domains before the other queued one.
  int64_t last_of_first = 0, last_of_second = 0;
  int64_t begin_of_first = first.outcomes(0).job(), begin_of_second = second.outcomes(0).job();
  for (int i = 0; i < kDomains; ++i) {
    last_of_first = std::max(last_of_first, first.outcomes(i).job());
    begin_of_first = std::min(begin_of_first, first.outcomes(i).job());
    last_of_second = std::max(last_of_second, second.outcomes(i).job());
    begin_of_second = std::min(begin_of_second, second.outcomes(i).job());
  }
  EXPECT_TRUE(last_of_first < begin_of_second || last_of_second < begin_of_first)
      << begin_of_first << " to " << last_of_first << ", " << begin_of_second << " to "
      << last_of_second;
  EXPECT_EQ(Count("SELECT count(*) FROM jobs WHERE state = 'queued'"), kDomains);
  ExpectNothingStaged();
}

TEST_F(LongSubmissionTest, AShortOneOfTheSameDomainWaitsItsTurn) {
  const v1::SubmitRequest request = Request();
  StagedSubmission staged;
  staged.actor = "me@here";
  staged.checked = *CheckSubmissions(request);
  staged.part_ends = PartEnds(staged.checked);
  StagedSubmissions& all = state().staged;
  const int64_t submission = *all.Begin("me@here");
  for (size_t part = 0; part < staged.part_ends.size(); ++part) {
    ASSERT_TRUE(all.Add(submission, part, v1::SubmitRequest()).ok());
  }
  ASSERT_TRUE(all.Accept(submission, staged).ok());
  v1::SubmitRequest later;
  *later.add_domains() = Domain("d499", kTiny, 60, "rows");
  later.set_actor("me@here");
  EXPECT_THAT(Outcomes(SubmitAll(later)), ElementsAre("updated"));
  EXPECT_EQ(Jobs(), kDomains);
  EXPECT_EQ(Count("SELECT count(*) FROM submissions"), 0);
}

}  // namespace
}  // namespace mozgach
