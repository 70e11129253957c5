#include "planner/linear_trace.h"

#include <algorithm>

namespace mozgach {
namespace {

using enum MemoryLine;

LinearGroup GroupOf(const ModelConfig& config, std::vector<Projection> projections) {
  LinearGroup group;
  for (const Projection projection : projections) {
    const auto [out, in] = ProjectionShape(config, projection);
    group.in = in;
    group.rows += out;
    group.largest_part = std::max(group.largest_part, out * in);
  }
  group.projections = std::move(projections);
  return group;
}

}  // namespace

LinearGroups::LinearGroups(const ModelConfig& config)
    : qkv(GroupOf(config, {Projection::kQ, Projection::kK, Projection::kV})),
      output(GroupOf(config, {Projection::kO})),
      gate_up(GroupOf(config, {Projection::kGate, Projection::kUp})),
      down(GroupOf(config, {Projection::kDown})) {}

int64_t LinearTrace::Parts(int64_t layer, const LinearGroup& group) const {
  return std::count_if(group.projections.begin(), group.projections.end(),
                       [&](Projection p) { return adapter_.Adapts(layer, p); });
}

bool LinearTrace::Adapted(int64_t layer, const LinearGroup& group) const {
  return Parts(layer, group) > 0;
}

bool LinearTrace::Merges(int64_t layer, const LinearGroup& group, int64_t tokens) const {
  return Adapted(layer, group) && setup_.dropout == 0 && setup_.element == 4 &&
         group.elements() < tokens * (group.rows + group.in);
}

// The scales of one part are made float32 while its codes are read.
void LinearTrace::Dequantize(const LinearGroup& group) {
  if (setup_.quantize && setup_.double_quant) {
    memory_.Touch(kWorking, group.largest_part / 64 * 4);
  }
}

void LinearTrace::Forward(int64_t layer, const LinearGroup& group, int64_t tokens, MemoryLine y) {
  Dequantize(group);
  memory_.Take(y, tokens * group.rows * setup_.element);
  const int64_t parts = Parts(layer, group);
  if (parts == 0 || Merges(layer, group, tokens)) return;
  if (setup_.dropout > 0) return ForwardWithDropout(group, tokens);
  const int64_t ranks = parts * adapter_.rank;
  const Held inner(memory_, kWorking, tokens * ranks * setup_.element);
  const int64_t joined = parts > 1 ? ranks * group.in * 4 : 0;
  const int64_t converted = setup_.element == 2 ? ranks * group.in * 2 : 0;
  memory_.Touch(kWorking, joined + converted);
}

void LinearTrace::ForwardWithDropout(const LinearGroup& group, int64_t tokens) {
  const int64_t x = tokens * group.in * setup_.element;
  // The mask is drawn in float32 and converted where the type is another.
  if (setup_.element == 2) memory_.Touch(kWorking, x + 2 * x);
  memory_.Touch(kWorking, 2 * x + tokens * adapter_.rank * setup_.element);
}

void LinearTrace::Backward(int64_t layer, const LinearGroup& group, int64_t tokens, bool want_x,
                           bool has_gradients) {
  Dequantize(group);
  if (want_x) memory_.Take(kWorking, tokens * group.in * setup_.element);
  const int64_t parts = Parts(layer, group);
  if (parts == 0) return;
  if (setup_.dropout > 0) {
    BackwardWithDropout(group, tokens, want_x);
  } else {
    const int64_t ranks = parts * adapter_.rank;
    const bool copied = parts > 1 || setup_.element == 2;
    const int64_t stacked = copied ? ranks * group.in * setup_.element : 0;
    memory_.Touch(kWorking, stacked + 2 * tokens * ranks * setup_.element);
  }
  int64_t numbers = 0;
  for (const Projection projection : group.projections) {
    if (adapter_.Adapts(layer, projection)) numbers += adapter_.Parameters(config_, projection);
  }
  if (has_gradients) {
    memory_.Touch(kWorking, 4 * numbers);
  } else {
    memory_.Take(MemoryLine::kGradients, 4 * numbers);
  }
}

void LinearTrace::BackwardWithDropout(const LinearGroup& group, int64_t tokens, bool want_x) {
  const int64_t x = tokens * group.in * setup_.element;
  if (setup_.element == 2) memory_.Touch(kWorking, x + 2 * x);
  // Mask, what it leaves of x, and where x wants a gradient the part that goes back through it.
  memory_.Touch(kWorking, (want_x ? 3 : 2) * x + 2 * tokens * adapter_.rank * setup_.element);
}

}  // namespace mozgach
