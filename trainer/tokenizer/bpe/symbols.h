// Symbols turn a word into what merging starts from: one token per byte or per character.
//
// A character without a token is spelled as bytes ("<0xE2>"), where the model has byte_fallback;
// else it is the unknown token; else it is left out, as in Hugging Face's tokenizers, and its bytes
// count to a neighbour.  Immutable; safe from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "trainer/tokenizer/bpe/vocabulary.h"
#include "trainer/tokenizer/text/json_object.h"

namespace mozgach {

// A token and how many bytes of the word it stands for.
struct Token {
  int32_t id;
  uint32_t bytes;
};

class Symbols {
 public:
  // Reads "unk_token", "fuse_unk" and "byte_fallback" of `model`.  `vocabulary` must outlive this.
  // INVALID_ARGUMENT when the unknown token or some of the 256 byte tokens are not in it.
  static absl::StatusOr<Symbols> Make(const JsonObject& model, bool byte_level,
                                      const Vocabulary& vocabulary);

  // Appends the symbols of `word`.  REQUIRES: `word` is UTF-8.
  void Append(std::string_view word, std::vector<Token>* symbols) const;

  // The symbol that `token`'s text begins, or ends, with; -1 when there is none.
  int32_t First(int32_t token) const;
  int32_t Last(int32_t token) const;

  // Whether `token` is a symbol that does not stand for its own text: the unknown token, a byte's.
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
  std::array<int32_t, 256> of_byte_ = {};  // symbols of byte-level BPE or byte_fallback; -1: none
  std::vector<int32_t> of_character_;  // by code point, of the Basic Multilingual Plane; -1: none
};

}  // namespace mozgach
