// TurnEnds knows the tokens that end and begin a turn in what a chat template writes.
//
// A template may write the end of a turn right after an answer, after a line break, or after other
// text ("\n### End\n</s>"). The end is a token that the base declares (eos_token, eos_token_id) or
// an added token that the template writes after the last answer of a sample conversation, flagged
// special or not. Immutable; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "trainer/chat/chat_template.h"
#include "trainer/tokenizer/tokenizer.h"

namespace mozgach {

class TurnEnds {
 public:
  // `chat_template` may be null: then only the declared tokens are known. A template that refuses
  // the sample conversation adds none either.
  TurnEnds(const Tokenizer& tokenizer, const ChatTemplate* chat_template);

  // The position of the end token in `ids`: text of the template between an answer and the next
  // message, or the end. The first declared token wins, then the first one that the template
  // writes. Tokens behind the first one that begins a turn do not count.
  std::optional<size_t> Find(std::span<const int32_t> ids) const;

  // Tokens that generation should stop at: the declared ones and those the template writes.
  const std::vector<int32_t>& stop_ids() const { return stop_ids_; }

  // Tokens that mark turns. What people wrote is never one of them (Tokenizer::EncodePieces).
  const std::vector<int32_t>& markers() const { return markers_; }

 private:
  void Learn(const Tokenizer& tokenizer, const ChatTemplate& chat_template);

  std::vector<int32_t> declared_;
  std::vector<int32_t> written_;
  std::vector<int32_t> begins_;
  std::vector<int32_t> stop_ids_;
  std::vector<int32_t> markers_;
};

}  // namespace mozgach
