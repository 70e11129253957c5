// LossMean turns the losses of single steps into two that can be compared: the mean over a logging
// interval, and a running mean.
//
// The loss of one step says little: it depends on which rows the step had.  Every mean here weights
// a step by its trained tokens, so that it is a mean over tokens.
//
// The interval's mean is that of the steps since the last logged one, as other trainers log it.
//
// The running mean after step t is S(t) / W(t), where n(t) are the trained tokens of step t:
//
//   S(t) = d(t) · S(t-1) + n(t) · loss(t)
//   W(t) = d(t) · W(t-1) + n(t)
//   d(t) = min((t-1) / (t+1), 63/64)
//
// Because d(1) = 0, it needs no correction for its beginning.  With steps of equal size it looks
// back over (t+2) / 3 steps, about the last third of a short training, and over at most 64.  So it
// ranks trainings that differ in one setting by how they ended, not by how they began, whatever
// their length.
//
// A training checkpoint holds this value, so that a training that goes on shows the same.
#pragma once

#include <cstdint>

namespace mozgach {

struct LossMean {
  double sum = 0;              // S
  double weight = 0;           // W; 0: no step yet
  double interval_sum = 0;     // of loss · tokens, since the last logged step
  double interval_tokens = 0;  // 0: no step since then

  // Adds step `step` (1-based), in which `tokens` were trained.
  void Add(int64_t step, double loss, int64_t tokens);
  // REQUIRES: weight > 0.
  double Running() const { return sum / weight; }
  // Ends the interval and returns its mean.  REQUIRES: interval_tokens > 0.
  double TakeInterval();
};

}  // namespace mozgach
