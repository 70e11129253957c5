#include "scheduler/http/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <regex>

#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class MetricsTest : public Fleet {
 protected:
  std::string Scrape() { return prometheus::TextSerializer().Serialize(CollectFrom(*core_, now_)); }
};

TEST_F(MetricsTest, TellJobsWorkersAndWhatRuns) {
  SubmitOne("law");
  SubmitOne("medicine");
  TestWorker alpha("alpha");
  v1::AttemptReport& report = alpha.Reports(Claim(alpha));
  report.mutable_progress()->set_step(5);
  report.mutable_progress()->set_steps(20);
  report.mutable_progress()->set_loss(1.5);
  report.mutable_progress()->set_step_loss(0.75);
  report.mutable_progress()->set_eval_loss(1.25);
  report.mutable_progress()->set_tokens_per_second(1000);
  alpha.request.set_base_loads(1);
  Call(alpha);
  const std::string text = Scrape();
  for (const char* line :
       {"mozgach_jobs{state=\"queued\"} 1\n", "mozgach_jobs{state=\"running\"} 1\n",
        "mozgach_jobs_submitted_total 2\n", "mozgach_base_loads_total 1\n",
        "mozgach_workers{state=\"up\"} 1\n", "mozgach_worker_up{worker=\"alpha\"} 1\n",
        "mozgach_worker_last_call_timestamp_seconds{worker=\"alpha\"} 1700000000\n",
        "mozgach_job_progress_ratio{domain=\"law\"} 0.25\n", "mozgach_job_step{domain=\"law\"} 5\n",
        "mozgach_job_loss{domain=\"law\"} 1.5\n", "mozgach_job_step_loss{domain=\"law\"} 0.75\n",
        "mozgach_job_eval_loss{domain=\"law\"} 1.25\n",
        "mozgach_job_tokens_per_second{domain=\"law\"} 1000\n",
        "mozgach_device_memory_total_bytes{worker=\"alpha\",device=\"cpu\"} 1000\n",
        "mozgach_job_queue_wait_seconds_count 1\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(MetricsTest, SeriesOfAJobGoWhenItEnds) {
  SubmitOne("law");
  TestWorker alpha("alpha");
  RunOne(alpha);
  const std::string text = Scrape();
  EXPECT_THAT(text, Not(HasSubstr("domain=\"law\"")));
  EXPECT_THAT(text, HasSubstr("mozgach_jobs{state=\"succeeded\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("mozgach_jobs_finished_total{result=\"succeeded\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("mozgach_job_attempts_total{class=\"succeeded\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("mozgach_publish_total{result=\"published\"} 1\n"));
}

TEST_F(MetricsTest, SupersededJobThatStillStopsDoublesNoSeries) {
  Submit({Domain("law")});
  TestWorker alpha("alpha"), beta("beta");
  alpha.Reports(Claim(alpha));
  Submit({Domain("law", kTiny, 50, "other rows")});
  beta.Reports(Claim(beta));
  const std::string text = Scrape();
  const std::string line = "mozgach_job_step{domain=\"law\"}";
  ASSERT_NE(text.find(line), std::string::npos);
  EXPECT_EQ(text.find(line), text.rfind(line));
}

TEST_F(MetricsTest, NamesFollowPrometheusRules) {
  SubmitOne("law");
  TestWorker alpha("alpha");
  Claim(alpha);
  for (const prometheus::MetricFamily& family : CollectFrom(*core_, now_)) {
    EXPECT_TRUE(std::regex_match(family.name, std::regex("mozgach_[a-z_]+"))) << family.name;
    EXPECT_FALSE(family.help.empty()) << family.name;
    const bool total =
        family.name.size() > 6 && family.name.substr(family.name.size() - 6) == "_total";
    EXPECT_EQ(total, family.type == prometheus::MetricType::Counter) << family.name;
  }
}

TEST(HistogramTest, CountsAtOrBelowEachBound) {
  Histogram histogram({1, 10});
  for (const double value : {0.5, 1.0, 5.0, 100.0}) histogram.Observe(value);
  EXPECT_THAT(histogram.counts, ::testing::ElementsAre(2, 1, 1));
  EXPECT_DOUBLE_EQ(histogram.sum, 106.5);
}

}  // namespace
}  // namespace mozgach
