// A worker that is gone is removed from the list and from the metrics.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include "scheduler/http/metrics.h"
#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

class ForgetWorkerTest : public Fleet {
 protected:
  absl::Status Forget(const std::string& worker) {
    v1::ForgetWorkerRequest request;
    request.set_worker(worker);
    request.set_actor("me@here");
    return core_->ForgetWorker(now_, request);
  }
  int Workers() { return core_->ListWorkers(now_).workers_size(); }
  bool HasSeries(const std::string& worker) {
    for (const prometheus::MetricFamily& family : CollectFrom(*core_, now_)) {
      for (const prometheus::ClientMetric& metric : family.metric) {
        for (const auto& label : metric.label) {
          if (label.name == "worker" && label.value == worker) return true;
        }
      }
    }
    return false;
  }
};

TEST_F(ForgetWorkerTest, RemovesALostWorkerAndItsSeries) {
  TestWorker alpha("alpha"), beta("beta");
  Call(alpha);
  Pass(config_.lease + Milliseconds(1));
  Call(beta);
  EXPECT_TRUE(HasSeries("alpha"));
  EXPECT_TRUE(Forget("alpha").ok());
  EXPECT_EQ(Workers(), 1);
  EXPECT_FALSE(HasSeries("alpha"));
  EXPECT_TRUE(HasSeries("beta"));
  Restart();
  EXPECT_EQ(Workers(), 1);
}

TEST_F(ForgetWorkerTest, RefusesOneThatCallsOrHoldsALease) {
  SubmitOne("law");
  TestWorker alpha("alpha");
  Claim(alpha);
  const absl::Status calls = Forget("alpha");
  EXPECT_EQ(calls.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(calls.message()), HasSubstr("still calls"));
  EXPECT_EQ(Workers(), 1);
  EXPECT_EQ(State(1), "running");
}

TEST_F(ForgetWorkerTest, NamesTheWorkerThatWasMeant) {
  TestWorker alpha("alpha");
  Call(alpha);
  const absl::Status unknown = Forget("aplha");
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("did you mean 'alpha'?"));
}

TEST_F(ForgetWorkerTest, OneThatCallsAgainIsANewWorker) {
  TestWorker alpha("alpha");
  Call(alpha);
  Pass(config_.lease + Milliseconds(1));
  ASSERT_TRUE(Forget("alpha").ok());
  Call(alpha);
  EXPECT_EQ(Workers(), 1);
  SubmitOne("law");
  EXPECT_EQ(Claim(alpha).job(), 1);
}

}  // namespace
}  // namespace mozgach
