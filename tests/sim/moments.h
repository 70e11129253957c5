// Moments are those of a life at which somebody may die: either side of each durable step that the
// scheduler and its registry take (their failpoints), each thing that a worker is about to do, each
// thing that a trainer has said.  Somebody dies at the ones that are planned.
//
// There is one list in a process, and one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mozgach::sim {

class Moments {
 public:
  static Moments& Get();

  // Counts anew; whoever passes the `deaths`, from 1 and ascending, dies there.
  void Watch(std::vector<int64_t> deaths);
  // Nothing is counted any more.
  void Rest();

  // True: die here.
  bool Pass(const char* who, const std::string& what);

  int64_t count() const { return static_cast<int64_t>(passed_.size()); }
  // What the `number`-th was: "after registry.version.reveal".
  const std::string& Name(int64_t number) const { return passed_[static_cast<size_t>(number) - 1]; }

 private:
  bool watching_ = false;
  std::vector<int64_t> deaths_;
  std::vector<std::string> passed_;
};

// Lives of one job in which somebody dies at two moments, every pair of them: every first with
// every second that comes after it.  Every `shards`-th first, from `shard` on.
struct PairsOutcome {
  int64_t moments = 0;  // of a life that nothing befalls
  int64_t lives = 0;
  int64_t failed = 0;
};
PairsOutcome LiveThroughEveryPair(uint64_t shard, uint64_t shards, int64_t failures_max);

}  // namespace mozgach::sim
