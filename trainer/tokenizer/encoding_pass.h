// An EncodingPass encodes one text that consists of pieces, and finds the piece of every token.
//
// Pipeline, as in tokenizers: added tokens → normalizer → added tokens (normalized) → pre-tokenizer
// → model. Used once, by one thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "trainer/tokenizer/added_tokens.h"
#include "trainer/tokenizer/bpe/bpe_model.h"
#include "trainer/tokenizer/text/normalizer.h"
#include "trainer/tokenizer/text/pre_tokenizer.h"
#include "trainer/tokenizer/text/tracked_text.h"

namespace mozgach {

// The parts of a tokenizer. They must outlive the pass.
struct EncodingParts {
  const AddedTokenMatcher* raw_tokens;         // searched for before normalisation
  const AddedTokenMatcher* normalized_tokens;  // searched for after normalisation
  const Normalizer* normalizer;                // may be null
  const PreTokenizer* pre_tokenizer;           // if null, the whole text is one word
  const BpeModel* model;
};

class EncodingPass {
 public:
  // `piece_ends`: end offset of each piece, ascending. `piece_parses`: whether special tokens are
  // parsed in the piece. A special token, or one of `markers`, is recognised only if every piece
  // that it touches is parsed. Results are appended to `ids` and, unless it is null, to
  // `piece_of_token`.
  EncodingPass(const EncodingParts& parts, std::vector<size_t> piece_ends,
               std::vector<bool> piece_parses, std::span<const int32_t> markers,
               std::vector<int32_t>* ids, std::vector<int32_t>* piece_of_token);

  // REQUIRES: `text` is UTF-8 and ends where the last piece does.
  absl::Status Run(std::string_view text);

 private:
  // A part of the text between added tokens.
  struct Stretch {
    TrackedText text;    // its marks are the ends of pieces inside it
    size_t first_piece;  // the piece of its first byte
    bool at_start;       // begins at the start of the whole text
  };

  bool MayParse(const AddedToken& token, size_t first_piece, size_t last_piece) const;
  size_t PieceAt(size_t offset) const;  // `offset` is in the whole text
  static size_t PieceAt(const Stretch& stretch, size_t offset);
  Stretch Slice(std::string_view text, Span span) const;
  static Stretch Slice(const Stretch& whole, Span span);

  absl::Status EncodeOrdinary(Stretch stretch);
  absl::Status EncodeNormalized(Stretch stretch);
  void EmitAdded(const AddedToken& token, size_t piece);
  void EmitWords(const Words& words, size_t first_piece);

  const EncodingParts parts_;
  const std::vector<size_t> piece_ends_;
  const std::vector<bool> piece_parses_;
  const std::span<const int32_t> markers_;
  std::vector<int32_t>* ids_;
  std::vector<int32_t>* piece_of_token_;
  BpeModel::Lease room_;
  std::vector<Token> tokens_;
};

}  // namespace mozgach
