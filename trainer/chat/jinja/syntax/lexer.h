// The lexer cuts a template into text and tokens, as Jinja2 does with trim_blocks and lstrip_blocks
// on (the environment that transformers renders chat templates in): a block's line break goes, and
// so does the white space between the start of a line and a block.  '-' and '+' beside a tag's
// brackets strip more or keep all.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace mozgach::jinja {

enum class TokenKind {
  kText,  // outside of tags
  kBlockBegin,
  kBlockEnd,
  kPrintBegin,
  kPrintEnd,
  kName,
  kString,  // `text` is what the literal means
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

// The last token is kEnd.  INVALID_ARGUMENT "line N: what" for a tag, comment or string without
// end, brackets that do not match, or a character that Jinja does not know.
absl::StatusOr<std::vector<Token>> Tokenize(std::string_view source);

}  // namespace mozgach::jinja
