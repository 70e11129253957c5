// Dice are the only chance in a simulation.  Equal seeds give equal throws, on every machine.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/clock.h"

namespace mozgach::sim {

// Mixes two numbers into one that depends on every bit of both (the finalizer of splitmix64).
constexpr uint64_t Mix(uint64_t a, uint64_t b) {
  uint64_t mixed = a + 0x9e3779b97f4a7c15 * (b + 1);
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

constexpr uint64_t Mix(uint64_t a, std::string_view text) {
  for (const char c : text) a = Mix(a, static_cast<uint8_t>(c));
  return a;
}

class Dice {
 public:
  explicit Dice(uint64_t seed) : seed_(seed) {}

  uint64_t Next() { return Mix(seed_, throws_++); }
  // `low` … `high`, both possible.
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Next() % static_cast<uint64_t>(high - low + 1));
  }
  Milliseconds Between(Milliseconds low, Milliseconds high) {
    return Milliseconds(Between(low.count(), high.count()));
  }
  bool Chance(double probability) {
    return static_cast<double>(Next() >> 11) * 0x1.0p-53 < probability;
  }

 private:
  uint64_t seed_;
  uint64_t throws_ = 0;
};

}  // namespace mozgach::sim
