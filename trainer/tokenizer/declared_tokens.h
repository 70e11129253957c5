// DeclaredTokens are the special and added tokens that the JSON files beside tokenizer.json
// declare.
//
// Read and merged as transformers 5 does (TokenizersBackend): tokenizer_config.json (…_token,
// added_tokens_decoder, extra_special_tokens, additional_special_tokens) and, where it has no
// added_tokens_decoder, special_tokens_map.json over it and added_tokens.json.
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

// A token with its flags, or its text alone. Its id is not known yet: -1.
struct DeclaredToken {
  AddedToken token;
  bool only_text = false;
};

class DeclaredTokens {
 public:
  // INVALID_ARGUMENT "path: what" for a file that is not what it should be. All files may be
  // missing.
  static absl::StatusOr<DeclaredTokens> Read(const std::filesystem::path& base_dir);

  // Adds the defaults of the base's tokenizer class: those that no file mentions and that the
  // tokenizer has. `byte_level`: see TokenizerClassDefaults.
  void AddClassDefaults(bool byte_level, absl::FunctionRef<bool(const std::string&)> has_token);

  // The text of "bos_token", "eos_token", "image_token", …; none where it is absent, null or empty.
  std::optional<std::string> Text(const std::string& name) const;

  // All that Text() knows, by name.
  std::map<std::string, std::string> Texts() const;

  // What is added to the tokens of tokenizer.json, in order. A text that is already there takes the
  // flags of the token added.
  std::vector<AddedToken> ToAdd(const std::vector<AddedToken>& of_tokenizer_json) const;

 private:
  friend class DeclaredTokensReader;

  void Sort();  // by the order in which transformers adds the tokens
  const DeclaredToken* Find(const std::string& name) const;

  // In the order in which they are added.
  std::vector<std::pair<std::string, DeclaredToken>> named_;
  std::vector<DeclaredToken> extra_;
  std::map<int64_t, AddedToken> decoder_;  // from added_tokens_decoder or added_tokens.json
  nlohmann::ordered_json config_ = nlohmann::ordered_json::object();  // tokenizer_config.json
  std::string model_type_;                                            // from config.json
  bool has_decoder_ = false;  // tokenizer_config.json has added_tokens_decoder
};

}  // namespace mozgach
