// Symbols turns a word into the initial tokens for merging: one per byte or per character.
//
// A character without a token becomes byte tokens ("<0xE2>") if the model has byte_fallback, else
// the unknown token. Without an unknown token it is omitted, as in Hugging Face's tokenizers, and
// its bytes are counted with a neighbour. Immutable; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "trainer/tokenizer/bpe/vocabulary.h"
#include "trainer/tokenizer/text/json_object.h"

namespace mozgach {

// A token and the number of bytes of the word that it stands for.
struct Token {
  int32_t id;
  uint32_t bytes;
};

class Symbols {
 public:
  // Reads "unk_token", "fuse_unk" and "byte_fallback" of `model`. `vocabulary` must outlive the
  // result. INVALID_ARGUMENT if the unknown token or one of the 256 byte tokens is missing from it.
  static absl::StatusOr<Symbols> Make(const JsonObject& model, bool byte_level,
                                      const Vocabulary& vocabulary);

  // Appends the symbols of `word`. REQUIRES: `word` is UTF-8.
  void Append(std::string_view word, std::vector<Token>* symbols) const;

  // Return the symbol at the start or at the end of `token`'s text; -1 if none.
  int32_t First(int32_t token) const;
  int32_t Last(int32_t token) const;

  // Returns true if `token` does not stand for its own text: the unknown token, or a byte token.
  bool StandsForOther(int32_t token) const;

 private:
  explicit Symbols(const Vocabulary& vocabulary) : vocabulary_(&vocabulary) {}

  absl::Status ReadBytes(const JsonObject& model);
  void ReadCharacters();
  int32_t OfCharacter(std::string_view character) const;
  void AppendBytes(std::string_view word, std::vector<Token>* symbols) const;
  void AppendCharacters(std::string_view word, std::vector<Token>* symbols) const;

  const Vocabulary* vocabulary_;
  bool byte_level_ = false;
  bool fallback_ = false;
  bool fuse_unknown_ = false;
  int32_t unknown_ = -1;
  std::array<int32_t, 256> of_byte_ = {};  // by byte (byte-level BPE, byte_fallback); -1: none
  std::vector<int32_t> of_character_;      // by code point (Basic Multilingual Plane); -1: none
};

}  // namespace mozgach
