// How many tokens a dataset has, where no tokenizer is at hand: an estimate from its bytes.  Pure
// functions.
#pragma once

#include <cstdint>

namespace mozgach {

// Tokens of a row whose text has so many bytes, with the markers of a chat template.  Byte-level
// BPE of a few hundred thousand pieces gives 3 to 4.5 bytes of prose a token; this is the shorter
// side, so that a plan errs towards more.
int64_t EstimateTokens(int64_t text_bytes);

// What the rows of a domain come to, tokens.
struct RowTokens {
  int64_t rows = 0;
  int64_t total = 0;    // rows cut to max_length
  int64_t longest = 0;  // before they are cut
};

// The rows of a domain; all zero if nothing is known about them.
struct DomainRows {
  RowTokens train;  // less those that are held out
  RowTokens validation;
  RowTokens test;
};

}  // namespace mozgach
