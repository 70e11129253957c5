// The lexer cuts a template into text and tokens, as Jinja2 does with trim_blocks and lstrip_blocks
// (the settings that transformers uses for chat templates): it removes the line break after a
// block, and the white space between the start of a line and a block. '-' and '+' next to a tag's
// brackets remove more white space or keep all of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace mozgach::jinja {

enum class TokenKind {
  kText,  // text outside tags
  kBlockBegin,
  kBlockEnd,
  kPrintBegin,
  kPrintEnd,
  kName,
  kString,  // `text` is the value of the literal
  kInteger,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
  int line = 1;

  bool Is(TokenKind k, std::string_view t) const { return kind == k && text == t; }
  bool IsOperator(std::string_view t) const { return Is(TokenKind::kOperator, t); }
  bool IsName(std::string_view t) const { return Is(TokenKind::kName, t); }
};

// Cuts `source` into tokens; the last one is kEnd. INVALID_ARGUMENT "line N: what" for a tag,
// comment or string without end, brackets that do not match, or a character that is not valid in
// Jinja.
absl::StatusOr<std::vector<Token>> Tokenize(std::string_view source);

}  // namespace mozgach::jinja
