#include "trainer/data/token_ids.h"

#include "absl/strings/str_cat.h"

namespace mozgach {

absl::Status CheckIds(std::span<const int32_t> ids, int64_t embedding_rows,
                      const Tokenizer& tokenizer) {
  for (const int32_t id : ids) {
    if (id >= 0 && id < embedding_rows) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "token '", tokenizer.TokenText(id), "' has id ", id, ", but the base's embedding has ",
        embedding_rows, " rows (ids 0 to ", embedding_rows - 1,
        "): the tokenizer has tokens that the weights do not have; leave the token out of the row, "
        "or use a base whose embedding was resized for its tokenizer"));
  }
  return absl::OkStatus();
}

}  // namespace mozgach
