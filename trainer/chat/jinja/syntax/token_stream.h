// A TokenStream is the parser's place in the tokens of a template.  One thread at a time.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status.h"
#include "trainer/chat/jinja/syntax/lexer.h"

namespace mozgach::jinja {

class TokenStream {
 public:
  // REQUIRES: the last token is kEnd.
  explicit TokenStream(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  const Token& Peek() const { return tokens_[position_]; }
  const Token& PeekNext() const {
    return tokens_[position_ + 1 < tokens_.size() ? position_ + 1 : position_];
  }
  int line() const { return Peek().line; }

  // The token here; the stream moves on, but never past the end.
  Token Next();

  bool TakeOperator(std::string_view text);  // moves on where it stands here
  bool TakeName(std::string_view text);

  absl::Status Expect(TokenKind kind, std::string_view what);
  absl::Status ExpectOperator(std::string_view text);
  absl::StatusOr<std::string> ExpectName(std::string_view what);

  // INVALID_ARGUMENT "line N: what".
  absl::Status Error(std::string_view what) const;
  // "line N: expected `what`, found …".
  absl::Status Unexpected(std::string_view what) const;

 private:
  std::vector<Token> tokens_;
  size_t position_ = 0;
};

}  // namespace mozgach::jinja
