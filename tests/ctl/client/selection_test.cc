// Jobs that are chosen by their labels and states, the real program against a fake scheduler.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/ctl/fake_scheduler.h"
#include "tests/ctl/program.h"

namespace mozgach {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SelectionTest : public testing::Test, public ProgramTest {
 protected:
  SelectionTest() {
    scheduler_.jobs.jobs = {Labelled(7, "law", "running", "law"),
                            Labelled(8, "tax", "failed", "law"),
                            Labelled(9, "rust", "failed", "code"), MakeJob(10, "plain", "queued")};
    (*scheduler_.jobs.jobs[0].mutable_labels())["stage"] = "trial";
  }

  static v1::Job Labelled(int64_t number, const std::string& domain, const std::string& state,
                          const std::string& team) {
    v1::Job job = MakeJob(number, domain, state);
    (*job.mutable_labels())["team"] = team;
    return job;
  }

  Said Ctl(std::vector<std::string> words) {
    words.insert(words.begin(), {"--scheduler", scheduler_.address()});
    return RunCtl(words);
  }

  std::vector<int64_t> Listed(std::vector<std::string> words) {
    words.insert(words.begin(), {"ps", "--json"});
    const Said said = Ctl(words);
    EXPECT_EQ(said.exit_code, 0) << said.err;
    std::vector<int64_t> numbers;
    for (const auto& job : nlohmann::json::parse(said.out)) numbers.push_back(job["job"]);
    return numbers;
  }

  FakeScheduler scheduler_;
};

TEST_F(SelectionTest, PsShowsJobsWithEveryLabelInOneOfTheStates) {
  EXPECT_THAT(Listed({"-l", "team=law"}), ElementsAre(7, 8));
  EXPECT_THAT(Listed({"-l", "team=law", "--label", "stage=trial"}), ElementsAre(7));
  EXPECT_THAT(Listed({"--state", "failed"}), ElementsAre(8, 9));
  EXPECT_THAT(Listed({"--state", "failed", "--state", "queued"}), ElementsAre(8, 9, 10));
  EXPECT_THAT(Listed({"-l", "team=law", "--state", "failed"}), ElementsAre(8));
  EXPECT_THAT(Listed({"-l", "team=chess"}), IsEmpty());
  EXPECT_THAT(Listed({"-l", "team=law", "tax"}), ElementsAre(7, 8));  // a domain, no second label
}

TEST_F(SelectionTest, WhatIsNoLabelOrStateIsSaidSo) {
  const Said label = Ctl({"ps", "-l", "team"});
  EXPECT_EQ(label.exit_code, 2);
  EXPECT_THAT(label.err, HasSubstr("'team' is not a label; write KEY=VALUE"));
  EXPECT_EQ(Ctl({"ps", "--state", "asleep"}).exit_code, 2);
}

TEST_F(SelectionTest, CancelAndRetryTakeTheJobsThatCanBe) {
  EXPECT_EQ(Ctl({"cancel", "-l", "team=law"}).exit_code, 0);
  ASSERT_EQ(scheduler_.jobs.cancels.size(), 1u);
  EXPECT_THAT(scheduler_.jobs.cancels[0].selector().jobs(), ElementsAre(7, 8));
  EXPECT_TRUE(scheduler_.jobs.cancels[0].selector().all());
  EXPECT_EQ(Ctl({"retry", "--state", "failed", "-l", "team=code"}).exit_code, 0);
  ASSERT_EQ(scheduler_.jobs.retries.size(), 1u);
  EXPECT_THAT(scheduler_.jobs.retries[0].selector().jobs(), ElementsAre(9));
}

TEST_F(SelectionTest, LabelsThatNoJobHasCancelNothingRatherThanEverything) {
  const Said said = Ctl({"cancel", "--all", "-l", "team=chess"});
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_THAT(said.err, HasSubstr("nothing to cancel"));
  EXPECT_THAT(scheduler_.jobs.cancels, IsEmpty());
  EXPECT_THAT(Ctl({"watch", "-l", "team=chess"}).err, HasSubstr("no such jobs"));
  EXPECT_THAT(scheduler_.jobs.watches, IsEmpty());
}

TEST_F(SelectionTest, WatchFollowsTheJobsOfALabel) {
  EXPECT_EQ(Ctl({"watch", "-l", "team=law"}).exit_code, 0);
  ASSERT_EQ(scheduler_.jobs.watches.size(), 1u);
  EXPECT_THAT(scheduler_.jobs.watches[0].selector().jobs(), ElementsAre(7, 8));
}

}  // namespace
}  // namespace mozgach
