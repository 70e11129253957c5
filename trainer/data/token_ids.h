// Checks token ids against the size of a base's embedding.
#pragma once

#include <cstdint>
#include <span>

#include "common/status.h"
#include "trainer/tokenizer/tokenizer.h"

namespace mozgach {

// INVALID_ARGUMENT names the first id that is not in [0, `embedding_rows`), its token, and what to
// do. Such ids occur if tokens were added to a tokenizer but not to the weights.
absl::Status CheckIds(std::span<const int32_t> ids, int64_t embedding_rows,
                      const Tokenizer& tokenizer);

}  // namespace mozgach
