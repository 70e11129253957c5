// What a training step computes a second time in its backward pass, so as not to keep it. Gradients
// are the same to the last bit whichever is chosen.
#pragma once

#include <cstdint>
#include <limits>

namespace mozgach {

enum class Recompute {
  kNothing,  // all activations are kept
  kCheap,    // norms, activation · up, rotation; what products and attention gave is kept
  kLayers,   // a layer's input only is kept, and the layer runs again
};

// Of kLayers: so many of the lowest that are trained run again, and those above compute again what
// is cheap.
inline constexpr int64_t kEveryLayer = std::numeric_limits<int64_t>::max();

// "nothing", "cheap", "layers".
inline const char* RecomputeName(Recompute recompute) {
  switch (recompute) {
    case Recompute::kNothing:
      return "nothing";
    case Recompute::kCheap:
      return "cheap";
    case Recompute::kLayers:
      break;
  }
  return "layers";
}

}  // namespace mozgach
