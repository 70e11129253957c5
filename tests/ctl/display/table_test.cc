#include "ctl/display/table.h"

#include "ctl/display/adapter_table.h"
#include "ctl/display/job_display.h"
#include "ctl/display/job_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mozgach {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr Terminal Wide(int width) { return {.is_terminal = true, .width = width, .height = 24}; }

v1::Job Running() {
  v1::Job job;
  job.set_job(17);
  job.set_domain("archive-shelf-dates-of-the-central-library");
  job.set_state("running");
  job.set_phase("training");
  job.set_step(40);
  job.set_steps(160);
  job.set_loss(1.23456);
  job.set_tokens_per_second(812.3);
  job.set_worker("gpu-host-1");
  return job;
}

TEST(ClipTest, CutsAtCharactersAndCountsColumns) {
  EXPECT_EQ(Clip("short", 10), "short");
  EXPECT_EQ(Clip("exactly", 7), "exactly");
  EXPECT_EQ(Clip("longer text", 6), "longe…");
  EXPECT_EQ(Clip("длинное", 4), "дли…");
  EXPECT_EQ(Clip("日本語", 5), "日本…");
  EXPECT_EQ(Clip("日本語", 4), "日…");
  EXPECT_EQ(DisplayWidth("日本語"), 6);
  EXPECT_EQ(DisplayWidth("é"), 1);
}

TEST(TerminalTest, WhatSteersATerminalIsMadeVisible) {
  EXPECT_EQ(Harmless("loss 0.5\tэпоха 2\n"), "loss 0.5\tэпоха 2\n");
  EXPECT_EQ(Harmless("a\x1b[2J\x1b]52;c;cHdu\x07z\r"), "a\uFFFD[2J\uFFFD]52;c;cHdu\uFFFDz ");
}

TEST(ClipTest, NoTextSteersTheTerminal) {
  EXPECT_EQ(Clip("a\x1b[2Jb", 0), "a\uFFFD[2Jb");
  EXPECT_EQ(Clip("two\nlines", 0), "two lines");
  EXPECT_EQ(Clip("\xff", 0), "\uFFFD");
  EXPECT_EQ(Clip("\u202Eabc", 0), "\uFFFDabc");
}

TEST(TableTest, AlignsColumnsAndLeavesNoBlanksAtTheEnd) {
  Table table({{.title = "JOB", .right = true}, {.title = "DOMAIN"}, {.title = "NOTE"}});
  table.AddRow({"1", "law", ""});
  table.AddRow({"1234", "t", "why"});
  EXPECT_THAT(table.Render({}),
              ElementsAre(" JOB  DOMAIN  NOTE", "   1  law", "1234  t       why"));
}

TEST(TableTest, AColumnThatSaysNothingIsLeftOutUnlessItMustStay) {
  Table table({{.title = "DOMAIN"}, {.title = "LOSS", .rank = 1}, {.title = "NOTE", .rank = 2}});
  table.AddRow({"law", "", "waits"});
  table.AddRow({"tax", "", ""});
  EXPECT_THAT(table.Render({}), ElementsAre("DOMAIN  NOTE", "law     waits", "tax"));
}

TEST(TableTest, JobsFitEveryWidthFrom40OnAndKeepWhatMatters) {
  for (int width = 40; width <= 200; ++width) {
    const std::vector<std::string> lines = JobTable({Running()}).Render(Wide(width));
    for (const std::string& line : lines) EXPECT_LE(DisplayWidth(line), width) << line;
    EXPECT_THAT(lines[1], HasSubstr("17  archive-"));
    EXPECT_THAT(lines[1], HasSubstr("running"));
    EXPECT_THAT(lines[1], HasSubstr("40/160"));
  }
  EXPECT_THAT(JobTable({Running()}).Render(Wide(200))[1], HasSubstr("central-library"));
  EXPECT_THAT(JobTable({Running()}).Render({})[1], HasSubstr("gpu-host-1  training"));
}

TEST(TableTest, TheReasonIsCutOnlyWhenWhatMattersLessIsLeftOut) {
  v1::Job waiting = Running();
  waiting.set_state("queued");
  waiting.set_reason("no worker has base Qwen/Qwen2.5-3B (2 asked), of those that have called");
  const std::vector<std::string> lines = JobTable({waiting}).Render(Wide(80));
  EXPECT_THAT(lines[0], Not(HasSubstr("WORKER")));
  EXPECT_THAT(lines[1], HasSubstr("no worker has base Qwen/Qwen2.5-3B (2"));
  EXPECT_THAT(JobTable({waiting}).Render({})[0], HasSubstr("WORKER"));
}

TEST(TableTest, NarrowAdaptersKeepTheirScoresAndLeaveOutThePath) {
  v1::Version version;
  version.set_domain("archive-shelf-dates");
  version.set_version("v0001");
  version.set_path("/srv/mozgach/registry/adapters/archive-shelf-dates/v0001");
  version.set_metrics_json(R"({"base": {"exact_match": 0.01}, "adapter": {"exact_match": 0.97}})");
  const std::vector<std::string> lines = VersionTable({version}).Render(Wide(60));
  EXPECT_THAT(lines[0], Not(HasSubstr("PATH")));
  EXPECT_THAT(lines[1], HasSubstr("1 % → 97 %"));
  EXPECT_THAT(VersionTable({version}).Render({})[1], HasSubstr("/v0001"));
}

TEST(VersionLinesTest, ValuesStandBelowOneAnother) {
  v1::Version version;
  version.set_domain("law");
  version.set_metrics_json(R"({"adapter": {"a_metric_with_a_long_name": 0.0312345678901}})");
  const std::vector<std::string> lines = VersionLines(version);
  EXPECT_EQ(lines.front(), "domain                             law");
  EXPECT_THAT(lines, testing::Contains("adapter a_metric_with_a_long_name  0.03123"));
}

TEST(AgoTest, TimesAreToldAsPeopleDo) {
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  const auto before = [&](absl::Duration age) {
    return absl::FormatTime(absl::RFC3339_full, now - age, absl::UTCTimeZone());
  };
  EXPECT_EQ(Ago(before(absl::Seconds(3)), now), "3 s ago");
  EXPECT_EQ(Ago(before(absl::Minutes(5)), now), "5 min ago");
  EXPECT_EQ(Ago(before(absl::Hours(7)), now), "7 h ago");
  EXPECT_EQ(Ago(before(absl::Hours(100)), now), "4 d ago");
  EXPECT_EQ(Ago(before(-absl::Seconds(2)), now), "0 s ago") << "the other clock is ahead";
  EXPECT_EQ(Ago("", now), "");
}

TEST(TableTest, EvenASillyWidthIsKeptTo) {
  for (int width = 1; width < 40; ++width) {
    for (const std::string& line : JobTable({Running()}).Render(Wide(width))) {
      EXPECT_LE(DisplayWidth(line), width) << line;
    }
  }
}

TEST(TableTest, ColourIsUsedOnlyWhereItIsWanted) {
  EXPECT_THAT(JobTable({Running()}).Render(Wide(80))[1], Not(HasSubstr("\x1b")));
  Terminal colour = Wide(80);
  colour.colour = true;
  EXPECT_THAT(JobTable({Running()}).Render(colour)[1], HasSubstr("\x1b[36mrunning\x1b[0m"));
}

TEST(LiveLinesTest, ManyJobsFitTheHeightAndWhatRunsComesFirst) {
  std::vector<v1::Job> jobs;
  for (int64_t i = 1; i <= 108; ++i) {
    v1::Job job;
    job.set_job(i);
    job.set_domain("domain-" + std::to_string(i));
    job.set_state(i == 70 ? "running" : i < 70 ? "succeeded" : "queued");
    jobs.push_back(job);
  }
  const std::vector<std::string> lines = LiveLines(jobs, Wide(60));
  EXPECT_THAT(lines, SizeIs(testing::Le(23u)));
  EXPECT_EQ(lines[0], "108 jobs: 1 running, 38 queued, 69 succeeded");
  EXPECT_THAT(lines[2], HasSubstr("domain-70"));
  EXPECT_THAT(lines[3], HasSubstr("domain-71"));
  EXPECT_EQ(lines.back(), "… and 88 more");
  EXPECT_EQ(lines.size() - 3 + 88, 108u);
}

TEST(JobTableTest, ValidationLossStandsBesideTheLossOn80Columns) {
  v1::Job job = Running();
  job.set_domain("house-dates");
  job.set_eval_loss(0.98765);
  const std::vector<std::string> lines = JobTable({job}).Render(Wide(80));
  EXPECT_THAT(lines[0], HasSubstr("LOSS    EVAL"));
  EXPECT_THAT(lines[1], HasSubstr("1.2346  0.9877"));
  for (int width = 40; width <= 200; ++width) {
    for (const std::string& line : JobTable({job}).Render(Wide(width))) {
      EXPECT_LE(DisplayWidth(line), width) << line;
    }
  }
}

TEST(ChangeFilterTest, StatesAndQuartersAreNewsAndEveryStepIsNot) {
  ChangeFilter filter;
  v1::Job job = Running();
  EXPECT_TRUE(filter.IsNews(job));
  EXPECT_FALSE(filter.IsNews(job));
  job.set_step(41);
  EXPECT_FALSE(filter.IsNews(job));
  job.set_step(80);
  EXPECT_TRUE(filter.IsNews(job));
  job.set_state("succeeded");
  EXPECT_TRUE(filter.IsNews(job));
}

TEST(JobTableTest, OneLineSaysWhatChanged) {
  EXPECT_EQ(OneLine(Running()),
            "archive-shelf-dates-of-the-central-library: running, step 40/160, loss 1.2346, "
            "on gpu-host-1, training");
  v1::Job failed;
  failed.set_domain("law");
  failed.set_state("failed");
  failed.set_reason("the loss is not a number");
  EXPECT_EQ(OneLine(failed), "law: failed, the loss is not a number");
}

}  // namespace
}  // namespace mozgach
