#include "trainer/tokenizer/declared_tokens.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/json_text.h"
#include "nlohmann/json.hpp"
#include "trainer/tokenizer/tokenizer_class.h"

namespace mozgach {
namespace {

using OrderedTokens = std::vector<std::pair<std::string, DeclaredToken>>;

constexpr uint64_t kDeclarationBytesMax = UINT64_C(64) << 20;
constexpr const char* kStandardNames[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                          "pad_token", "cls_token", "mask_token"};

bool IsStandardName(const std::string& name) {
  return std::find(std::begin(kStandardNames), std::end(kStandardNames), name) !=
         std::end(kStandardNames);
}

AddedToken TokenOf(std::string content, bool special) {
  return {-1, std::move(content), special, false, false, false, /*normalized=*/!special};
}

absl::Status Wrong(std::string_view key, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(std::string(key), ": ", std::string(what)));
}

absl::Status ReadFlag(const nlohmann::ordered_json& json, const char* name, bool* flag) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return absl::OkStatus();
  if (!found->is_boolean()) return Wrong(name, "expected true or false");
  *flag = found->get<bool>();
  return absl::OkStatus();
}

// "…", or {"content": "…", "lstrip": …}. `special` is the default of the flag.
absl::StatusOr<DeclaredToken> ReadDeclared(const nlohmann::ordered_json& json, std::string_view key,
                                           bool special) {
  if (json.is_string()) {
    return DeclaredToken{TokenOf(json.get<std::string>(), /*special=*/true), /*only_text=*/true};
  }
  const bool has_content =
      json.is_object() && json.contains("content") && json.at("content").is_string();
  if (!has_content) return Wrong(key, "expected a string or {\"content\": \"…\"}");
  RETURN_IF_ERROR(ReadFlag(json, "special", &special));
  DeclaredToken declared{TokenOf(json.at("content").get<std::string>(), special)};
  for (const auto& [name, flag] :
       {std::pair{"single_word", &declared.token.single_word},
        std::pair{"lstrip", &declared.token.lstrip}, std::pair{"rstrip", &declared.token.rstrip},
        std::pair{"normalized", &declared.token.normalized}}) {
    RETURN_IF_ERROR(ReadFlag(json, name, flag));
  }
  return declared;
}

// Returns an empty object if the file does not exist.
absl::StatusOr<nlohmann::ordered_json> ReadObject(const std::filesystem::path& path) {
  const absl::StatusOr<std::string> bytes = ReadFile(path, kDeclarationBytesMax);
  if (absl::IsNotFound(bytes.status())) return nlohmann::ordered_json::object();
  RETURN_IF_ERROR(bytes.status());
  absl::StatusOr<nlohmann::ordered_json> json = ParseOrderedJson(*bytes);
  if (!json.ok()) return Annotate(json.status(), path.string());
  if (json->is_object()) return json;
  return absl::InvalidArgumentError(absl::StrCat(path.string(), ": expected an object"));
}

// With split_special_tokens, transformers splits every special token into ordinary tokens.
absl::Status RefuseSplitting(const nlohmann::ordered_json& config) {
  bool splits = false;
  RETURN_IF_ERROR(ReadFlag(config, "split_special_tokens", &splits));
  if (!splits) return absl::OkStatus();
  return Wrong("split_special_tokens", "true is not supported: remove the key");
}

bool IsEmpty(const nlohmann::ordered_json& json) {
  return json.is_null() || ((json.is_array() || json.is_object()) && json.empty());
}

bool Same(const DeclaredToken& a, const DeclaredToken& b) {
  return a.only_text == b.only_text && a.token.content == b.token.content &&
         a.token.special == b.token.special && a.token.single_word == b.token.single_word &&
         a.token.lstrip == b.token.lstrip && a.token.rstrip == b.token.rstrip &&
         a.token.normalized == b.token.normalized;
}

}  // namespace

class DeclaredTokensReader {
 public:
  explicit DeclaredTokensReader(DeclaredTokens* declared) : declared_(*declared) {}

  absl::Status ReadConfig(const nlohmann::ordered_json& config) {
    declared_.config_ = config;
    RETURN_IF_ERROR(RefuseSplitting(config));
    RETURN_IF_ERROR(ReadNamed(config, /*is_map=*/false));
    RETURN_IF_ERROR(ReadExtra(config, "extra_special_tokens", &declared_.extra_));
    RETURN_IF_ERROR(ReadExtra(config, "additional_special_tokens", &additional_));
    const auto extra = config.find("extra_special_tokens");
    if (extra == config.end() || IsEmpty(*extra)) declared_.extra_ = std::exchange(additional_, {});
    const auto decoder = config.find("added_tokens_decoder");
    declared_.has_decoder_ = decoder != config.end() && !decoder->is_null();
    return declared_.has_decoder_ ? ReadDecoder(*decoder) : absl::OkStatus();
  }

  absl::Status ReadMap(const nlohmann::ordered_json& map) {
    RETURN_IF_ERROR(ReadNamed(map, /*is_map=*/true));
    RETURN_IF_ERROR(ReadExtra(map, "extra_special_tokens", &declared_.extra_));
    if (map.contains("additional_special_tokens")) additional_.clear();
    return ReadExtra(map, "additional_special_tokens", &additional_);
  }

  // {"<tool>": 32000}
  absl::Status ReadAddedJson(const nlohmann::ordered_json& added) {
    std::set<std::string> special;
    for (const auto& [name, named] : declared_.named_) {
      if (IsStandardName(name)) special.insert(named.token.content);
    }
    for (const DeclaredToken& extra : declared_.extra_) special.insert(extra.token.content);
    for (const auto& [text, id] : added.items()) {
      if (!id.is_number_integer()) return Wrong(text, "expected the token's id");
      declared_.decoder_[id.get<int64_t>()] = TokenOf(text, special.contains(text));
    }
    return absl::OkStatus();
  }

  absl::Status ReadModelType(const nlohmann::ordered_json& config) {
    const auto type = config.find("model_type");
    if (type != config.end() && type->is_string()) declared_.model_type_ = type->get<std::string>();
    return absl::OkStatus();
  }

  void Finish() {
    if (declared_.extra_.empty()) declared_.extra_ = std::move(additional_);
    declared_.Sort();
  }

 private:
  void SetNamed(const std::string& name, DeclaredToken declared) {
    for (auto& [known, token] : declared_.named_) {
      if (known != name) continue;
      token = std::move(declared);
      return;
    }
    declared_.named_.emplace_back(name, std::move(declared));
  }

  // Reads "bos_token" and the like, and other "…_token" keys that hold a token. A null removes the
  // name.
  absl::Status ReadNamed(const nlohmann::ordered_json& json, bool is_map) {
    for (const auto& [name, value] : json.items()) {
      const bool standard = IsStandardName(name);
      if (!standard && !absl::EndsWith(name, "_token")) continue;
      if (value.is_null()) {
        std::erase_if(declared_.named_, [&](const auto& entry) { return entry.first == name; });
        continue;
      }
      if (!standard && !value.is_string() && !value.is_object()) continue;
      ASSIGN_OR_RETURN(DeclaredToken declared, ReadDeclared(value, name, is_map));
      if (is_map && !declared.only_text) declared.token.special = true;
      SetNamed(name, std::move(declared));
    }
    return absl::OkStatus();
  }

  // Reads a list of tokens, or an object that names them: {"image_token": "<image>"}.
  absl::Status ReadExtra(const nlohmann::ordered_json& json, const char* key,
                         std::vector<DeclaredToken>* extra) {
    const auto found = json.find(key);
    if (found == json.end() || IsEmpty(*found)) return absl::OkStatus();
    if (found->is_object()) {
      for (const auto& [name, value] : found->items()) {
        ASSIGN_OR_RETURN(DeclaredToken declared, ReadDeclared(value, key, /*special=*/true));
        SetNamed(name, std::move(declared));
      }
      return absl::OkStatus();
    }
    if (!found->is_array()) return Wrong(key, "expected a list of tokens");
    for (const nlohmann::ordered_json& value : *found) {
      ASSIGN_OR_RETURN(DeclaredToken declared, ReadDeclared(value, key, /*special=*/true));
      const auto same = [&](const DeclaredToken& other) { return Same(other, declared); };
      if (std::none_of(extra->begin(), extra->end(), same)) extra->push_back(std::move(declared));
    }
    return absl::OkStatus();
  }

  // {"2": {"content": "</s>", "special": true, …}}
  absl::Status ReadDecoder(const nlohmann::ordered_json& decoder) {
    constexpr char kKey[] = "added_tokens_decoder";
    if (!decoder.is_object()) return Wrong(kKey, "expected an object of ids");
    for (const auto& [id_text, value] : decoder.items()) {
      int64_t id = 0;
      if (!absl::SimpleAtoi(id_text, &id)) {
        return Wrong(kKey, absl::StrCat("'", id_text, "' is not an id"));
      }
      if (!value.is_object()) return Wrong(kKey, absl::StrCat(id_text, ": expected an object"));
      ASSIGN_OR_RETURN(const DeclaredToken declared, ReadDeclared(value, kKey, false));
      declared_.decoder_[id] = declared.token;
    }
    return absl::OkStatus();
  }

  DeclaredTokens& declared_;
  std::vector<DeclaredToken> additional_;  // used only without extra_special_tokens
};

absl::StatusOr<DeclaredTokens> DeclaredTokens::Read(const std::filesystem::path& base_dir) {
  DeclaredTokens declared;
  DeclaredTokensReader reader(&declared);
  const auto read = [&](const char* name, auto use) -> absl::Status {
    ASSIGN_OR_RETURN(const nlohmann::ordered_json json, ReadObject(base_dir / name));
    return Annotate((reader.*use)(json), (base_dir / name).string());
  };
  RETURN_IF_ERROR(read("tokenizer_config.json", &DeclaredTokensReader::ReadConfig));
  if (!declared.has_decoder_) {
    RETURN_IF_ERROR(read("special_tokens_map.json", &DeclaredTokensReader::ReadMap));
    RETURN_IF_ERROR(read("added_tokens.json", &DeclaredTokensReader::ReadAddedJson));
  }
  RETURN_IF_ERROR(read("config.json", &DeclaredTokensReader::ReadModelType));
  reader.Finish();
  return declared;
}

void DeclaredTokens::Sort() {
  OrderedTokens ordered;
  for (const char* name : kStandardNames) {
    for (const auto& entry : named_) {
      if (entry.first == name) ordered.push_back(entry);
    }
  }
  for (const auto& entry : named_) {
    if (!IsStandardName(entry.first)) ordered.push_back(entry);
  }
  named_ = std::move(ordered);
}

void DeclaredTokens::AddClassDefaults(bool byte_level,
                                      absl::FunctionRef<bool(const std::string&)> has_token) {
  for (const auto& [name, text] : TokenizerClassDefaults(config_, model_type_, byte_level)) {
    if (Find(name) != nullptr || config_.contains(name) || !has_token(text)) continue;
    named_.emplace_back(name, DeclaredToken{TokenOf(text, /*special=*/true), /*only_text=*/true});
  }
  Sort();
}

const DeclaredToken* DeclaredTokens::Find(const std::string& name) const {
  for (const auto& [known, declared] : named_) {
    if (known == name) return &declared;
  }
  return nullptr;
}

std::optional<std::string> DeclaredTokens::Text(const std::string& name) const {
  const DeclaredToken* declared = Find(name);
  if (declared == nullptr || declared->token.content.empty()) return std::nullopt;
  return declared->token.content;
}

std::map<std::string, std::string> DeclaredTokens::Texts() const {
  std::map<std::string, std::string> texts;
  for (const auto& [name, declared] : named_) {
    if (!declared.token.content.empty()) texts[name] = declared.token.content;
  }
  return texts;
}

std::vector<AddedToken> DeclaredTokens::ToAdd(
    const std::vector<AddedToken>& of_tokenizer_json) const {
  std::map<int64_t, AddedToken> decoder = decoder_;
  std::set<std::string> known, names;
  for (const AddedToken& token : of_tokenizer_json) {
    known.insert(token.content);
    if (!has_decoder_) decoder[token.declared_id] = token;
  }
  for (const auto& [id, token] : decoder) known.insert(token.content);
  std::vector<DeclaredToken> chosen;
  for (const auto& [id, token] : decoder) chosen.push_back({token});
  const auto choose = [&](const DeclaredToken& declared) {
    const auto same = [&](const DeclaredToken& other) { return Same(other, declared); };
    if (known.contains(declared.token.content)) return;
    if (std::none_of(chosen.begin(), chosen.end(), same)) chosen.push_back(declared);
  };
  for (const auto& [name, declared] : named_) {
    choose(declared);
    names.insert(declared.token.content);
  }
  for (const DeclaredToken& declared : extra_) choose(declared);
  std::vector<AddedToken> tokens;
  for (DeclaredToken& declared : chosen) {
    if (declared.token.content.empty()) continue;
    declared.token.special = declared.token.special || names.contains(declared.token.content);
    tokens.push_back(std::move(declared.token));
  }
  return tokens;
}

}  // namespace mozgach
