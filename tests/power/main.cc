// power: a scheduler whose disk loses power, fails or is full.
//
//   power --lives 100 --from 1      lives of ten cuts and deaths each, at random calls
//   power --errors                  one life again and again: each of its calls fails, fails
//   although
//                                   it was done, or finds the disk full; then the power goes
//   --shard 0/2   every second      --must-fail   goes on until something does not hold
//
// Leaves with 1 when something did not hold; with --must-fail when everything did.
#include <spdlog/spdlog.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "CLI/CLI.hpp"
#include "tests/power/fleet_life.h"
#include "tests/power/power_disk.h"

namespace mozgach::power {
namespace {

namespace fs = std::filesystem;

constexpr int kCutsPerLife = 10;
constexpr uint64_t kCallsBetweenCuts = 400;
constexpr uint64_t kCallsOfAStart =
    50;  // what one does that follows a death is the likeliest to go wrong
constexpr int kFailuresMax = 5;
constexpr int kDeedsOfErrorLife = 14;
constexpr int64_t kCallsFull = 25;

struct Sum {
  int64_t lives = 0, cuts = 0, deaths = 0, errors = 0, acknowledged = 0, published = 0, failed = 0;

  void Add(const FleetLife& life) {
    ++lives;
    acknowledged += life.acknowledged();
    published += life.published();
    failed += life.sound() ? 0 : 1;
  }
};

class Scratch {
 public:
  Scratch() {
    const bool memory = ::access("/dev/shm", W_OK) == 0;
    std::string name =
        ((memory ? fs::path("/dev/shm") : fs::temp_directory_path()) / "mozgach-power-XXXXXX")
            .string();
    path_ = ::mkdtemp(name.data());
    PowerDisk::Get().Attach(path_);
  }
  ~Scratch() {
    PowerDisk::Get().Detach();
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void LiveThroughCuts(uint64_t seed, Sum& sum) {
  PowerDisk& disk = PowerDisk::Get();
  const Scratch scratch;
  FleetLife life(scratch.path(), seed);
  std::mt19937_64 dice(seed * 7919);
  bool soon = false;
  for (int i = 0; i < kCutsPerLife && life.sound(); ++i) {
    disk.Plan(Fault::kCut,
              static_cast<int64_t>(1 + dice() % (soon ? kCallsOfAStart : kCallsBetweenCuts)));
    while (!disk.off() && life.sound()) life.Step();
    if (!life.sound()) break;
    if (dice() % 3 == 0) {
      ++sum.deaths;
      soon = dice() % 2 == 0;
      life.Die();
    } else {
      ++sum.cuts;
      soon = false;
      life.LosePower(dice());
    }
  }
  if (life.sound()) life.Heal();
  if (!life.sound()) {
    std::printf("seed %llu FAILED: %s (last at %s)\n", static_cast<unsigned long long>(seed),
                life.violation().c_str(), disk.struck().c_str());
  }
  sum.Add(life);
}

// False: the life has no such call.
bool LiveWithError(Fault fault, int64_t call, Sum& sum) {
  PowerDisk& disk = PowerDisk::Get();
  const Scratch scratch;
  FleetLife life(scratch.path(), 1);
  disk.Plan(fault, call, kCallsFull);
  for (int i = 0; i < kDeedsOfErrorLife && life.sound(); ++i) life.Step();
  const bool there = !disk.struck().empty();
  const std::string struck = disk.struck();
  // What was said to have worked since then has to outlive a cut, too.
  std::mt19937_64 dice(static_cast<uint64_t>(call));
  disk.PlanNothing();
  if (life.sound()) life.LosePower(dice());
  if (life.sound()) life.Heal();
  if (!life.sound()) {
    std::printf("%s at call %lld (%s) FAILED: %s\n", fault == Fault::kFull ? "full disk" : "error",
                static_cast<long long>(call), struck.c_str(), life.violation().c_str());
  }
  ++sum.errors;
  sum.Add(life);
  return there;
}

struct Arguments {
  uint64_t lives = 100;
  uint64_t from = 1;
  bool errors = false;
  bool must_fail = false;
  std::string shard = "0/1";
};

int Run(const Arguments& arguments, uint64_t index, uint64_t count) {
  const auto start = std::chrono::steady_clock::now();
  const int failures_max = arguments.must_fail ? 1 : kFailuresMax;
  Sum sum;
  if (arguments.errors) {
    for (const Fault fault : {Fault::kError, Fault::kErrorAfter, Fault::kFull}) {
      for (uint64_t call = 1 + index; sum.failed < failures_max; call += count) {
        if (!LiveWithError(fault, static_cast<int64_t>(call), sum)) break;
      }
    }
  } else {
    for (uint64_t i = index; i < arguments.lives && sum.failed < failures_max; i += count) {
      LiveThroughCuts(arguments.from + i, sum);
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf(
      "%lld lives in %.1f s: %lld cuts, %lld deaths, %lld errors, %lld acknowledged, "
      "%lld of them versions; %lld failed\n",
      static_cast<long long>(sum.lives), took.count(), static_cast<long long>(sum.cuts),
      static_cast<long long>(sum.deaths), static_cast<long long>(sum.errors),
      static_cast<long long>(sum.acknowledged), static_cast<long long>(sum.published),
      static_cast<long long>(sum.failed));
  return (sum.failed == 0) == arguments.must_fail ? 1 : 0;
}

}  // namespace
}  // namespace mozgach::power

int main(int argc, char** argv) {
  spdlog::set_level(spdlog::level::off);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  mozgach::power::Arguments arguments;
  CLI::App app("A scheduler whose disk loses power.");
  app.add_option("--lives", arguments.lives, "how many");
  app.add_option("--from", arguments.from, "the first seed");
  app.add_option("--shard", arguments.shard, "0/2: the first of two processes");
  app.add_flag("--errors", arguments.errors, "calls that fail instead of cuts");
  app.add_flag("--must-fail", arguments.must_fail, "something wrong is to be found");
  CLI11_PARSE(app, argc, argv);
  unsigned long long index = 0, count = 0;
  if (std::sscanf(arguments.shard.c_str(), "%llu/%llu", &index, &count) != 2 || index >= count) {
    std::fprintf(stderr, "--shard is like 0/2\n");
    return 2;
  }
  return mozgach::power::Run(arguments, index, count);
}
