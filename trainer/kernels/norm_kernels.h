// RMSNorm (Zhang and Sennrich, 2019) as loops over rows on a CPU, forward and backward. Computes in
// float32 for either storage type (float or c10::BFloat16). Rows are contiguous and follow each
// other in memory; at::get_num_threads() threads share the work.
#pragma once

#include <cstdint>

#include "trainer/kernels/head_layout.h"

namespace mozgach {

// y = weight · round(x · rstd), where rstd = 1 / sqrt(mean(x²) + eps) and round is to the weight's
// type W. This is Llama's norm if W is T, and Gemma's if W is float. x, y [rows, size]; weight
// [size]; rstd [rows].
template <typename T, typename W>
void RmsNormRows(const T* x, const W* weight, double eps, int64_t rows, int64_t size, T* y,
                 float* rstd);

// Computes grad_x from the inputs and results of RmsNormRows().
template <typename T, typename W>
void RmsNormGradRows(const T* x, const W* weight, const float* rstd, const T* grad_y, int64_t rows,
                     int64_t size, T* grad_x);

// Normalises each query head and each key head; copies values. qkv, y [rows, layout.row()]; weights
// [head_dim]; rstd [rows, heads + kv_heads].
template <typename T, typename W>
void NormalizeHeads(const T* qkv, const HeadLayout& layout, const W* q_weight, const W* k_weight,
                    double eps, int64_t rows, T* y, float* rstd);

// Gradient of NormalizeHeads() with respect to qkv.
template <typename T, typename W>
void NormalizeHeadsGrad(const T* qkv, const HeadLayout& layout, const W* q_weight,
                        const W* k_weight, const float* rstd, const T* grad_y, int64_t rows,
                        T* grad_qkv);

}  // namespace mozgach
