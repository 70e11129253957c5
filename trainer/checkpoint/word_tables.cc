#include "trainer/checkpoint/word_tables.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>

#include <algorithm>
#include <cstring>

namespace mozgach {
namespace {

constexpr char kEmbedding[] = "model.embed_tokens.weight";
constexpr char kHead[] = "lm_head.weight";
constexpr int64_t kRowsAtOnce = 4096;

bool Differ(const at::Tensor& a, const at::Tensor& b, at::ScalarType type) {
  if (a.sizes() != b.sizes() || a.dim() != 2) return true;  // also 4-bit codes
  if (a.scalar_type() == b.scalar_type()) {
    return std::memcmp(a.const_data_ptr(), b.const_data_ptr(), a.nbytes()) != 0;
  }
  for (int64_t row = 0; row < a.size(0); row += kRowsAtOnce) {
    const int64_t rows = std::min(kRowsAtOnce, a.size(0) - row);
    if (!at::equal(a.narrow(0, row, rows).to(type), b.narrow(0, row, rows).to(type))) return true;
  }
  return false;
}

}  // namespace

bool HeadDiffers(const WeightFiles& files, at::ScalarType type) {
  if (!files.Contains(kEmbedding) || !files.Contains(kHead)) return false;
  const auto embedding = files.Read(kEmbedding), head = files.Read(kHead);
  const bool differ = !embedding.ok() || !head.ok() || Differ(*embedding, *head, type);
  files.Release(kEmbedding);
  files.Release(kHead);
  return differ;
}

WordTables FindWordTables(const WeightFiles& files, const ModelConfig& config,
                          at::ScalarType compute_type) {
  if (!config.tie_word_embeddings) return {kEmbedding, kHead, ""};
  if (!files.Contains(kEmbedding) && files.Contains(kHead)) return {kHead, kHead, ""};
  if (!HeadDiffers(files, compute_type)) return {kEmbedding, kEmbedding, ""};
  return {kEmbedding, kHead,
          "the base stores an lm_head.weight that differs from its embedding, although its "
          "config.json ties the two (tie_word_embeddings); the stored head is used, as "
          "transformers 5 does, but other programs may ignore it: set tie_word_embeddings to false "
          "in the base's config.json"};
}

}  // namespace mozgach
