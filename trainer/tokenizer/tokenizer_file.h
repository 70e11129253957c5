// Reads tokenizer.json. The vocabulary and the merges, which are most of the file, are read
// directly into their tables; the rest is kept as JSON.
#pragma once

#include <filesystem>
#include <string_view>

#include "common/status.h"
#include "nlohmann/json.hpp"
#include "trainer/tokenizer/bpe/merge_list.h"
#include "trainer/tokenizer/bpe/vocabulary.h"

namespace mozgach {

struct TokenizerFile {
  nlohmann::json outline;  // without model.vocab (if it is an object) and model.merges
  Vocabulary vocabulary;
  MergeList merges;
};

// Errors name the place in the file. INVALID_ARGUMENT if it is not JSON, if a token or a merge is
// malformed, or if the file exceeds the limits; NOT_FOUND if it does not exist.
absl::StatusOr<TokenizerFile> ReadTokenizerFile(const std::filesystem::path& path);
absl::StatusOr<TokenizerFile> ParseTokenizerFile(std::string_view bytes);

}  // namespace mozgach
