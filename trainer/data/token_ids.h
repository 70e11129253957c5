// Ids that a base's embedding does not have.
#pragma once

#include <cstdint>
#include <span>

#include "common/status.h"
#include "trainer/tokenizer/tokenizer.h"

namespace mozgach {

// INVALID_ARGUMENT names the first id that is not in [0, `embedding_rows`), its token and the way
// out. A tokenizer to which tokens were added may make such ids.
absl::Status CheckIds(std::span<const int32_t> ids, int64_t embedding_rows,
                      const Tokenizer& tokenizer);

}  // namespace mozgach
