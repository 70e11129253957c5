// Rotary embedding and the copy of heads into blocks as loops over rows on a CPU, forward and
// backward. Computes in float32 for any storage type of rows and heads (float or c10::BFloat16).
// Rows are contiguous and follow each other in memory; at::get_num_threads() threads share the
// work.
#pragma once

#include <cstdint>

#include "trainer/kernels/head_layout.h"

namespace mozgach {

// Rotates q and k by the angles of their position, halves paired (Su et al., 2021; Llama's layout),
// and separates q, k and v of each row: qkv row token_of_slot[s] goes to slot s of q, k and v. A
// slot with a negative token becomes zeros. cos, sin [positions, head_dim / 2].
template <typename T, typename H>
void SplitHeads(const T* qkv, const HeadLayout& layout, const int64_t* token_of_slot,
                const int64_t* position_of_token, int64_t slots, const float* cos, const float* sin,
                H* q, H* k, H* v);

// The inverse of SplitHeads() for gradients. Writes the rows of tokens that have a slot.
template <typename T, typename H>
void JoinHeadGradients(const H* grad_q, const H* grad_k, const H* grad_v, const HeadLayout& layout,
                       const int64_t* token_of_slot, const int64_t* position_of_token,
                       int64_t slots, const float* cos, const float* sin, T* grad_qkv);

}  // namespace mozgach
