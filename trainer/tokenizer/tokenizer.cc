#include "trainer/tokenizer/tokenizer.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "trainer/tokenizer/added_tokens.h"
#include "trainer/tokenizer/bpe/bpe_model.h"
#include "trainer/tokenizer/declared_tokens.h"
#include "trainer/tokenizer/encoding_pass.h"
#include "trainer/tokenizer/text/json_object.h"
#include "trainer/tokenizer/text/normalizer.h"
#include "trainer/tokenizer/text/pre_tokenizer.h"
#include "trainer/tokenizer/text/utf8.h"
#include "trainer/tokenizer/token_decoder.h"
#include "trainer/tokenizer/token_roles.h"
#include "trainer/tokenizer/tokenizer_file.h"

namespace mozgach {
namespace {

constexpr size_t kTextBytesMax = size_t{1} << 30;

absl::Status CheckText(std::string_view text) {
  if (text.size() > kTextBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("a text of ", text.size(), " bytes is too long; the most is ", kTextBytesMax));
  }
  const size_t invalid = FirstInvalidUtf8(text);
  if (invalid == std::string_view::npos) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the text is not UTF-8 at byte ", invalid));
}

class FileTokenizer : public Tokenizer {
 public:
  // Builds the tokenizer from `file`, and adds the defaults of the tokenizer class to `declared`.
  static absl::StatusOr<std::shared_ptr<FileTokenizer>> Make(TokenizerFile file,
                                                             DeclaredTokens* declared) {
    std::shared_ptr<FileTokenizer> tokenizer(new FileTokenizer(std::move(file.vocabulary)));
    ASSIGN_OR_RETURN(const JsonObject outline, JsonObject::From(file.outline, ""));
    RETURN_IF_ERROR(tokenizer->ReadPipeline(outline));
    ASSIGN_OR_RETURN(const JsonObject model, outline.Object("model"));
    const PreTokenizer* words = tokenizer->pre_tokenizer_.get();
    const bool byte_level = words != nullptr && words->byte_level();
    ASSIGN_OR_RETURN(tokenizer->model_,
                     BpeModel::Make(model, byte_level, tokenizer->vocabulary_, file.merges));
    RETURN_IF_ERROR(tokenizer->ReadAdded(outline));
    declared->AddClassDefaults(
        byte_level, [&](const std::string& text) { return tokenizer->TokenId(text).has_value(); });
    RETURN_IF_ERROR(tokenizer->AddDeclared(declared->ToAdd(tokenizer->added_)));
    RETURN_IF_ERROR(tokenizer->IndexAdded());
    return tokenizer;
  }

  absl::Status ReadRoles(const std::filesystem::path& base_dir,
                         const nlohmann::json& post_processor, const DeclaredTokens& declared) {
    ASSIGN_OR_RETURN(roles_,
                     LoadTokenRoles(base_dir, post_processor, declared,
                                    [this](std::string_view text) { return TokenId(text); }));
    return absl::OkStatus();
  }

  absl::Status Encode(std::string_view text, SpecialTokens special,
                      std::vector<int32_t>* ids) const override {
    RETURN_IF_ERROR(CheckText(text));
    EncodingPass pass(Parts(), {text.size()}, {special == SpecialTokens::kParse}, {}, ids, nullptr);
    return pass.Run(text);
  }

  using Tokenizer::EncodePieces;
  absl::Status EncodePieces(std::span<const Piece> pieces, std::span<const int32_t> markers,
                            std::vector<int32_t>* ids,
                            std::vector<int32_t>* piece_of_token) const override {
    std::string text;
    std::vector<size_t> ends;
    std::vector<bool> parses;
    for (const Piece& piece : pieces) {
      text += piece.text;
      ends.push_back(text.size());
      parses.push_back(piece.special == SpecialTokens::kParse);
    }
    RETURN_IF_ERROR(CheckText(text));
    EncodingPass pass(Parts(), std::move(ends), std::move(parses), markers, ids, piece_of_token);
    return pass.Run(text);
  }

  std::string Decode(std::span<const int32_t> ids, bool skip_special) const override {
    std::vector<std::string> texts;
    for (const int32_t id : ids) {
      if (!vocabulary_.Has(id) && !names_.Has(id)) continue;
      if (!skip_special || !IsSpecial(id)) texts.push_back(TextInside(id));
    }
    if (decoder_ == nullptr) return absl::StrJoin(texts, " ");
    decoder_->Apply(&texts);
    return absl::StrJoin(texts, "");
  }

  std::optional<int32_t> TokenId(std::string_view token) const override {
    const int32_t added = names_.Find(token);
    const int32_t id = added >= 0 ? added : vocabulary_.Find(token);
    return id >= 0 ? std::optional<int32_t>(id) : std::nullopt;
  }
  std::string TokenText(int32_t id) const override {
    if (names_.Has(id)) return std::string(names_.Text(id));
    return vocabulary_.Has(id) ? std::string(vocabulary_.Text(id)) : "";
  }
  bool IsSpecial(int32_t id) const override {
    return id >= 0 && id < static_cast<int32_t>(special_.size()) && special_[id];
  }
  bool IsAdded(int32_t id) const override { return names_.Has(id); }
  int32_t VocabularySize() const override { return std::max(vocabulary_.end(), names_.end()); }

  std::optional<int32_t> BosToPrepend() const override { return roles_.bos_to_prepend; }
  std::optional<int32_t> BosId() const override { return roles_.bos; }
  std::optional<int32_t> EosId() const override { return roles_.eos; }
  std::optional<int32_t> PadId() const override { return roles_.pad; }
  const std::vector<int32_t>& StopIds() const override { return roles_.stop; }

 private:
  explicit FileTokenizer(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}

  // Normalizer, pre-tokenizer and decoder; each may be null.
  absl::Status ReadPipeline(const JsonObject& outline) {
    if (outline.Find("normalizer") != nullptr) {
      ASSIGN_OR_RETURN(const JsonObject json, outline.Object("normalizer"));
      ASSIGN_OR_RETURN(normalizer_, Normalizer::FromJson(json));
    }
    if (outline.Find("pre_tokenizer") != nullptr) {
      ASSIGN_OR_RETURN(const JsonObject json, outline.Object("pre_tokenizer"));
      ASSIGN_OR_RETURN(pre_tokenizer_, PreTokenizer::FromJson(json));
    }
    if (outline.Find("decoder") != nullptr) {
      ASSIGN_OR_RETURN(const JsonObject json, outline.Object("decoder"));
      ASSIGN_OR_RETURN(decoder_, TokenDecoder::FromJson(json));
    }
    return absl::OkStatus();
  }

  absl::Status ReadAdded(const JsonObject& outline) {
    if (outline.Find("added_tokens") == nullptr) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::vector<JsonObject> list, outline.Objects("added_tokens"));
    ASSIGN_OR_RETURN(added_, ReadAddedTokens(list, vocabulary_, &names_));
    return absl::OkStatus();
  }

  // A text that exists keeps its id and gets the new flags. A new text gets the next id, as in
  // tokenizers' add_tokens.
  absl::Status AddDeclared(const std::vector<AddedToken>& tokens) {
    absl::flat_hash_map<int32_t, size_t> place;  // in added_, by id
    for (size_t i = 0; i < added_.size(); ++i) place[added_[i].id] = i;
    for (AddedToken token : tokens) {
      token.id = names_.Find(token.content);
      if (token.id >= 0) {
        added_[place.at(token.id)] = std::move(token);
        continue;
      }
      token.id = vocabulary_.Find(token.content);
      if (token.id < 0) token.id = NextAddedId(vocabulary_, names_);
      RETURN_IF_ERROR(names_.Add(token.content, token.id));
      place[token.id] = added_.size();
      added_.push_back(std::move(token));
    }
    return absl::OkStatus();
  }

  absl::Status IndexAdded() {
    special_.resize(static_cast<size_t>(names_.end()));
    for (const AddedToken& token : added_) {
      special_[token.id] = token.special;
      if (!token.normalized) {
        raw_tokens_.Add(token.content, &token);
        continue;
      }
      TrackedText content = {token.content, {}};
      if (normalizer_ != nullptr) RETURN_IF_ERROR(normalizer_->Apply(&content));
      normalized_tokens_.Add(content.text, &token);
      if (content.text != token.content) normalized_texts_[token.id] = content.text;
    }
    return absl::OkStatus();
  }

  // Returns the text of `id` in a normalised text: the input of a decoder.
  std::string TextInside(int32_t id) const {
    const auto normalized = normalized_texts_.find(id);
    return normalized == normalized_texts_.end() ? TokenText(id) : normalized->second;
  }

  EncodingParts Parts() const {
    return {&raw_tokens_, &normalized_tokens_, normalizer_.get(), pre_tokenizer_.get(),
            model_.get()};
  }

  const Vocabulary vocabulary_;  // the model's
  Vocabulary names_;             // the added tokens'
  std::vector<AddedToken> added_;
  std::vector<bool> special_;                                   // by id
  absl::flat_hash_map<int32_t, std::string> normalized_texts_;  // if not the token's text
  AddedTokenMatcher raw_tokens_;
  AddedTokenMatcher normalized_tokens_;
  std::unique_ptr<Normalizer> normalizer_;
  std::unique_ptr<PreTokenizer> pre_tokenizer_;
  std::unique_ptr<BpeModel> model_;
  std::unique_ptr<TokenDecoder> decoder_;
  TokenRoles roles_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const Tokenizer>> Tokenizer::Load(
    const std::filesystem::path& base_dir) {
  const std::filesystem::path path = base_dir / "tokenizer.json";
  ASSIGN_OR_RETURN(TokenizerFile file, ReadTokenizerFile(path));
  ASSIGN_OR_RETURN(DeclaredTokens declared, DeclaredTokens::Read(base_dir));
  const nlohmann::json post_processor =
      file.outline.is_object() ? file.outline.value("post_processor", nlohmann::json()) : nullptr;
  absl::StatusOr<std::shared_ptr<FileTokenizer>> tokenizer =
      FileTokenizer::Make(std::move(file), &declared);
  if (!tokenizer.ok()) return Annotate(tokenizer.status(), path.string());
  RETURN_IF_ERROR((*tokenizer)->ReadRoles(base_dir, post_processor, declared));
  return *std::move(tokenizer);
}

}  // namespace mozgach
