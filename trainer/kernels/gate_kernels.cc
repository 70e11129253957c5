#include "trainer/kernels/gate_kernels.h"

#include <ATen/Parallel.h>
#include <c10/util/BFloat16.h>

#include "trainer/kernels/vector_loops.h"

namespace mozgach {
namespace {

MOZGACH_INLINE float Sigmoid(float x) { return 1.0f / (1.0f + Exp(-x)); }

// Both activations are x · sigmoid(Inner(x)).
struct Silu {
  static MOZGACH_INLINE float Inner(float x) { return x; }
  static MOZGACH_INLINE float Slope(float) { return 1.0f; }
};

// 0.5 x (1 + tanh(sqrt(2/π) (x + 0.044715 x³))), Hendrycks and Gimpel, 2016: 0.5 (1 + tanh(u)) is
// sigmoid(2u).
struct GeluTanh {
  static constexpr float kTwice = 1.5957691216057308f;  // 2 sqrt(2/π)
  static constexpr float kCubic = 0.044715f;
  static MOZGACH_INLINE float Inner(float x) { return kTwice * (x + kCubic * x * x * x); }
  static MOZGACH_INLINE float Slope(float x) { return kTwice * (1.0f + 3.0f * kCubic * x * x); }
};

template <typename T, typename Act>
MOZGACH_INLINE void GatedBody(Act, const T* gate_up, int64_t size, T* y) {
  for (int64_t i = 0; i < size; ++i) {
    const auto gate = static_cast<float>(gate_up[i]);
    y[i] = static_cast<T>(gate * Sigmoid(Act::Inner(gate)) * static_cast<float>(gate_up[size + i]));
  }
}

template <typename T, typename Act>
MOZGACH_INLINE void GatedGradBody(Act, const T* gate_up, const T* grad_y, int64_t size,
                                  T* grad_gate_up) {
  for (int64_t i = 0; i < size; ++i) {
    const auto gate = static_cast<float>(gate_up[i]);
    const auto up = static_cast<float>(gate_up[size + i]);
    const auto grad = static_cast<float>(grad_y[i]);
    const float sigmoid = Sigmoid(Act::Inner(gate));
    const float slope = sigmoid * (1.0f + gate * (1.0f - sigmoid) * Act::Slope(gate));
    grad_gate_up[i] = static_cast<T>(grad * up * slope);
    grad_gate_up[size + i] = static_cast<T>(grad * gate * sigmoid);
  }
}

MOZGACH_DISPATCH(Gated, (W activation, const T* gate_up, int64_t size, T* y),
                 (activation, gate_up, size, y))
MOZGACH_DISPATCH(GatedGrad,
                 (W activation, const T* gate_up, const T* grad_y, int64_t size, T* grad_gate_up),
                 (activation, gate_up, grad_y, size, grad_gate_up))

template <typename T, typename Act>
void ForwardRows(Act activation, const T* gate_up, int64_t rows, int64_t size, T* y) {
  at::parallel_for(0, rows, GrainRows(size), [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      Gated(activation, gate_up + 2 * row * size, size, y + row * size);
    }
  });
}

template <typename T, typename Act>
void BackwardRows(Act activation, const T* gate_up, const T* grad_y, int64_t rows, int64_t size,
                  T* grad_gate_up) {
  at::parallel_for(0, rows, GrainRows(size), [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      GatedGrad(activation, gate_up + 2 * row * size, grad_y + row * size, size,
                grad_gate_up + 2 * row * size);
    }
  });
}

}  // namespace

template <typename T>
void GatedRows(Activation activation, const T* gate_up, int64_t rows, int64_t size, T* y) {
  if (activation == Activation::kSilu) return ForwardRows(Silu(), gate_up, rows, size, y);
  ForwardRows(GeluTanh(), gate_up, rows, size, y);
}

template <typename T>
void GatedGradRows(Activation activation, const T* gate_up, const T* grad_y, int64_t rows,
                   int64_t size, T* grad_gate_up) {
  if (activation == Activation::kSilu) {
    return BackwardRows(Silu(), gate_up, grad_y, rows, size, grad_gate_up);
  }
  BackwardRows(GeluTanh(), gate_up, grad_y, rows, size, grad_gate_up);
}

template void GatedRows(Activation, const float*, int64_t, int64_t, float*);
template void GatedRows(Activation, const c10::BFloat16*, int64_t, int64_t, c10::BFloat16*);
template void GatedGradRows(Activation, const float*, const float*, int64_t, int64_t, float*);
template void GatedGradRows(Activation, const c10::BFloat16*, const c10::BFloat16*, int64_t,
                            int64_t, c10::BFloat16*);

}  // namespace mozgach
