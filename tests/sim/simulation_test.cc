// The simulation itself: a life is its seed and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <set>
#include <string>

#include "failpoint/failpoint.h"
#include "tests/sim/scratch.h"

namespace mozgach::sim {
namespace {

class SimulationTest : public ::testing::Test {
 protected:
  SimulationTest() { spdlog::set_level(spdlog::level::off); }
};

TEST_F(SimulationTest, SeedRunTwiceGivesTheSameTrace) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Outcome first = LiveInScratch(MakePlan(seed));
    const Outcome again = LiveInScratch(MakePlan(seed));
    EXPECT_EQ(first.trace, again.trace) << "seed " << seed;
    EXPECT_EQ(first.calls, again.calls) << "seed " << seed;
  }
}

TEST_F(SimulationTest, SeedsDiffer) {
  EXPECT_NE(LiveInScratch(MakePlan(1)).trace, LiveInScratch(MakePlan(2)).trace);
  EXPECT_NE(MakePlan(1).items, MakePlan(2).items);
}

// Otherwise all of it would prove little.
TEST_F(SimulationTest, MuchHappens) {
  Outcome sum;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    const Outcome outcome = LiveInScratch(MakePlan(seed));
    EXPECT_EQ(outcome.violation, "") << "seed " << seed;
    sum.jobs += outcome.jobs;
    sum.attempts += outcome.attempts;
    sum.stale_reports += outcome.stale_reports;
    sum.deaths += outcome.deaths;
    sum.restores += outcome.restores;
    sum.collected += outcome.collected;
  }
  EXPECT_GT(sum.jobs, 1000);
  EXPECT_GT(sum.attempts * 10, sum.jobs * 8) << "most jobs are tried, not only superseded";
  EXPECT_GT(sum.stale_reports, 100);
  EXPECT_GT(sum.deaths, 60);
  EXPECT_GT(sum.restores, 3);
  EXPECT_GT(sum.collected, 1000);
}

std::set<std::string> taken;

// A life cannot die at a step that it does not take.
TEST_F(SimulationTest, EveryDurableStepOfTheSchedulerIsTaken) {
  const std::set<std::string> elsewhere = {
      "registry.alias.displace",   // a person's file where a link belongs: registry_test
      "registry.alias.remove",     // the same
      "registry.alias.set",        // a person names a version: the power cuts
      "registry.database.settle",  // the database is in memory: the power cuts
      "registry.database.settle_name",
      "registry.database.sync",
      "registry.schema.migrate",      // once in a process: the power cuts
      "scheduler.old_log.take_away",  // no logs here: scheduler_upkeep_test
      "scheduler.backup.complete",    // backup and restore: scheduler_upkeep_test
      "scheduler.backup.sync_names",
      "scheduler.backup.write_manifest",
      "scheduler.database_copy.sync",
      "scheduler.database_copy.sync_name",
      "scheduler.file_copy.complete",
      "scheduler.file_copy.sync",
      "scheduler.restore.begin",
      "scheduler.restore.complete",
      "scheduler.base.add",             // bases are on the hosts: e2e.kill_sample_test
      "scheduler.endpoints.write",      // without sockets: e2e.kill_sample_test
      "scheduler.lease.hand_over",      // seldom: scheduler_test
      "scheduler.old_jobs.plan",        // jobs of an older schema: scheduler_test
      "scheduler.publication.abandon",  // seldom: scheduler_test
      "scheduler.submission.accept",    // hundreds of domains at once: staged_submission_test
      "scheduler.submission.add",
      "scheduler.submission.begin",
      "scheduler.submission.drop",
      "scheduler.submission.recover",
      "scheduler.token.write",    // no door here: e2e.kill_sample_test
      "scheduler.worker.forget",  // a person forgets a worker: forget_worker_test
  };
  WatchFailpoints([](const Failpoint& point, bool) { taken.insert(point.name()); });
  for (uint64_t seed = 1; seed <= 100; ++seed) (void)LiveInScratch(MakePlan(seed));
  WatchFailpoints(nullptr);
  for (const std::string& name : FailpointNames()) {
    if (name.rfind("worker.", 0) == 0) continue;
    EXPECT_TRUE(taken.count(name) > 0 || elsewhere.count(name) > 0) << name;
  }
}

TEST_F(SimulationTest, FleetThatNothingBefallsTrainsEverything) {
  Plan plan{.seed = 1, .hosts = 3, .chaos = Milliseconds(1000)};
  plan.items.push_back({.deed = Deed::kSubmit, .number = 20});
  const Outcome outcome = LiveInScratch(plan);
  EXPECT_EQ(outcome.violation, "");
  EXPECT_GT(outcome.jobs, 10);
  EXPECT_EQ(outcome.attempts, outcome.jobs);
  EXPECT_EQ(outcome.deaths, 0);
  EXPECT_EQ(outcome.stale_reports, 0);
}

}  // namespace
}  // namespace mozgach::sim
