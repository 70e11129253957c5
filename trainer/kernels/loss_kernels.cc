#include "trainer/kernels/loss_kernels.h"

#include <ATen/Parallel.h>
#include <c10/util/BFloat16.h>

#include <algorithm>
#include <cmath>

#include "trainer/kernels/vector_loops.h"

namespace mozgach {
namespace {

constexpr int64_t kPartialSum =
    4096;                            // terms summed in float32 before the sum is added to a double
constexpr float kSmallest = 1e-30f;  // smaller probabilities become 0: denormal numbers are slow

template <typename T>
MOZGACH_INLINE float LargestOf(const T* row, int64_t size) {
  float lanes[kLanes];
  std::fill_n(lanes, kLanes, static_cast<float>(row[0]));
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) {
      lanes[j] = std::max(lanes[j], static_cast<float>(row[i + j]));
    }
  }
  for (; i < size; ++i) lanes[0] = std::max(lanes[0], static_cast<float>(row[i]));
  return *std::max_element(lanes, lanes + kLanes);
}

template <typename T>
MOZGACH_INLINE void LogSumExpBody(const T* row, int64_t size, float* result) {
  const float largest = LargestOf(row, size);
  double sum = 0;
  for (int64_t begin = 0; begin < size; begin += kPartialSum) {
    const T* part = row + begin;
    sum += SumOver(std::min(kPartialSum, size - begin),
                   [&](int64_t i) { return Exp(static_cast<float>(part[i]) - largest); });
  }
  *result = largest + static_cast<float>(std::log(sum));
}

template <typename T>
MOZGACH_INLINE void SoftmaxBody(T* row, int64_t size, float log_sum) {
  for (int64_t i = 0; i < size; ++i) {
    const float probability = Exp(static_cast<float>(row[i]) - log_sum);
    row[i] = static_cast<T>(probability < kSmallest ? 0.0f : probability);
  }
}

MOZGACH_DISPATCH(LogSumExp, (const T* row, int64_t size, float* result), (row, size, result))
MOZGACH_DISPATCH(Softmax, (T * row, int64_t size, float log_sum), (row, size, log_sum))

}  // namespace

template <typename T>
void NllRows(const T* logits, const int64_t* targets, int64_t rows, int64_t size, float* nll) {
  at::parallel_for(0, rows, GrainRows(size), [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const T* row = logits + i * size;
      float log_sum;
      LogSumExp(row, size, &log_sum);
      nll[i] = log_sum - static_cast<float>(row[targets[i]]);
    }
  });
}

template <typename T>
void NllGradRows(T* logits, const int64_t* targets, int64_t rows, int64_t size, float* nll) {
  at::parallel_for(0, rows, GrainRows(size), [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      T* row = logits + i * size;
      float log_sum;
      LogSumExp<T>(row, size, &log_sum);
      nll[i] = log_sum - static_cast<float>(row[targets[i]]);
      Softmax(row, size, log_sum);
      row[targets[i]] = static_cast<T>(std::expm1(-nll[i]));
    }
  });
}

template void NllRows(const float*, const int64_t*, int64_t, int64_t, float*);
template void NllRows(const c10::BFloat16*, const int64_t*, int64_t, int64_t, float*);
template void NllGradRows(float*, const int64_t*, int64_t, int64_t, float*);
template void NllGradRows(c10::BFloat16*, const int64_t*, int64_t, int64_t, float*);

}  // namespace mozgach
