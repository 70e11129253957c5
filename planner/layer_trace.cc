#include "planner/layer_trace.h"

namespace mozgach {
namespace {

using enum MemoryLine;

MemoryLine Kept(bool kept) { return kept ? kActivations : kWorking; }

}  // namespace

// Whether attention's result by head is its result by token.
bool LayerTrace::JoinsInPlace(const AttentionMemory& heads) const {
  return shape_.in_order && !heads.copied &&
         setup_.attention_element(config_.head_dim) == setup_.element;
}

int64_t LayerTrace::HeadRstd() const {
  return shape_.tokens * (config_.num_attention_heads + config_.num_key_value_heads) * 4;
}

LayerTrace::Flow LayerTrace::FlowOf(int64_t layer, Needs needs) const {
  const auto adapted = [&](const LinearGroup& group) {
    return needs.gradients && linear_.Adapted(layer, group);
  };
  Flow flow{};
  flow.qkv = needs.gradients && (needs.x || adapted(groups_.qkv));
  flow.attention = flow.qkv || adapted(groups_.output);
  flow.gate_up = flow.attention || adapted(groups_.gate_up);
  flow.mlp = flow.gate_up || adapted(groups_.down);
  flow.keep_normed = adapted(groups_.qkv);
  flow.keep_qkv = flow.qkv && HeadNorms();
  flow.keep_split = flow.qkv;
  flow.keep_attended_heads = adapted(groups_.output);
  flow.keep_attended = flow.attention;
  flow.keep_mlp_normed = adapted(groups_.gate_up);
  flow.keep_gate_up = flow.gate_up;
  flow.keep_act = adapted(groups_.down);
  return flow;
}

void LayerTrace::Forward(int64_t layer, Needs needs, MemoryLine result) {
  const Flow flow = FlowOf(layer, needs);
  const bool keep_attention = OutputNorms() && flow.attention;
  ForwardAttention(layer, needs, flow, Kept(keep_attention));
  // The sum with x; attention's own result lives to the layer's end.
  if (OutputNorms()) {
    memory_.Touch(kWorking, 2 * Row());
    if (flow.attention) memory_.Take(kActivations, 4 * shape_.tokens);
  }
  memory_.Take(Kept(flow.keep_attended), Row());
  ForwardMlp(layer, flow, result);
  if (!flow.keep_attended) memory_.Give(kWorking, Row());
  if (!keep_attention) memory_.Give(kWorking, Row());
}

void LayerTrace::ForwardAttention(int64_t layer, Needs needs, const Flow& flow, MemoryLine result) {
  memory_.Take(Kept(flow.keep_normed), Row());
  if (needs.gradients && needs.x) memory_.Take(kActivations, 4 * shape_.tokens);
  linear_.Forward(layer, groups_.qkv, shape_.tokens, Kept(flow.keep_qkv));
  if (HeadNorms()) {
    memory_.Take(kWorking, QkvBytes());
    if (flow.keep_qkv) {
      memory_.Take(kActivations, HeadRstd());
    } else {
      memory_.Give(kWorking, QkvBytes());
    }
  }
  const AttentionMemory heads = AttentionOf(config_, layer, shape_, setup_);
  ForwardHeads(heads, flow);
  linear_.Forward(layer, groups_.output, shape_.tokens, result);
  memory_.Give(kWorking, QkvBytes());
  if (!flow.keep_attended_heads && !(JoinsInPlace(heads) && flow.keep_split)) {
    memory_.Give(kWorking, JoinsInPlace(heads)
                               ? heads.result
                               : Rows(config_.num_attention_heads * config_.head_dim));
  }
  if (!flow.keep_normed) memory_.Give(kWorking, Row());
}

void LayerTrace::ForwardHeads(const AttentionMemory& heads, const Flow& flow) {
  const bool keeps = flow.keep_split;
  const int64_t keys = heads.split - heads.queries;
  const bool queries_kept = keeps && !heads.padded;
  const bool keys_kept = queries_kept && heads.repeated == 0;
  memory_.Take(Kept(queries_kept), heads.queries);
  memory_.Take(Kept(keys_kept), keys);
  memory_.Take(Kept(keeps), heads.folded + heads.repeated);
  memory_.Take(Kept(keeps || (flow.keep_attended_heads && JoinsInPlace(heads))), heads.result);
  memory_.Take(Kept(keeps), heads.rows);
  memory_.Touch(kAttention, heads.forward_work);
  if (!JoinsInPlace(heads)) {
    // Blocks are laid end to end, their tokens picked, and turned into the compute type.
    const bool wide = setup_.attention_element(config_.head_dim) != setup_.element;
    if (!shape_.in_order || heads.copied) memory_.Touch(kWorking, (wide ? 2 : 1) * heads.result);
    memory_.Take(Kept(flow.keep_attended_heads),
                 Rows(config_.num_attention_heads * config_.head_dim));
  }
  if (!keys_kept) memory_.Give(kWorking, keys);
  if (!queries_kept) memory_.Give(kWorking, heads.queries);
  if (keeps) return;
  memory_.Give(kWorking, heads.folded + heads.repeated + heads.rows);
  if (!JoinsInPlace(heads)) memory_.Give(kWorking, heads.result);
}

void LayerTrace::ForwardMlp(int64_t layer, const Flow& flow, MemoryLine result) {
  const int64_t act = Rows(config_.intermediate_size);
  memory_.Take(Kept(flow.keep_mlp_normed), Row());
  if (flow.attention) memory_.Take(kActivations, 4 * shape_.tokens);
  linear_.Forward(layer, groups_.gate_up, shape_.tokens, Kept(flow.keep_gate_up));
  if (!flow.keep_mlp_normed) memory_.Give(kWorking, Row());
  memory_.Take(Kept(flow.keep_act), act);
  const bool keep_mlp = OutputNorms() && flow.mlp;
  linear_.Forward(layer, groups_.down, shape_.tokens, Kept(keep_mlp));
  if (!flow.keep_act) memory_.Give(kWorking, act);
  if (OutputNorms()) {
    memory_.Take(kWorking, Row());
    if (keep_mlp) memory_.Take(kActivations, 4 * shape_.tokens);
  }
  memory_.Take(result, Row());
  if (OutputNorms()) memory_.Give(kWorking, Row());
  if (!keep_mlp) memory_.Give(kWorking, Row());
  if (!flow.keep_gate_up) memory_.Give(kWorking, 2 * act);
}

void LayerTrace::BackwardNorm() {
  memory_.Take(kWorking, Row());
  memory_.Give(kWorking, Row());
}

void LayerTrace::Backward(int64_t layer, Needs needs, bool has_gradients) {
  const Flow flow = FlowOf(layer, needs);
  if (flow.mlp) BackwardMlp(layer, flow, has_gradients);
  if (flow.attention) BackwardAttention(layer, needs, flow, has_gradients);
}

// The gradient of the result is held all the while: it is also that of what the mlp was added to.
void LayerTrace::BackwardMlp(int64_t layer, const Flow& flow, bool has_gradients) {
  const int64_t act = Rows(config_.intermediate_size);
  if (OutputNorms()) {
    memory_.Take(kWorking, Row());
    memory_.Give(kActivations, Row() + 4 * shape_.tokens);
  }
  linear_.Backward(layer, groups_.down, shape_.tokens, flow.gate_up, has_gradients);
  if (flow.keep_act) memory_.Give(kActivations, act);
  if (OutputNorms()) memory_.Give(kWorking, Row());
  if (!flow.gate_up) return;
  memory_.Take(kWorking, 2 * act);
  memory_.Give(kActivations, 2 * act);
  memory_.Give(kWorking, act);
  linear_.Backward(layer, groups_.gate_up, shape_.tokens, flow.attention, has_gradients);
  memory_.Give(kWorking, 2 * act);
  if (flow.keep_mlp_normed) memory_.Give(kActivations, Row());
  if (!flow.attention) return;
  BackwardNorm();
  memory_.Give(kActivations, Row() + 4 * shape_.tokens);
  memory_.Give(kWorking, Row());
}

void LayerTrace::BackwardAttention(int64_t layer, Needs needs, const Flow& flow,
                                   bool has_gradients) {
  if (OutputNorms()) {
    memory_.Take(kWorking, Row());
    memory_.Give(kActivations, Row() + 4 * shape_.tokens);
  }
  linear_.Backward(layer, groups_.output, shape_.tokens, flow.qkv, has_gradients);
  if (OutputNorms()) memory_.Give(kWorking, Row());
  const AttentionMemory heads = AttentionOf(config_, layer, shape_, setup_);
  if (flow.keep_attended_heads) {
    if (!JoinsInPlace(heads)) {
      memory_.Give(kActivations, Rows(config_.num_attention_heads * config_.head_dim));
    } else if (!flow.keep_split) {
      memory_.Give(kActivations, heads.result);
    }
  }
  if (!flow.qkv) return;
  BackwardHeads(layer);
  if (HeadNorms()) {
    memory_.Take(kWorking, QkvBytes());
    memory_.Give(kActivations, QkvBytes() + HeadRstd());
    memory_.Give(kWorking, QkvBytes());
  }
  linear_.Backward(layer, groups_.qkv, shape_.tokens, needs.x, has_gradients);
  if (flow.keep_normed) memory_.Give(kActivations, Row());
  memory_.Give(kWorking, QkvBytes());
  if (!needs.x) return;
  BackwardNorm();
  memory_.Give(kActivations, 4 * shape_.tokens);
  memory_.Give(kWorking, Row());
}

// From the gradient of attention's result by token to that of qkv.
void LayerTrace::BackwardHeads(int64_t layer) {
  const AttentionMemory heads = AttentionOf(config_, layer, shape_, setup_);
  const int64_t by_token = Rows(config_.num_attention_heads * config_.head_dim);
  const int64_t keys = heads.split - heads.queries;
  if (!JoinsInPlace(heads)) {
    memory_.Take(kWorking, heads.result);
    memory_.Give(kWorking, by_token);
  }
  memory_.Take(kWorking, heads.gradients);
  memory_.Touch(kAttention, heads.backward_work);
  const bool keys_kept = heads.repeated == 0 && !heads.padded;
  memory_.Give(kActivations, (heads.padded ? 0 : heads.queries) + (keys_kept ? keys : 0) +
                                 heads.folded + heads.repeated + heads.result + heads.rows);
  memory_.Give(kWorking, heads.result);
  const int64_t sums = heads.summed || heads.folded > 0 ? keys : 0;
  memory_.Take(kWorking, sums);
  memory_.Take(kWorking, QkvBytes());
  memory_.Give(kWorking, heads.gradients + sums);
}

}  // namespace mozgach
