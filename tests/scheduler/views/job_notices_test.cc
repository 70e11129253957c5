#include "scheduler/views/job_notices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/notice_list.h"
#include "nlohmann/json.hpp"
#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class JobNoticesTest : public Fleet {
 protected:
  v1::Submission Noticed(const std::string& domain, const std::vector<std::string>& notices) {
    v1::Submission submission = Domain(domain);
    for (const std::string& notice : notices) submission.add_notices(notice);
    return submission;
  }
};

TEST_F(JobNoticesTest, SubmitAndExplainShowThem) {
  const v1::Submission law = Noticed("law", {"2 rows occur twice", "unknown key 'id'"});
  const v1::SubmitResponse response = Submit({law});
  EXPECT_THAT(response.outcomes(0).notices(),
              ElementsAre("2 rows occur twice", "unknown key 'id'"));
  EXPECT_THAT(Explain(response.outcomes(0).job()).notices(),
              ElementsAre("2 rows occur twice", "unknown key 'id'"));
}

TEST_F(JobNoticesTest, DryRunShowsThemAndStoresNothing) {
  const int64_t job = SubmitOne("law");
  const auto response = TrySubmit({Noticed("law", {"one row"})}, /*dry_run=*/true);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->outcomes(0).outcome(), "unchanged");
  EXPECT_THAT(response->outcomes(0).notices(), ElementsAre("one row"));
  EXPECT_THAT(Explain(job).notices(), ElementsAre());
}

TEST_F(JobNoticesTest, UnchangedJobGetsTheNewOnes) {
  const int64_t job = Submit({Noticed("law", {"old"})}).outcomes(0).job();
  const v1::SubmitResponse again = Submit({Noticed("law", {"new"})});
  EXPECT_EQ(again.outcomes(0).outcome(), "unchanged");
  EXPECT_EQ(again.outcomes(0).job(), job);
  EXPECT_THAT(Explain(job).notices(), ElementsAre("new"));
}

TEST_F(JobNoticesTest, RetryKeepsThem) {
  const int64_t job = Submit({Noticed("law", {"one row"})}).outcomes(0).job();
  Cancel(job);
  v1::RetryRequest request;
  request.mutable_selector()->add_jobs(job);
  const auto retried = core_->Retry(now_, request);
  ASSERT_TRUE(retried.ok()) << retried.status();
  EXPECT_THAT(Explain(retried->jobs(0).job()).notices(), ElementsAre("one row"));
}

TEST_F(JobNoticesTest, SayWhatTheChatTemplateOfTheBaseDoes) {
  v1::Submission law = Domain("law");
  law.set_conversations(true);
  const int64_t job = Submit({law}).outcomes(0).job();
  EXPECT_THAT(Explain(job).notices(), ElementsAre());  // the chat facts are not known yet

  TestWorker alpha("alpha");
  v1::ChatFacts& chat = *alpha.request.mutable_bases(0)->mutable_chat();
  Call(alpha);
  EXPECT_THAT(Explain(job).notices(), ElementsAre(HasSubstr("has no chat template")));
  EXPECT_THAT(Submit({law}).outcomes(0).notices(), ElementsAre(HasSubstr("data.chat_template")));
  chat.set_has_template(true);
  chat.set_has_no_end_token(true);
  Call(alpha);
  EXPECT_THAT(Explain(job).notices(), ElementsAre(HasSubstr("no token that ends an answer")));
  chat.set_drops_answers(true);
  Call(alpha);
  EXPECT_THAT(Explain(job).notices(), ElementsAre(HasSubstr("the job will fail")));
  chat.set_error("line 1: no such filter");
  Call(alpha);
  Restart();
  EXPECT_THAT(Explain(job).notices(), ElementsAre(HasSubstr("line 1: no such filter")));
}

TEST_F(JobNoticesTest, LeaveTheTemplateOutForPlainTextAndForAnotherTemplate) {
  TestWorker alpha("alpha");
  alpha.request.mutable_bases(0)->mutable_chat();
  Call(alpha);
  EXPECT_THAT(Submit({Domain("text")}).outcomes(0).notices(), ElementsAre());
  v1::Submission law = Domain("law");
  law.set_conversations(true);
  auto spec = nlohmann::json::parse(law.spec_json());
  spec["data"]["chat_template"] = "chatml";
  law.set_spec_json(spec.dump());
  EXPECT_THAT(Submit({law}).outcomes(0).notices(), ElementsAre());
}

TEST_F(JobNoticesTest, RejectsMoreThanTheBound) {
  const std::vector<std::string> many(NoticeList::kMaxNotices + 1, "one row");
  EXPECT_THAT(TrySubmit({Noticed("law", many)}).status().message(),
              HasSubstr("domain 'law': more than 32 notices"));
  EXPECT_THAT(TrySubmit({Noticed("law", {std::string(1025, 'x')})}).status().message(),
              HasSubstr("longer than 1024 bytes"));
}

}  // namespace
}  // namespace mozgach
