#include "trainer/chat/jinja/syntax/token_stream.h"

#include "absl/strings/str_cat.h"
#include "common/utf8.h"

namespace mozgach::jinja {
namespace {

std::string Describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::kEnd:
      return "the end of the template";
    case TokenKind::kBlockEnd:
      return "'%}'";
    case TokenKind::kPrintEnd:
      return "'}}'";
    case TokenKind::kString:
      return absl::StrCat("the string '", Abbreviate(token.text, 40), "'");
    default:
      return absl::StrCat("'", Abbreviate(token.text, 40), "'");
  }
}

}  // namespace

Token TokenStream::Next() {
  const Token& token = tokens_[position_];
  if (position_ + 1 < tokens_.size()) ++position_;
  return token;
}

bool TokenStream::TakeOperator(std::string_view text) {
  if (!Peek().IsOperator(text)) return false;
  Next();
  return true;
}

bool TokenStream::TakeName(std::string_view text) {
  if (!Peek().IsName(text)) return false;
  Next();
  return true;
}

absl::Status TokenStream::Expect(TokenKind kind, std::string_view what) {
  if (Peek().kind != kind) return Unexpected(what);
  Next();
  return absl::OkStatus();
}

absl::Status TokenStream::ExpectOperator(std::string_view text) {
  if (TakeOperator(text)) return absl::OkStatus();
  return Unexpected(absl::StrCat("'", std::string(text), "'"));
}

absl::StatusOr<std::string> TokenStream::ExpectName(std::string_view what) {
  if (Peek().kind != TokenKind::kName) return Unexpected(what);
  return Next().text;
}

absl::Status TokenStream::Error(std::string_view what) const {
  return absl::InvalidArgumentError(absl::StrCat("line ", line(), ": ", std::string(what)));
}

absl::Status TokenStream::Unexpected(std::string_view what) const {
  return Error(absl::StrCat("expected ", std::string(what), ", found ", Describe(Peek())));
}

}  // namespace mozgach::jinja
