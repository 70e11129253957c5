// A ChatReport says what a base's chat template does with a conversation of two turns.
#pragma once

#include <filesystem>
#include <string>

namespace mozgach {

struct ChatReport {
  bool has_template = false;
  bool drops_answers = false;     // the template writes none of the assistant's words
  bool has_no_end_token = false;  // no token that ends a turn follows the last answer
  std::string error;  // why the conversation cannot be rendered or tokenised; empty: it can

  bool operator==(const ChatReport&) const = default;
};

// Loads the tokenizer and the chat template of `base_dir` as training does, and builds a sample
// conversation with them. Throws nothing; a base that cannot be read gives `error`. Thread-safe.
ChatReport InspectChat(const std::filesystem::path& base_dir);

}  // namespace mozgach
