// Detects this processor's vector instructions and compiles a loop for each of them: the same body
// is inlined into functions for AVX-512, AVX2 and the baseline processor.
#pragma once

#define MOZGACH_INLINE inline __attribute__((always_inline))

#if defined(__x86_64__)
#define MOZGACH_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define MOZGACH_AVX2 __attribute__((target("avx2")))
#else
#define MOZGACH_AVX512
#define MOZGACH_AVX2
#endif

namespace mozgach {

#if defined(__x86_64__)
inline bool HasAvx512() {
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  return has;
}

inline bool HasAvx2() {
  static const bool has = __builtin_cpu_supports("avx2");
  return has;
}
#else
inline bool HasAvx512() { return false; }
inline bool HasAvx2() { return false; }
#endif

}  // namespace mozgach
