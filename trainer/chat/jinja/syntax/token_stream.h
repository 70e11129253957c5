// A TokenStream is the parser's position in the tokens of a template. Not thread-safe.
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

  // Returns the current token and advances, but never past the end.
  Token Next();

  // Advance and return true if the current token is this operator or name.
  bool TakeOperator(std::string_view text);
  bool TakeName(std::string_view text);

  absl::Status Expect(TokenKind kind, std::string_view what);
  absl::Status ExpectOperator(std::string_view text);
  absl::StatusOr<std::string> ExpectName(std::string_view what);

  // Returns INVALID_ARGUMENT "line N: what".
  absl::Status Error(std::string_view what) const;
  // Returns INVALID_ARGUMENT "line N: expected `what`, found …".
  absl::Status Unexpected(std::string_view what) const;

 private:
  std::vector<Token> tokens_;
  size_t position_ = 0;
};

}  // namespace mozgach::jinja
