// The elementwise parts of a decoder layer as loops over rows on a CPU, forward and backward, in
// float32 whatever the rows are stored in (float or c10::BFloat16).  Rows are contiguous and lie
// one behind another; the loops are spread over at::get_num_threads() threads.
#pragma once

#include <cstdint>

namespace mozgach {

// RMSNorm (Zhang and Sennrich, 2019) as Llama has it: y = weight · round(x · rstd) with
// rstd = 1 / sqrt(mean(x²) + eps); round is to T.  x, y [rows, size]; weight [size]; rstd [rows].
template <typename T>
void RmsNormRows(const T* x, const T* weight, double eps, int64_t rows, int64_t size, T* y,
                 float* rstd);

// grad_x from what RmsNormRows() saw and made.
template <typename T>
void RmsNormGradRows(const T* x, const T* weight, const float* rstd, const T* grad_y, int64_t rows,
                     int64_t size, T* grad_x);

// SwiGLU (Shazeer, 2020): y = silu(gate) · up.  gate_up [rows, 2 · size], gate first; y [rows,
// size].
template <typename T>
void SwiGluRows(const T* gate_up, int64_t rows, int64_t size, T* y);

template <typename T>
void SwiGluGradRows(const T* gate_up, const T* grad_y, int64_t rows, int64_t size, T* grad_gate_up);

// Heads of one row, q then k then v, each of `head_dim`.
struct HeadLayout {
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;

  int64_t row() const { return (heads + 2 * kv_heads) * head_dim; }
};

// Rotates q and k by the angles of their position, halves paired (Su et al., 2021; Llama's layout),
// and puts q, k and v of each row apart: qkv row token_of_slot[s] goes to slot s of q, k and v
// (float32), a negative token to zeros.  cos, sin [positions, head_dim / 2].
template <typename T>
void SplitHeads(const T* qkv, const HeadLayout& layout, const int64_t* token_of_slot,
                const int64_t* position_of_token, int64_t slots, const float* cos, const float* sin,
                float* q, float* k, float* v);

// The inverse of SplitHeads() for gradients: rows of tokens that have a slot are written.
template <typename T>
void JoinHeadGradients(const float* grad_q, const float* grad_k, const float* grad_v,
                       const HeadLayout& layout, const int64_t* token_of_slot,
                       const int64_t* position_of_token, int64_t slots, const float* cos,
                       const float* sin, T* grad_qkv);

}  // namespace mozgach
