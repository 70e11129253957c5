// Softmax and negative log-likelihood as loops over rows of logits on a CPU. Computes in float32
// for either storage type (float or c10::BFloat16). Rows are contiguous and follow each other in
// memory; at::get_num_threads() threads share the work.
#pragma once

#include <cstdint>

namespace mozgach {

// nll[i] = log Σ exp(logits[i]) - logits[i][targets[i]]. logits [rows, size]; targets are in [0,
// size).
template <typename T>
void NllRows(const T* logits, const int64_t* targets, int64_t rows, int64_t size, float* nll);

// Also replaces each row with the gradient of its nll: softmax, minus 1 at the target, rounded once
// to T.
template <typename T>
void NllGradRows(T* logits, const int64_t* targets, int64_t rows, int64_t size, float* nll);

}  // namespace mozgach
