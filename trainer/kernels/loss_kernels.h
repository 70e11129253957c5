// Softmax and negative log-likelihood as loops over rows of logits on a CPU, in float32 whatever
// the rows are stored in (float or c10::BFloat16).  Rows are contiguous and lie one behind another;
// the loops are spread over at::get_num_threads() threads.
#pragma once

#include <cstdint>

namespace mozgach {

// nll[i] = log Σ exp(logits[i]) - logits[i][targets[i]].  logits [rows, size]; targets in [0,
// size).
template <typename T>
void NllRows(const T* logits, const int64_t* targets, int64_t rows, int64_t size, float* nll);

// The same, and each row becomes the gradient of its nll in place: softmax, less 1 at the target,
// rounded once to T.
template <typename T>
void NllGradRows(T* logits, const int64_t* targets, int64_t rows, int64_t size, float* nll);

}  // namespace mozgach
