#include "planner/memory_line.h"

namespace mozgach {
namespace {

struct Words {
  const char* name;
  const char* title;
};

constexpr std::array<Words, kMemoryLines> kWords = {{
    {"quantised_weights", "quantised weights"},
    {"scales", "their scales"},
    {"dense_weights", "dense weights, norms, biases"},
    {"head", "head"},
    {"embedding", "embedding"},
    {"dequantisation_buffer", "dequantisation buffer"},
    {"adapter", "adapter"},
    {"gradients", "gradients"},
    {"optimizer", "optimizer"},
    {"activations", "activations"},
    {"attention", "attention workspace"},
    {"loss_chunk", "loss chunk"},
    {"working_tensors", "working tensors"},
    {"evaluation", "evaluation, beyond that"},
    {"runtime", "runtime"},
}};

}  // namespace

const char* NameOf(MemoryLine line) { return kWords[static_cast<size_t>(line)].name; }
const char* TitleOf(MemoryLine line) { return kWords[static_cast<size_t>(line)].title; }

}  // namespace mozgach
