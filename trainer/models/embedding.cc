#include "trainer/models/embedding.h"

#include <ATen/ops/embedding.h>

namespace mozgach {

at::Tensor Embedding::Lookup(const at::Tensor& ids) const {
  return at::embedding(table_, ids.to(table_.device())).to(device_, compute_dtype_);
}

}  // namespace mozgach
