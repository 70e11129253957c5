// LossMean computes two comparable losses from the losses of single steps: the mean over a logging
// interval, and a running mean.
//
// The loss of one step depends on the rows of that step, so it is not comparable. Every mean here
// weights a step by its trained tokens, which makes it a mean over tokens.
//
// The interval's mean covers the steps since the last logged step, as in other trainers.
//
// The running mean after step t is S(t) / W(t), where n(t) is the number of trained tokens of step
// t:
//
//   S(t) = d(t) · S(t-1) + n(t) · loss(t)
//   W(t) = d(t) · W(t-1) + n(t)
//   d(t) = min((t-1) / (t+1), 63/64)
//
// It needs no correction at the beginning because d(1) = 0. With steps of equal size it covers
// (t+2) / 3 steps, about the last third of a short training, and at most 64. Trainings that differ
// in one setting are therefore ranked by their end, not by their beginning, independent of their
// length.
//
// A training checkpoint contains this value, so a resumed training reports the same means.
#pragma once

#include <cstdint>

namespace mozgach {

struct LossMean {
  double sum = 0;              // S
  double weight = 0;           // W; 0: no step yet
  double interval_sum = 0;     // sum of loss · tokens since the last logged step
  double interval_tokens = 0;  // 0: no step since then

  // Adds step `step` (1-based), which trained `tokens` tokens.
  void Add(int64_t step, double loss, int64_t tokens);
  // REQUIRES: weight > 0.
  double Running() const { return sum / weight; }
  // Ends the interval and returns its mean. REQUIRES: interval_tokens > 0.
  double TakeInterval();
};

}  // namespace mozgach
