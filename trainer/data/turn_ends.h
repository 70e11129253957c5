// TurnEnds finds the tokens that end and begin a turn in the text of a chat template.
//
// The end of a turn may follow an answer directly, after a line break, or after other text ("\n###
// End\n</s>"). It is a token that the base declares (eos_token, eos_token_id), or an added token,
// special or not, that the template writes after the last answer of a sample conversation.
// Immutable; thread-safe.
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
  // If `chat_template` is null, or rejects the sample conversation, only the declared tokens are
  // known.
  TurnEnds(const Tokenizer& tokenizer, const ChatTemplate* chat_template);

  // Returns the position of the end token in `ids`, the template's text between an answer and the
  // next message or the end. Prefers the first declared token, then the first token that the
  // template writes. Ignores tokens after the first one that begins a turn.
  std::optional<size_t> Find(std::span<const int32_t> ids) const;

  // Tokens that stop generation: the declared ones and those that the template writes.
  const std::vector<int32_t>& stop_ids() const { return stop_ids_; }

  // Tokens that mark turns. They are never recognised in messages (Tokenizer::EncodePieces).
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
