// An EncodingPass encodes one text, put together from pieces, and traces every token to its piece.
//
// added tokens → normalizer → added tokens (normalized) → pre-tokenizer → model, as tokenizers' own
// pipeline.  For one thread and one text.
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

// The parts of a tokenizer, which outlive the pass.
struct EncodingParts {
  const AddedTokenMatcher* raw_tokens;         // looked for before normalisation
  const AddedTokenMatcher* normalized_tokens;  // and after it
  const Normalizer* normalizer;                // may be null
  const PreTokenizer* pre_tokenizer;           // may be null: the whole text is one word
  const BpeModel* model;
};

class EncodingPass {
 public:
  // `piece_ends`: where each piece of the text ends, ascending; `piece_parses`: whether special
  // tokens are parsed in it.  A special token, or one of `markers`, counts only where all the
  // pieces that it touches parse.  Results are appended to `ids` and, unless it is null, to
  // `piece_of_token`.
  EncodingPass(const EncodingParts& parts, std::vector<size_t> piece_ends,
               std::vector<bool> piece_parses, std::span<const int32_t> markers,
               std::vector<int32_t>* ids, std::vector<int32_t>* piece_of_token);

  // REQUIRES: `text` is UTF-8 and ends where the last piece does.
  absl::Status Run(std::string_view text);

 private:
  // A part of the text between added tokens.
  struct Stretch {
    TrackedText text;    // marks: where pieces end inside of it
    size_t first_piece;  // the piece of its first byte
    bool at_start;       // whether it begins where the whole text does
  };

  bool MayParse(const AddedToken& token, size_t first_piece, size_t last_piece) const;
  size_t PieceAt(size_t offset) const;  // `offset` in the whole text
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
