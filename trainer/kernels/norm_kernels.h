// RMSNorm (Zhang and Sennrich, 2019) as loops over rows on a CPU, forward and backward,
// in float32 whatever the rows are stored in (float or
// c10::BFloat16).  Rows are contiguous and lie one behind another; the loops are spread over
// at::get_num_threads() threads.
#pragma once

#include <cstdint>

#include "trainer/kernels/head_layout.h"

namespace mozgach {

// y = weight · round(x · rstd) with rstd = 1 / sqrt(mean(x²) + eps); round is to the weight's type
// W: Llama's norm where that is T, Gemma's where it is float.  x, y [rows, size]; weight [size];
// rstd [rows].
template <typename T, typename W>
void RmsNormRows(const T* x, const W* weight, double eps, int64_t rows, int64_t size, T* y,
                 float* rstd);

// grad_x from what RmsNormRows() saw and made.
template <typename T, typename W>
void RmsNormGradRows(const T* x, const W* weight, const float* rstd, const T* grad_y, int64_t rows,
                     int64_t size, T* grad_x);

// The norm of each query head and of each key head; values are copied.  qkv, y [rows,
// layout.row()]; weights [head_dim]; rstd [rows, heads + kv_heads].
template <typename T, typename W>
void NormalizeHeads(const T* qkv, const HeadLayout& layout, const W* q_weight, const W* k_weight,
                    double eps, int64_t rows, T* y, float* rstd);

template <typename T, typename W>
void NormalizeHeadsGrad(const T* qkv, const HeadLayout& layout, const W* q_weight,
                        const W* k_weight, const float* rstd, const T* grad_y, int64_t rows,
                        T* grad_qkv);

}  // namespace mozgach
