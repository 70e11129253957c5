#include "trainer/kernels/head_kernels.h"

#include <ATen/Parallel.h>
#include <c10/util/BFloat16.h>

#include "trainer/kernels/vector_loops.h"

namespace mozgach {
namespace {

// Rotates one head by the angles of its position; `direction` -1 rotates back.
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

template <typename T, typename W>
MOZGACH_INLINE void SplitBody(const T* row, const HeadLayout& layout, const float* cos,
                              const float* sin, W* q, W* k, W* v) {
  const int64_t dim = layout.head_dim;
  for (int64_t h = 0; h < layout.heads; ++h, row += dim) {
    Rotate(row, cos, sin, dim / 2, 1.0f, q + h * dim);
  }
  for (int64_t h = 0; h < layout.kv_heads; ++h, row += dim) {
    Rotate(row, cos, sin, dim / 2, 1.0f, k + h * dim);
  }
  for (int64_t i = 0; i < layout.kv_heads * dim; ++i) v[i] = static_cast<W>(row[i]);
}

template <typename T, typename W>
MOZGACH_INLINE void JoinBody(const W* grad_q, const W* grad_k, const W* grad_v,
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

MOZGACH_DISPATCH(Split,
                 (const T* row, const HeadLayout& layout, const float* cos, const float* sin, W* q,
                  W* k, W* v),
                 (row, layout, cos, sin, q, k, v))
MOZGACH_DISPATCH(Join,
                 (const W* grad_q, const W* grad_k, const W* grad_v, const HeadLayout& layout,
                  const float* cos, const float* sin, T* row),
                 (grad_q, grad_k, grad_v, layout, cos, sin, row))

}  // namespace

template <typename T, typename H>
void SplitHeads(const T* qkv, const HeadLayout& layout, const int64_t* token_of_slot,
                const int64_t* position_of_token, int64_t slots, const float* cos, const float* sin,
                H* q, H* k, H* v) {
  const int64_t q_size = layout.heads * layout.head_dim;
  const int64_t kv_size = layout.kv_heads * layout.head_dim;
  at::parallel_for(0, slots, GrainRows(layout.row()), [&](int64_t first, int64_t last) {
    for (int64_t slot = first; slot < last; ++slot) {
      const int64_t token = token_of_slot[slot];
      if (token < 0) {
        std::fill_n(q + slot * q_size, q_size, H(0));
        std::fill_n(k + slot * kv_size, kv_size, H(0));
        std::fill_n(v + slot * kv_size, kv_size, H(0));
        continue;
      }
      const int64_t angle = position_of_token[token] * layout.head_dim / 2;
      Split(qkv + token * layout.row(), layout, cos + angle, sin + angle, q + slot * q_size,
            k + slot * kv_size, v + slot * kv_size);
    }
  });
}

template <typename T, typename H>
void JoinHeadGradients(const H* grad_q, const H* grad_k, const H* grad_v, const HeadLayout& layout,
                       const int64_t* token_of_slot, const int64_t* position_of_token,
                       int64_t slots, const float* cos, const float* sin, T* grad_qkv) {
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

#define MOZGACH_INSTANTIATE(T, H)                                                                  \
  template void SplitHeads(const T*, const HeadLayout&, const int64_t*, const int64_t*, int64_t,   \
                           const float*, const float*, H*, H*, H*);                                \
  template void JoinHeadGradients(const H*, const H*, const H*, const HeadLayout&, const int64_t*, \
                                  const int64_t*, int64_t, const float*, const float*, T*);
MOZGACH_INSTANTIATE(float, float)
MOZGACH_INSTANTIATE(c10::BFloat16, float)
MOZGACH_INSTANTIATE(c10::BFloat16, c10::BFloat16)
#undef MOZGACH_INSTANTIATE

}  // namespace mozgach
