#include "trainer/kernels/norm_kernels.h"

#include <ATen/Parallel.h>
#include <c10/util/BFloat16.h>

#include <cmath>
#include <cstring>

#include "trainer/kernels/vector_loops.h"

namespace mozgach {
namespace {

template <typename T, typename W>
MOZGACH_INLINE void RmsNormBody(const T* x, const W* weight, float eps, int64_t size, T* y,
                                float* rstd) {
  const float squares = SumOver(size, [&](int64_t i) {
    const auto value = static_cast<float>(x[i]);
    return value * value;
  });
  *rstd = 1.0f / std::sqrt(squares / static_cast<float>(size) + eps);
  for (int64_t i = 0; i < size; ++i) {
    const W normal = static_cast<W>(static_cast<float>(x[i]) * *rstd);
    y[i] = static_cast<T>(static_cast<float>(weight[i]) * static_cast<float>(normal));
  }
}

template <typename T, typename W>
MOZGACH_INLINE void RmsNormGradBody(const T* x, const W* weight, float rstd, const T* grad_y,
                                    int64_t size, T* grad_x) {
  const float dot = SumOver(size, [&](int64_t i) {
    return static_cast<float>(grad_y[i]) * static_cast<float>(weight[i]) * static_cast<float>(x[i]);
  });
  const float slope = dot * rstd * rstd / static_cast<float>(size);
  for (int64_t i = 0; i < size; ++i) {
    const float direct = static_cast<float>(grad_y[i]) * static_cast<float>(weight[i]);
    grad_x[i] = static_cast<T>(rstd * (direct - static_cast<float>(x[i]) * slope));
  }
}

MOZGACH_DISPATCH(RmsNorm, (const T* x, const W* weight, float eps, int64_t size, T* y, float* rstd),
                 (x, weight, eps, size, y, rstd))
MOZGACH_DISPATCH(RmsNormGrad,
                 (const T* x, const W* weight, float rstd, const T* grad_y, int64_t size,
                  T* grad_x),
                 (x, weight, rstd, grad_y, size, grad_x))

// Calls each(row) for all rows, distributed over the threads.
template <typename Each>
void OverRows(int64_t rows, int64_t row_size, Each each) {
  at::parallel_for(0, rows, GrainRows(row_size), [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) each(row);
  });
}

template <typename T>
void CopyValues(const T* from, const HeadLayout& layout, T* to) {
  const int64_t begin = (layout.heads + layout.kv_heads) * layout.head_dim;
  std::memcpy(static_cast<void*>(to + begin), from + begin,
              static_cast<size_t>(layout.kv_heads * layout.head_dim) * sizeof(T));
}

}  // namespace

template <typename T, typename W>
void RmsNormRows(const T* x, const W* weight, double eps, int64_t rows, int64_t size, T* y,
                 float* rstd) {
  OverRows(rows, size, [&](int64_t row) {
    RmsNorm(x + row * size, weight, static_cast<float>(eps), size, y + row * size, rstd + row);
  });
}

template <typename T, typename W>
void RmsNormGradRows(const T* x, const W* weight, const float* rstd, const T* grad_y, int64_t rows,
                     int64_t size, T* grad_x) {
  OverRows(rows, size, [&](int64_t row) {
    RmsNormGrad(x + row * size, weight, rstd[row], grad_y + row * size, size, grad_x + row * size);
  });
}

template <typename T, typename W>
void NormalizeHeads(const T* qkv, const HeadLayout& layout, const W* q_weight, const W* k_weight,
                    double eps, int64_t rows, T* y, float* rstd) {
  const int64_t normed = layout.heads + layout.kv_heads;
  OverRows(rows, layout.row(), [&](int64_t row) {
    const T* from = qkv + row * layout.row();
    T* to = y + row * layout.row();
    for (int64_t head = 0; head < normed; ++head) {
      const int64_t place = head * layout.head_dim;
      RmsNorm(from + place, head < layout.heads ? q_weight : k_weight, static_cast<float>(eps),
              layout.head_dim, to + place, rstd + row * normed + head);
    }
    CopyValues(from, layout, to);
  });
}

template <typename T, typename W>
void NormalizeHeadsGrad(const T* qkv, const HeadLayout& layout, const W* q_weight,
                        const W* k_weight, const float* rstd, const T* grad_y, int64_t rows,
                        T* grad_qkv) {
  const int64_t normed = layout.heads + layout.kv_heads;
  OverRows(rows, layout.row(), [&](int64_t row) {
    const int64_t begin = row * layout.row();
    for (int64_t head = 0; head < normed; ++head) {
      const int64_t place = begin + head * layout.head_dim;
      RmsNormGrad(qkv + place, head < layout.heads ? q_weight : k_weight, rstd[row * normed + head],
                  grad_y + place, layout.head_dim, grad_qkv + place);
    }
    CopyValues(grad_y + begin, layout, grad_qkv + begin);
  });
}

#define MOZGACH_INSTANTIATE(T, W)                                                                  \
  template void RmsNormRows(const T*, const W*, double, int64_t, int64_t, T*, float*);             \
  template void RmsNormGradRows(const T*, const W*, const float*, const T*, int64_t, int64_t, T*); \
  template void NormalizeHeads(const T*, const HeadLayout&, const W*, const W*, double, int64_t,   \
                               T*, float*);                                                        \
  template void NormalizeHeadsGrad(const T*, const HeadLayout&, const W*, const W*, const float*,  \
                                   const T*, int64_t, T*);
MOZGACH_INSTANTIATE(float, float)
MOZGACH_INSTANTIATE(c10::BFloat16, c10::BFloat16)
MOZGACH_INSTANTIATE(c10::BFloat16, float)
#undef MOZGACH_INSTANTIATE

}  // namespace mozgach
