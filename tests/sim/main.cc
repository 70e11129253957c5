// sim: lives of simulated fleets, one for each seed.
//
//   sim --seeds 1000 --from 1     a thousand of them; says which fail, and how to see it again
//   sim --from 17 --trace         one, step by step
//   sim --from 17 --shrink        the smallest part of its plan that still fails
//   sim --until-jobs 50000 --shard 0/2     every second seed, as many as it takes for so many lives
//                                          of jobs; $MOZGACH_SIM_SEEDS and $MOZGACH_SIM_FROM, where
//                                          set, say which seeds instead (tests/run --seeds N --from
//                                          S)
//   sim --seeds 1000 --must-fail  goes on until one fails
//   sim --pairs --shard 0/2       one job, again and again: somebody dies at each pair of its
//   moments
//
// Leaves with 1 when something did not hold; with --must-fail when everything did.
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdio>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "tests/sim/moments.h"
#include "tests/sim/scratch.h"
#include "tests/sim/shrink.h"

namespace mozgach::sim {
namespace {

constexpr int64_t kFailuresMax = 10;  // more would be more of the same

struct Arguments {
  uint64_t seeds = 1;
  uint64_t from = 1;
  std::string shard = "0/1";
  int64_t until_jobs = 0;
  bool trace = false;
  bool shrink = false;
  bool must_fail = false;
  bool pairs = false;
};

// "0/2": the first of two.
struct Shard {
  uint64_t index = 0;
  uint64_t count = 1;

  bool Parse(const std::string& text) {
    const std::vector<std::string> parts = absl::StrSplit(text, '/');
    return parts.size() == 2 && absl::SimpleAtoi(parts[0], &index) &&
           absl::SimpleAtoi(parts[1], &count) && index < count;
  }
};

struct Sum {
  int64_t lives = 0, jobs = 0, attempts = 0, calls = 0, stale = 0, restores = 0, deaths = 0;
  double simulated_seconds = 0;
  uint64_t trace = 0;

  void Add(const Outcome& outcome) {
    ++lives;
    jobs += outcome.jobs;
    attempts += outcome.attempts;
    calls += outcome.calls;
    stale += outcome.stale_reports;
    restores += outcome.restores;
    deaths += outcome.deaths;
    simulated_seconds += outcome.simulated_seconds;
    trace = Mix(trace, outcome.trace);
  }
};

void ShowFailure(const Plan& plan, const Outcome& outcome, const Arguments& arguments) {
  std::printf("seed %llu FAILED: %s\n", static_cast<unsigned long long>(plan.seed),
              outcome.violation.c_str());
  if (!arguments.shrink) {
    std::printf("  again: sim --from %llu --trace; smaller: sim --from %llu --shrink\n",
                static_cast<unsigned long long>(plan.seed),
                static_cast<unsigned long long>(plan.seed));
    return;
  }
  const Plan smallest = Shrink(plan, outcome.violation);
  std::printf("shrunk from %zu to %zu items\n%s", plan.items.size(), smallest.items.size(),
              Show(smallest).c_str());
  const Outcome again = LiveInScratch(smallest, true);
  std::printf("%s\n", again.violation.c_str());
}

int RunPairs(const Arguments& arguments, const Shard& shard) {
  const auto start = std::chrono::steady_clock::now();
  const PairsOutcome sum =
      LiveThroughEveryPair(shard.index, shard.count, arguments.must_fail ? 1 : kFailuresMax);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf(
      "%lld moments in the life of a job, %lld lives with two deaths in %.1f s; %lld failed\n",
      static_cast<long long>(sum.moments), static_cast<long long>(sum.lives), took.count(),
      static_cast<long long>(sum.failed));
  return (sum.failed == 0) == arguments.must_fail ? 1 : 0;
}

int Run(const Arguments& arguments, const Shard& shard) {
  const auto start = std::chrono::steady_clock::now();
  Sum sum;
  int64_t failures = 0;
  for (uint64_t i = shard.index;
       arguments.until_jobs > 0 ? sum.jobs < arguments.until_jobs : i < arguments.seeds;
       i += shard.count) {
    const Plan plan = MakePlan(arguments.from + i);
    if (arguments.trace) std::printf("%s", Show(plan).c_str());
    const Outcome outcome = LiveInScratch(plan, arguments.trace);
    sum.Add(outcome);
    if (outcome.violation.empty()) continue;
    ++failures;
    ShowFailure(plan, outcome, arguments);
    if (failures >= kFailuresMax || arguments.must_fail) break;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf(
      "%lld lives of fleets, %lld of jobs in %.1f s (%.0f/s): %lld attempts, %lld calls, "
      "%lld stale reports, %lld deaths of the scheduler, %lld restores, %.1f days; "
      "trace %016llx; %lld failed\n",
      static_cast<long long>(sum.lives), static_cast<long long>(sum.jobs), took.count(),
      static_cast<double>(sum.jobs) / took.count(), static_cast<long long>(sum.attempts),
      static_cast<long long>(sum.calls), static_cast<long long>(sum.stale),
      static_cast<long long>(sum.deaths), static_cast<long long>(sum.restores),
      sum.simulated_seconds / 86400, static_cast<unsigned long long>(sum.trace),
      static_cast<long long>(failures));
  return (failures == 0) == arguments.must_fail ? 1 : 0;
}

}  // namespace
}  // namespace mozgach::sim

int main(int argc, char** argv) {
  spdlog::set_level(spdlog::level::off);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  mozgach::sim::Arguments arguments;
  CLI::App app("Lives of simulated fleets.");
  const auto* seeds =
      app.add_option("--seeds", arguments.seeds, "how many")->envname("MOZGACH_SIM_SEEDS");
  app.add_option("--from", arguments.from, "the first seed")->envname("MOZGACH_SIM_FROM");
  app.add_option("--shard", arguments.shard,
                 "0/2: the first of two processes that share the seeds");
  app.add_option("--until-jobs", arguments.until_jobs, "go on until so many jobs have lived");
  app.add_flag("--trace", arguments.trace, "say every step");
  app.add_flag("--shrink", arguments.shrink, "look for the smallest plan that fails");
  app.add_flag("--must-fail", arguments.must_fail, "something wrong is to be found");
  app.add_flag("--pairs", arguments.pairs, "one job, in which somebody dies twice");
  CLI11_PARSE(app, argc, argv);
  mozgach::sim::Shard shard;
  if (!shard.Parse(arguments.shard)) {
    std::fprintf(stderr, "--shard is like 0/2\n");
    return 2;
  }
  if (arguments.pairs) return mozgach::sim::RunPairs(arguments, shard);
  if (seeds->count() > 0 && !arguments.must_fail) arguments.until_jobs = 0;
  return mozgach::sim::Run(arguments, shard);
}
