#include "trainer/models/row_kernels.h"

#include <ATen/Parallel.h>
#include <c10/util/BFloat16.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "trainer/quant/cpu_features.h"

namespace mozgach {
namespace {

// Elements handed to a thread at once.
constexpr int64_t kGrain = 16384;

int64_t GrainRows(int64_t row_size) { return std::max<int64_t>(1, kGrain / row_size); }

// Sums run in this many lanes whatever the processor, so that they round alike.
constexpr int64_t kLanes = 16;

template <typename T, typename Term>
MOZGACH_INLINE float SumOver(int64_t size, Term term) {
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) lanes[j] += term(i + j);
  }
  for (; i < size; ++i) lanes[i % kLanes] += term(i);
  float sum = 0;
  for (float lane : lanes) sum += lane;
  return sum;
}

// e^x to about one unit in the last place (after Cephes' expf), in a form that compilers vectorise.
MOZGACH_INLINE float Exp(float x) {
  constexpr float kRound = 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer
  x = std::min(std::max(x, -87.0f), 88.0f);
  const float n = (x * 1.44269504088896341f + kRound) - kRound;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  return p * std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
}

MOZGACH_INLINE float Sigmoid(float x) { return 1.0f / (1.0f + Exp(-x)); }

template <typename T>
MOZGACH_INLINE void RmsNormBody(const T* x, const T* weight, float eps, int64_t size, T* y,
                                float* rstd) {
  const float squares = SumOver<T>(size, [&](int64_t i) {
    const auto value = static_cast<float>(x[i]);
    return value * value;
  });
  *rstd = 1.0f / std::sqrt(squares / static_cast<float>(size) + eps);
  for (int64_t i = 0; i < size; ++i) {
    const T normal = static_cast<T>(static_cast<float>(x[i]) * *rstd);
    y[i] = static_cast<T>(static_cast<float>(weight[i]) * static_cast<float>(normal));
  }
}

template <typename T>
MOZGACH_INLINE void RmsNormGradBody(const T* x, const T* weight, float rstd, const T* grad_y,
                                    int64_t size, T* grad_x) {
  const float dot = SumOver<T>(size, [&](int64_t i) {
    return static_cast<float>(grad_y[i]) * static_cast<float>(weight[i]) * static_cast<float>(x[i]);
  });
  const float slope = dot * rstd * rstd / static_cast<float>(size);
  for (int64_t i = 0; i < size; ++i) {
    const float direct = static_cast<float>(grad_y[i]) * static_cast<float>(weight[i]);
    grad_x[i] = static_cast<T>(rstd * (direct - static_cast<float>(x[i]) * slope));
  }
}

template <typename T>
MOZGACH_INLINE void SwiGluBody(const T* gate_up, int64_t size, T* y) {
  for (int64_t i = 0; i < size; ++i) {
    const auto gate = static_cast<float>(gate_up[i]);
    y[i] = static_cast<T>(gate * Sigmoid(gate) * static_cast<float>(gate_up[size + i]));
  }
}

template <typename T>
MOZGACH_INLINE void SwiGluGradBody(const T* gate_up, const T* grad_y, int64_t size,
                                   T* grad_gate_up) {
  for (int64_t i = 0; i < size; ++i) {
    const auto gate = static_cast<float>(gate_up[i]);
    const auto up = static_cast<float>(gate_up[size + i]);
    const auto grad = static_cast<float>(grad_y[i]);
    const float sigmoid = Sigmoid(gate);
    grad_gate_up[i] = static_cast<T>(grad * up * sigmoid * (1.0f + gate * (1.0f - sigmoid)));
    grad_gate_up[size + i] = static_cast<T>(grad * gate * sigmoid);
  }
}

// One head by the angles of its position; `direction` -1 turns back.
template <typename From, typename To>
MOZGACH_INLINE void Rotate(const From* x, const float* cos, const float* sin, int64_t half,
                           float direction, To* y) {
  for (int64_t i = 0; i < half; ++i) {
    const auto first = static_cast<float>(x[i]), second = static_cast<float>(x[half + i]);
    const float s = direction * sin[i];
    y[i] = static_cast<To>(first * cos[i] - second * s);
    y[half + i] = static_cast<To>(second * cos[i] + first * s);
  }
}

template <typename T>
MOZGACH_INLINE void SplitBody(const T* row, const HeadLayout& layout, const float* cos,
                              const float* sin, float* q, float* k, float* v) {
  const int64_t dim = layout.head_dim;
  for (int64_t h = 0; h < layout.heads; ++h, row += dim) {
    Rotate(row, cos, sin, dim / 2, 1.0f, q + h * dim);
  }
  for (int64_t h = 0; h < layout.kv_heads; ++h, row += dim) {
    Rotate(row, cos, sin, dim / 2, 1.0f, k + h * dim);
  }
  for (int64_t i = 0; i < layout.kv_heads * dim; ++i) v[i] = static_cast<float>(row[i]);
}

template <typename T>
MOZGACH_INLINE void JoinBody(const float* grad_q, const float* grad_k, const float* grad_v,
                             const HeadLayout& layout, const float* cos, const float* sin, T* row) {
  const int64_t dim = layout.head_dim;
  for (int64_t h = 0; h < layout.heads; ++h, row += dim) {
    Rotate(grad_q + h * dim, cos, sin, dim / 2, -1.0f, row);
  }
  for (int64_t h = 0; h < layout.kv_heads; ++h, row += dim) {
    Rotate(grad_k + h * dim, cos, sin, dim / 2, -1.0f, row);
  }
  for (int64_t i = 0; i < layout.kv_heads * dim; ++i) row[i] = static_cast<T>(grad_v[i]);
}

// Name(…) runs NameBody(…) compiled for this processor.
#define MOZGACH_DISPATCH(Name, parameters, arguments)                       \
  template <typename T>                                                     \
  MOZGACH_AVX512 void Name##Avx512 parameters {                             \
    Name##Body arguments;                                                   \
  }                                                                         \
  template <typename T>                                                     \
  MOZGACH_AVX2 void Name##Avx2 parameters {                                 \
    Name##Body arguments;                                                   \
  }                                                                         \
  template <typename T>                                                     \
  void Name parameters {                                                    \
    if (HasAvx512()) return Name##Avx512 arguments;                         \
    if (HasAvx2()) return Name##Avx2 arguments;                             \
    Name##Body arguments;                                                   \
  }

MOZGACH_DISPATCH(RmsNorm, (const T* x, const T* weight, float eps, int64_t size, T* y, float* rstd),
                 (x, weight, eps, size, y, rstd))
MOZGACH_DISPATCH(RmsNormGrad, (const T* x, const T* weight, float rstd, const T* grad_y,
                               int64_t size, T* grad_x),
                 (x, weight, rstd, grad_y, size, grad_x))
MOZGACH_DISPATCH(SwiGlu, (const T* gate_up, int64_t size, T* y), (gate_up, size, y))
MOZGACH_DISPATCH(SwiGluGrad, (const T* gate_up, const T* grad_y, int64_t size, T* grad_gate_up),
                 (gate_up, grad_y, size, grad_gate_up))
MOZGACH_DISPATCH(Split, (const T* row, const HeadLayout& layout, const float* cos, const float* sin,
                         float* q, float* k, float* v),
                 (row, layout, cos, sin, q, k, v))
MOZGACH_DISPATCH(Join, (const float* grad_q, const float* grad_k, const float* grad_v,
                        const HeadLayout& layout, const float* cos, const float* sin, T* row),
                 (grad_q, grad_k, grad_v, layout, cos, sin, row))

#undef MOZGACH_DISPATCH

}  // namespace

template <typename T>
void RmsNormRows(const T* x, const T* weight, double eps, int64_t rows, int64_t size, T* y,
                 float* rstd) {
  at::parallel_for(0, rows, GrainRows(size), [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      RmsNorm(x + row * size, weight, static_cast<float>(eps), size, y + row * size, rstd + row);
    }
  });
}

template <typename T>
void RmsNormGradRows(const T* x, const T* weight, const float* rstd, const T* grad_y, int64_t rows,
                     int64_t size, T* grad_x) {
  at::parallel_for(0, rows, GrainRows(size), [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      RmsNormGrad(x + row * size, weight, rstd[row], grad_y + row * size, size,
                  grad_x + row * size);
    }
  });
}

template <typename T>
void SwiGluRows(const T* gate_up, int64_t rows, int64_t size, T* y) {
  at::parallel_for(0, rows, GrainRows(size), [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      SwiGlu(gate_up + 2 * row * size, size, y + row * size);
    }
  });
}

template <typename T>
void SwiGluGradRows(const T* gate_up, const T* grad_y, int64_t rows, int64_t size,
                    T* grad_gate_up) {
  at::parallel_for(0, rows, GrainRows(size), [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      SwiGluGrad(gate_up + 2 * row * size, grad_y + row * size, size,
                 grad_gate_up + 2 * row * size);
    }
  });
}

template <typename T>
void SplitHeads(const T* qkv, const HeadLayout& layout, const int64_t* token_of_slot,
                const int64_t* position_of_token, int64_t slots, const float* cos, const float* sin,
                float* q, float* k, float* v) {
  const int64_t q_size = layout.heads * layout.head_dim;
  const int64_t kv_size = layout.kv_heads * layout.head_dim;
  at::parallel_for(0, slots, GrainRows(layout.row()), [&](int64_t first, int64_t last) {
    for (int64_t slot = first; slot < last; ++slot) {
      const int64_t token = token_of_slot[slot];
      if (token < 0) {
        std::fill_n(q + slot * q_size, q_size, 0.0f);
        std::fill_n(k + slot * kv_size, kv_size, 0.0f);
        std::fill_n(v + slot * kv_size, kv_size, 0.0f);
        continue;
      }
      const int64_t angle = position_of_token[token] * layout.head_dim / 2;
      Split(qkv + token * layout.row(), layout, cos + angle, sin + angle, q + slot * q_size,
            k + slot * kv_size, v + slot * kv_size);
    }
  });
}

template <typename T>
void JoinHeadGradients(const float* grad_q, const float* grad_k, const float* grad_v,
                       const HeadLayout& layout, const int64_t* token_of_slot,
                       const int64_t* position_of_token, int64_t slots, const float* cos,
                       const float* sin, T* grad_qkv) {
  const int64_t q_size = layout.heads * layout.head_dim;
  const int64_t kv_size = layout.kv_heads * layout.head_dim;
  at::parallel_for(0, slots, GrainRows(layout.row()), [&](int64_t first, int64_t last) {
    for (int64_t slot = first; slot < last; ++slot) {
      const int64_t token = token_of_slot[slot];
      if (token < 0) continue;
      const int64_t angle = position_of_token[token] * layout.head_dim / 2;
      Join(grad_q + slot * q_size, grad_k + slot * kv_size, grad_v + slot * kv_size, layout,
           cos + angle, sin + angle, grad_qkv + token * layout.row());
    }
  });
}

#define MOZGACH_INSTANTIATE(T)                                                                    \
  template void RmsNormRows(const T*, const T*, double, int64_t, int64_t, T*, float*);            \
  template void RmsNormGradRows(const T*, const T*, const float*, const T*, int64_t, int64_t, T*); \
  template void SwiGluRows(const T*, int64_t, int64_t, T*);                                       \
  template void SwiGluGradRows(const T*, const T*, int64_t, int64_t, T*);                         \
  template void SplitHeads(const T*, const HeadLayout&, const int64_t*, const int64_t*, int64_t,  \
                           const float*, const float*, float*, float*, float*);                   \
  template void JoinHeadGradients(const float*, const float*, const float*, const HeadLayout&,    \
                                  const int64_t*, const int64_t*, int64_t, const float*,          \
                                  const float*, T*);
MOZGACH_INSTANTIATE(float)
MOZGACH_INSTANTIATE(c10::BFloat16)
#undef MOZGACH_INSTANTIATE

}  // namespace mozgach
