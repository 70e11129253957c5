// A ChatReport says what a base's chat template does with a conversation of two turns. Plain value.
#pragma once

#include <string>

namespace mozgach {

struct ChatReport {
  bool has_template = false;
  bool drops_answers = false;     // the template writes none of the assistant's words
  bool has_no_end_token = false;  // no token that ends a turn follows the last answer
  std::string error;  // why the conversation cannot be rendered or tokenised; empty: it can

  bool operator==(const ChatReport&) const = default;
};

}  // namespace mozgach
