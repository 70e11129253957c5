// TokenRoles holds the tokens that begin, end and pad a text, from a base's other JSON files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "nlohmann/json.hpp"
#include "trainer/tokenizer/declared_tokens.h"

namespace mozgach {

struct TokenRoles {
  std::optional<int32_t> bos_to_prepend;
  std::optional<int32_t> bos;
  std::optional<int32_t> eos;
  std::optional<int32_t> pad;
  std::vector<int32_t> stop;  // without duplicates
};

// Returns the id of the token with this text; nullopt if it does not exist.
using TokenLookup = std::function<std::optional<int32_t>(std::string_view)>;

// Takes bos_token, eos_token and pad_token from `declared`, and reads eos_token_id from
// generation_config.json and config.json in `base_dir`, if they exist. `post_processor` is
// tokenizer.json's, or null. It decides whether a text gets a BOS, as in transformers 5; without
// it, add_bos_token of tokenizer_config.json decides. INVALID_ARGUMENT if the type of the
// post-processor is not supported, or if add_bos_token is true but bos_token is not declared.
absl::StatusOr<TokenRoles> LoadTokenRoles(const std::filesystem::path& base_dir,
                                          const nlohmann::json& post_processor,
                                          const DeclaredTokens& declared,
                                          const TokenLookup& lookup);

}  // namespace mozgach
