#include "trainer/tokenizer/bpe/symbols.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "trainer/tokenizer/text/byte_level.h"
#include "trainer/tokenizer/text/utf8.h"

namespace mozgach {
namespace {

constexpr char32_t kBasicPlaneEnd = 0x10000;

}  // namespace

absl::StatusOr<Symbols> Symbols::Make(const JsonObject& model, bool byte_level,
                                      const Vocabulary& vocabulary) {
  Symbols symbols(vocabulary);
  symbols.byte_level_ = byte_level;
  ASSIGN_OR_RETURN(symbols.fuse_unknown_, model.Bool("fuse_unk", false));
  ASSIGN_OR_RETURN(symbols.fallback_, model.Bool("byte_fallback", false));
  ASSIGN_OR_RETURN(const std::optional<std::string> unknown, model.OptionalString("unk_token"));
  if (unknown.has_value()) {
    symbols.unknown_ = vocabulary.Find(*unknown);
    if (symbols.unknown_ < 0) {
      return model.Error("unk_token", absl::StrCat("'", *unknown, "' is not in model.vocab"));
    }
  }
  RETURN_IF_ERROR(symbols.ReadBytes(model));
  if (!byte_level) symbols.ReadCharacters();
  return symbols;
}

absl::Status Symbols::ReadBytes(const JsonObject& model) {
  std::string missing;
  for (int byte = 0; byte < 256; ++byte) {
    std::string text;
    if (byte_level_) {
      AppendUtf8(ByteLevelCharacter(static_cast<uint8_t>(byte)), &text);
    } else {
      text = absl::StrFormat("<0x%02X>", byte);
    }
    of_byte_[byte] = vocabulary_->Find(text);
    if (of_byte_[byte] < 0) missing = text;
  }
  if (fallback_ && !missing.empty()) {
    return model.Error("byte_fallback",
                       absl::StrCat("is on, but '", missing, "' is not in model.vocab"));
  }
  return absl::OkStatus();
}

void Symbols::ReadCharacters() {
  of_character_.assign(kBasicPlaneEnd, -1);
  for (int32_t id = 0; id < vocabulary_->end(); ++id) {
    if (!vocabulary_->Has(id)) continue;
    const std::string_view text = vocabulary_->Text(id);
    if (text.empty() || text.size() != Utf8Length(text[0])) continue;
    const char32_t character = DecodeUtf8(text, 0);
    if (character < kBasicPlaneEnd) of_character_[character] = id;
  }
}

int32_t Symbols::OfCharacter(std::string_view character) const {
  const char32_t code_point = DecodeUtf8(character, 0);
  return code_point < kBasicPlaneEnd ? of_character_[code_point] : vocabulary_->Find(character);
}

void Symbols::Append(std::string_view word, std::vector<Token>* symbols) const {
  byte_level_ ? AppendBytes(word, symbols) : AppendCharacters(word, symbols);
}

void Symbols::AppendBytes(std::string_view word, std::vector<Token>* symbols) const {
  const size_t first = symbols->size();
  uint32_t left_out = 0;
  bool after_unknown = false;
  for (const char c : word) {
    int32_t id = of_byte_[static_cast<unsigned char>(c)];
    const bool unknown = id < 0;
    if (unknown) id = unknown_;
    if (id < 0) {
      ++left_out;
    } else if (unknown && after_unknown && fuse_unknown_) {
      ++symbols->back().bytes;
    } else {
      symbols->push_back({id, 1 + left_out});
      left_out = 0;
    }
    after_unknown = unknown;
  }
  if (left_out > 0 && symbols->size() > first) symbols->back().bytes += left_out;
}

void Symbols::AppendCharacters(std::string_view word, std::vector<Token>* symbols) const {
  const size_t first = symbols->size();
  uint32_t left_out = 0;
  bool after_unknown = false;
  for (size_t at = 0; at < word.size();) {
    const uint32_t length = static_cast<uint32_t>(Utf8Length(word[at]));
    const std::string_view character = word.substr(at, length);
    at += length;
    const int32_t id = OfCharacter(character);
    const bool unknown = id < 0 && !fallback_ && unknown_ >= 0;
    if (id >= 0) {
      symbols->push_back({id, length + left_out});
      left_out = 0;
    } else if (fallback_) {
      for (const char c : character) symbols->push_back({of_byte_[static_cast<uint8_t>(c)], 1});
    } else if (!unknown) {
      left_out += length;
    } else if (after_unknown && fuse_unknown_) {
      symbols->back().bytes += length;
    } else {
      symbols->push_back({unknown_, length});
    }
    after_unknown = unknown;
  }
  if (left_out > 0 && symbols->size() > first) symbols->back().bytes += left_out;
}

int32_t Symbols::First(int32_t token) const {
  const std::string_view text = vocabulary_->Text(token);
  return text.empty() ? -1 : vocabulary_->Find(text.substr(0, Utf8Length(text[0])));
}

int32_t Symbols::Last(int32_t token) const {
  const std::string_view text = vocabulary_->Text(token);
  if (text.empty()) return -1;
  size_t begin = text.size() - 1;
  while (begin > 0 && IsUtf8Continuation(text[begin])) --begin;
  return vocabulary_->Find(text.substr(begin));
}

bool Symbols::StandsForOther(int32_t token) const {
  if (token == unknown_) return true;
  return fallback_ && std::find(of_byte_.begin(), of_byte_.end(), token) != of_byte_.end();
}

}  // namespace mozgach
