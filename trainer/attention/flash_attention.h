// libtorch's attention kernel for CPUs, with separate forward and backward. The results of the
// forward pass can be stored outside of autograd and used when the pass runs a second time.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace mozgach {

// The results of the kernel, call by call, for one second run.
class KeptAttention {
 public:
  struct Call {
    at::Tensor y;
    at::Tensor log_sum_exp;
  };

  bool second_run() const { return second_run_; }
  void BeginSecondRun() { second_run_ = true; }
  void Keep(Call call) { calls_.push_back(std::move(call)); }
  // Returns the next stored call and removes it.
  Call Next() { return std::exchange(calls_.at(next_++), {}); }

 private:
  std::vector<Call> calls_;
  size_t next_ = 0;
  bool second_run_ = false;
};

// q is [documents, heads, length, head_dim], k and v are [documents, kv_heads, keys, head_dim], in
// float32 on the CPU; returns the shape of q. If `mask` is undefined, attention is causal if
// `causal` is set, else complete. Otherwise `mask` is additive and is broadcast to [documents,
// heads, length, keys]. Linear in memory. If `kept` is not null, a first run stores the kernel's
// results there and the second run uses them. Differentiable.
at::Tensor FlashAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                          const at::Tensor& mask, bool causal, double scale, KeptAttention* kept);

}  // namespace mozgach
