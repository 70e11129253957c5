// The library's attention kernel for processors, forward and backward apart: what the forward pass
// gave can be kept outside of autograd, and used when the pass is run a second time.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace mozgach {

// What the kernel gave, call by call, for one second run.
class KeptAttention {
 public:
  struct Call {
    at::Tensor y;
    at::Tensor log_sum_exp;
  };

  bool second_run() const { return second_run_; }
  void BeginSecondRun() { second_run_ = true; }
  void Keep(Call call) { calls_.push_back(std::move(call)); }
  // The next of the calls that were kept; it is forgotten here.
  Call Next() { return std::exchange(calls_.at(next_++), {}); }

 private:
  std::vector<Call> calls_;
  size_t next_ = 0;
  bool second_run_ = false;
};

// q [documents, heads, length, head_dim], k and v [documents, kv_heads, keys, head_dim] on the CPU,
// in float32 → the same shape as q.  `mask` undefined: causal where `causal`, else whole; defined:
// additive, broadcast to [documents, heads, length, keys].  Linear in memory.  With `kept` a first
// run keeps what the kernel gives, and the second run takes it from there.  Differentiable.
at::Tensor FlashAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                          const at::Tensor& mask, bool causal, double scale, KeptAttention* kept);

}  // namespace mozgach
