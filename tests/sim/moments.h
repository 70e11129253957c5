// Moments are the moments of a life at which a program may die: either side of each durable step
// that the scheduler and its registry take (their failpoints), each thing that a worker is about to
// do, each thing that a trainer has said.  A program dies at the planned moments.
//
// A process has one list and one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mozgach::sim {

class Moments {
 public:
  static Moments& Get();

  // Counts from the start.  The program that passes one of the moments `deaths` dies there.  They
  // count from 1 and ascend.
  void Watch(std::vector<int64_t> deaths);
  // Stops counting.
  void Rest();

  // True: the caller dies here.
  bool Pass(const char* who, const std::string& what);

  int64_t count() const { return static_cast<int64_t>(passed_.size()); }
  // The `number`-th moment, such as "after registry.version.reveal".
  const std::string& Name(int64_t number) const { return passed_[static_cast<size_t>(number) - 1]; }

 private:
  bool watching_ = false;
  std::vector<int64_t> deaths_;
  std::vector<std::string> passed_;
};

// Plays lives of one job in which a program dies at two moments.  It takes every pair: each first
// moment with each second moment after it.  A shard takes every `shards`-th first moment, from
// `shard` on.
struct PairsOutcome {
  int64_t moments = 0;  // the moments of a life without faults
  int64_t lives = 0;
  int64_t failed = 0;
};
PairsOutcome LiveThroughEveryPair(uint64_t shard, uint64_t shards, int64_t failures_max);

}  // namespace mozgach::sim
