// Selects the results that a training step recomputes in its backward pass instead of saving them.
// The gradients are bit-identical for every choice.
#pragma once

#include <cstdint>
#include <limits>

namespace mozgach {

enum class Recompute {
  kNothing,  // saves all activations
  // Recomputes norms, activation · up and rotation; saves the results of products and attention.
  kCheap,
  kLayers,  // saves only a layer's input and runs the layer again
};

// For kLayers, recomputed_layers counts the layers that run again, starting with the lowest trained
// one. The layers above them recompute as with kCheap. This value: every layer.
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
