// DeclaredTokens holds the special and added tokens from the JSON files beside tokenizer.json.
//
// The files are read and merged as in transformers 5 (TokenizersBackend). tokenizer_config.json is
// read first (…_token, added_tokens_decoder, extra_special_tokens, additional_special_tokens). If
// it has no added_tokens_decoder, special_tokens_map.json overrides it, and added_tokens.json is
// read too.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "common/status.h"
#include "nlohmann/json.hpp"
#include "trainer/tokenizer/added_tokens.h"

namespace mozgach {

// A token with its flags, or only its text. The id is -1: not known yet.
struct DeclaredToken {
  AddedToken token;
  bool only_text = false;
};

class DeclaredTokens {
 public:
  // INVALID_ARGUMENT "path: what" if a file is malformed. Every file may be missing.
  static absl::StatusOr<DeclaredTokens> Read(const std::filesystem::path& base_dir);

  // Adds the default tokens of the base's tokenizer class that no file mentions and that exist in
  // the tokenizer. `byte_level`: see TokenizerClassDefaults.
  void AddClassDefaults(bool byte_level, absl::FunctionRef<bool(const std::string&)> has_token);

  // Returns the text of "bos_token", "eos_token", "image_token", …; nullopt if it is absent, null
  // or empty.
  std::optional<std::string> Text(const std::string& name) const;

  // Returns every name and text that Text() knows.
  std::map<std::string, std::string> Texts() const;

  // Returns the tokens to add to those of tokenizer.json, in order. A token whose text exists
  // already only changes its flags.
  std::vector<AddedToken> ToAdd(const std::vector<AddedToken>& of_tokenizer_json) const;

 private:
  friend class DeclaredTokensReader;

  void Sort();  // into the order in which transformers adds the tokens
  const DeclaredToken* Find(const std::string& name) const;

  // The named tokens, in the order in which they are added.
  std::vector<std::pair<std::string, DeclaredToken>> named_;
  std::vector<DeclaredToken> extra_;
  std::map<int64_t, AddedToken> decoder_;  // from added_tokens_decoder or added_tokens.json
  nlohmann::ordered_json config_ = nlohmann::ordered_json::object();  // tokenizer_config.json
  std::string model_type_;                                            // from config.json
  bool has_decoder_ = false;  // tokenizer_config.json has added_tokens_decoder
};

}  // namespace mozgach
