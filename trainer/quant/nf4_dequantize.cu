// Dequantises 4-bit codes on a CUDA device: level × scale, rounded once to the type of the output,
// the same bits as nf4_kernels.h. Compiled at first use for the device at hand (cuda_kernel.h), and
// therefore without a header; a test compiles it for the CPU.
//
// One thread writes eight elements from four bytes of codes: one read, one or two writes of 16
// bytes. REQUIRES: the block size is a multiple of 8 elements; `codes` is aligned to 4 bytes, the
// output to 16.

#ifdef __CUDACC_RTC__
static __device__ unsigned short HalfBits(float value) {
  unsigned short bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
}
#endif

struct Levels {
  float value[16];
};

// The scales of the blocks: float32, or with double quantisation codes into `levels`, which are
// multiplied by `nested` (one per `nested_block` blocks) and shifted by `offset`.
struct Scales {
  const float* dense;  // null: double quantisation
  const unsigned char* codes;
  const float* levels;
  const float* nested;
  float offset;
  unsigned nested_block;
};

// Uses no fused multiply-add, which rounds once where the other implementations round twice.
static __device__ float ScaleOf(const Scales& scales, unsigned block) {
  if (scales.dense) return scales.dense[block];
  const float scale =
      __fmul_rn(scales.levels[scales.codes[block]], scales.nested[block / scales.nested_block]);
  return __fadd_rn(scale, scales.offset);
}

static __device__ unsigned short BFloat16Bits(float value) {
  const unsigned bits = __float_as_uint(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fc0;
  return static_cast<unsigned short>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

struct ToFloat {
  typedef float Element;
  static __device__ float From(float value) { return value; }
};
struct ToBFloat16 {
  typedef unsigned short Element;
  static __device__ unsigned short From(float value) { return BFloat16Bits(value); }
};
struct ToHalf {
  typedef unsigned short Element;
  static __device__ unsigned short From(float value) { return HalfBits(value); }
};

// Eight elements, written 16 bytes at a time.
template <typename Element>
union Eight {
  Element element[8];
  uint4 words[sizeof(Element) / 2];
};

template <typename To>
static __device__ void Dequantize(const unsigned char* codes, const Scales& scales,
                                  const Levels& levels, unsigned groups_per_block,
                                  unsigned long long count, typename To::Element* out) {
  __shared__ float level[16];
  if (threadIdx.x < 16) level[threadIdx.x] = levels.value[threadIdx.x];
  __syncthreads();
  const unsigned group = blockIdx.x * blockDim.x + threadIdx.x;
  const unsigned long long first = 8ull * group;
  if (first >= count) return;
  const float scale = ScaleOf(scales, group / groups_per_block);
  if (first + 8 > count) {
    for (unsigned long long i = first; i < count; ++i) {
      const unsigned code = i % 2 == 0 ? codes[i / 2] >> 4 : codes[i / 2] & 15u;
      out[i] = To::From(__fmul_rn(level[code], scale));
    }
    return;
  }
  const unsigned packed = reinterpret_cast<const unsigned*>(codes)[group];
  Eight<typename To::Element> eight;
  for (int i = 0; i < 4; ++i) {
    const unsigned byte = packed >> (8 * i) & 255u;
    eight.element[2 * i] = To::From(__fmul_rn(level[byte >> 4], scale));
    eight.element[2 * i + 1] = To::From(__fmul_rn(level[byte & 15u], scale));
  }
  for (unsigned i = 0; i < sizeof(eight) / 16; ++i)
    reinterpret_cast<uint4*>(out + first)[i] = eight.words[i];
}

#define MOZGACH_DEQUANTIZE(name, To)                                                        \
  extern "C" __global__ void name(const unsigned char* codes, Scales scales, Levels levels, \
                                  unsigned groups_per_block, unsigned long long count,      \
                                  typename To::Element* out) {                              \
    Dequantize<To>(codes, scales, levels, groups_per_block, count, out);                    \
  }
MOZGACH_DEQUANTIZE(DequantizeToFloat, ToFloat)
MOZGACH_DEQUANTIZE(DequantizeToBFloat16, ToBFloat16)
MOZGACH_DEQUANTIZE(DequantizeToHalf, ToHalf)
