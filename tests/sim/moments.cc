#include "tests/sim/moments.h"

#include <algorithm>
#include <cstdio>

#include "failpoint/failpoint.h"
#include "tests/sim/disk.h"
#include "tests/sim/scratch.h"

namespace mozgach::sim {
namespace {

constexpr Milliseconds kChaos(1000);  // what is asked for comes at its start

void PassFailpoint(const Failpoint& point, bool taken) {
  if (Disk::Get().dead()) return;
  if (Moments::Get().Pass(taken ? "after" : "before", point.name())) Disk::Get().Die();
}

Outcome LiveOfOneJob(std::vector<int64_t> deaths) {
  Plan plan{.seed = 1, .hosts = 1, .chaos = kChaos};
  plan.items.push_back({.deed = Deed::kSubmit, .number = 1});
  Moments::Get().Watch(std::move(deaths));
  Outcome outcome = LiveInScratch(plan);
  if (outcome.violation.empty() && outcome.jobs > 1) outcome.violation = "a job was made twice";
  return outcome;
}

}  // namespace

Moments& Moments::Get() {
  static Moments moments;
  return moments;
}

void Moments::Watch(std::vector<int64_t> deaths) {
  watching_ = true;
  deaths_ = std::move(deaths);
  passed_.clear();
  WatchFailpoints(&PassFailpoint);
}

void Moments::Rest() {
  watching_ = false;
  WatchFailpoints(nullptr);
}

bool Moments::Pass(const char* who, const std::string& what) {
  if (!watching_) return false;
  passed_.push_back(std::string(who) + " " + what);
  return std::binary_search(deaths_.begin(), deaths_.end(), count());
}

PairsOutcome LiveThroughEveryPair(uint64_t shard, uint64_t shards, int64_t failures_max) {
  Moments& moments = Moments::Get();
  PairsOutcome sum;
  const auto live = [&](std::vector<int64_t> deaths) {
    const Outcome outcome = LiveOfOneJob(deaths);
    ++sum.lives;
    if (outcome.violation.empty()) return;
    ++sum.failed;
    std::printf("FAILED: %s\n", outcome.violation.c_str());
    for (const int64_t death : deaths) {
      if (death <= moments.count()) std::printf("  died %s\n", moments.Name(death).c_str());
    }
  };
  live({});
  sum.moments = moments.count();
  for (int64_t first = 1 + static_cast<int64_t>(shard); first <= sum.moments;
       first += static_cast<int64_t>(shards)) {
    int64_t second = first + 1;
    do {
      live({first, second});
    } while (++second <= moments.count() && sum.failed < failures_max);
    if (sum.failed >= failures_max) break;
  }
  moments.Rest();
  return sum;
}

}  // namespace mozgach::sim
