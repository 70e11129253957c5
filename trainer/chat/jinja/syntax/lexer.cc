#include "trainer/chat/jinja/syntax/lexer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/utf8.h"
#include "trainer/chat/jinja/syntax/literals.h"
#include "trainer/chat/jinja/value/characters.h"
#include "trainer/chat/jinja/value/unsupported.h"

namespace mozgach::jinja {
namespace {

// Returns the length of the name that `text` starts with; 0 if it does not start with a name.
size_t NameLength(std::string_view text) {
  size_t length = 0;
  for (size_t offset = 0; offset < text.size(); length = offset) {
    const char32_t c = NextCodePoint(text, &offset);
    const bool name = c < 0x80 ? absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'
                               : IsWordCharacter(c);
    if (!name) break;
  }
  return length;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  absl::StatusOr<std::vector<Token>> Run() {
    while (position_ < source_.size()) {
      const size_t tag = FindTag();
      if (tag == std::string_view::npos) {
        Emit(TokenKind::kText, source_.substr(position_));
        break;
      }
      RETURN_IF_ERROR(ReadTag(tag));
    }
    Emit(TokenKind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  absl::Status Error(std::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat("line ", line_, ": ", std::string(what)));
  }

  // Moves forward and counts the lines.
  void Advance(size_t count) {
    line_ += static_cast<int>(
        std::count(source_.begin() + static_cast<std::ptrdiff_t>(position_),
                   source_.begin() + static_cast<std::ptrdiff_t>(position_ + count), '\n'));
    position_ += count;
    line_starting_ = position_ > 0 && source_[position_ - 1] == '\n';
  }

  void Emit(TokenKind kind, std::string_view text) {
    if (kind == TokenKind::kText && text.empty()) return;
    tokens_.push_back({kind, std::string(text), line_});
  }

  std::string_view Rest() const { return source_.substr(position_); }
  bool At(std::string_view text) const { return Rest().substr(0, text.size()) == text; }

  size_t FindTag() const {
    for (size_t i = source_.find('{', position_); i != std::string_view::npos;
         i = source_.find('{', i + 1)) {
      const char kind = i + 1 < source_.size() ? source_[i + 1] : '\0';
      if (kind == '{' || kind == '%' || kind == '#') return i;
    }
    return std::string_view::npos;
  }

  absl::Status ReadTag(size_t tag) {
    const char kind = source_[tag + 1];
    const char sign = tag + 2 < source_.size() ? source_[tag + 2] : '\0';
    Emit(TokenKind::kText,
         TextBeforeTag(source_.substr(position_, tag - position_), kind, sign, line_starting_));
    Advance(tag - position_ + 2);
    if (sign == '-' || sign == '+') Advance(1);
    if (kind == '#') return ReadComment();
    if (kind == '{') return ReadExpression(TokenKind::kPrintBegin, TokenKind::kPrintEnd, "}}");
    if (const size_t raw = RawLength(position_, "raw"); raw > 0) return ReadRaw(raw);
    return ReadExpression(TokenKind::kBlockBegin, TokenKind::kBlockEnd, "%}");
  }

  // Skips text after a tag: white space if the tag ends with '-', else one line break after a
  // block.
  void After(char sign, bool block) {
    if (sign == '-') {
      Advance(WhiteSpaceLength(Rest()));
    } else if (sign != '+' && block && At("\n")) {
      Advance(1);
    }
  }

  absl::Status ReadComment() {
    const size_t end = Rest().find("#}");
    if (end == std::string_view::npos) return Error("the comment '{#' has no end '#}'");
    const char sign = end > 0 ? Rest()[end - 1] : '\0';
    Advance(end + 2);
    After(sign, /*block=*/true);
    return absl::OkStatus();
  }

  // Returns the length of "raw %}" at `begin`, with optional white space and sign; 0 if the text is
  // different.
  size_t RawLength(size_t begin, std::string_view word) const {
    const std::string_view rest = source_.substr(begin);
    size_t i = WhiteSpaceLength(rest);
    if (rest.substr(i, word.size()) != word) return 0;
    i += word.size();
    i += WhiteSpaceLength(rest.substr(i));
    if (rest.substr(i, 1) == "-" || rest.substr(i, 1) == "+") ++i;
    return rest.substr(i, 2) == "%}" ? i + 2 : 0;
  }

  absl::Status ReadRaw(size_t length) {
    const char sign = source_[position_ + length - 3];
    Advance(length);
    After(sign, /*block=*/false);
    for (size_t tag = position_; (tag = source_.find("{%", tag)) != std::string_view::npos; ++tag) {
      const char begin_sign = tag + 2 < source_.size() ? source_[tag + 2] : '\0';
      const size_t word = tag + (begin_sign == '-' || begin_sign == '+' ? 3 : 2);
      const size_t end = RawLength(std::min(word, source_.size()), "endraw");
      if (end == 0) continue;
      Emit(TokenKind::kText, TextBeforeTag(source_.substr(position_, tag - position_), '%',
                                           begin_sign, line_starting_));
      Advance(word + end - position_);
      After(source_[position_ - 3], /*block=*/true);
      return absl::OkStatus();
    }
    return Error("'{% raw %}' has no '{% endraw %}'");
  }

  absl::Status ReadExpression(TokenKind begin, TokenKind end, std::string_view bracket) {
    const int first_line = line_;
    Emit(begin, "");
    open_.clear();
    for (;;) {
      Advance(WhiteSpaceLength(Rest()));
      if (position_ == source_.size()) {
        line_ = first_line;
        return Error(absl::StrCat("the tag has no end '", std::string(bracket), "'"));
      }
      const bool block = bracket == "%}";
      const char sign = At("-") || (block && At("+")) ? source_[position_] : '\0';
      if (open_.empty() && Rest().substr(sign == '\0' ? 0 : 1, 2) == bracket) {
        Emit(end, "");
        Advance(sign == '\0' ? 2 : 3);
        After(sign, block);
        return absl::OkStatus();
      }
      RETURN_IF_ERROR(ReadToken());
    }
  }

  absl::Status ReadToken() {
    const char c = source_[position_];
    if (c == '"' || c == '\'') return ReadString(c);
    if (absl::ascii_isdigit(static_cast<unsigned char>(c))) return ReadNumber();
    const size_t length = NameLength(Rest());
    if (length == 0) return ReadOperator();
    Emit(TokenKind::kName, Rest().substr(0, length));
    Advance(length);
    return absl::OkStatus();
  }

  absl::Status ReadString(char quote) {
    size_t end = position_ + 1;
    while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size()) return Error("a string has no end");
    const absl::StatusOr<std::string> text =
        DecodeString(source_.substr(position_ + 1, end - position_ - 1));
    if (!text.ok()) return Error(std::string(text.status().message()));
    Emit(TokenKind::kString, *text);
    Advance(end + 1 - position_);
    return absl::OkStatus();
  }

  absl::Status ReadNumber() {
    bool is_float = false;
    const size_t length = NumberLength(Rest(), &is_float);
    const bool zero = length == 1 && At("0") && Rest().size() > 1;
    if (zero && std::string_view("xXoObB").find(Rest()[1]) != std::string_view::npos) {
      return Error(std::string(Unsupported("a number that is not decimal").message()));
    }
    std::string digits(Rest().substr(0, length));
    digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
    Emit(is_float ? TokenKind::kFloat : TokenKind::kInteger, digits);
    Advance(length);
    return absl::OkStatus();
  }

  absl::Status ReadOperator() {
    const std::string_view found = OperatorAt(Rest());
    if (found.empty()) {
      size_t end = position_;
      NextCodePoint(source_, &end);
      return Error(absl::StrCat("unexpected character '",
                                std::string(source_.substr(position_, end - position_)), "'"));
    }
    if (found == "(" || found == "[" || found == "{") open_.push_back(found[0]);
    if (found == ")" || found == "]" || found == "}") {
      const char opening = found == ")" ? '(' : found == "]" ? '[' : '{';
      if (open_.empty() || open_.back() != opening) {
        return Error(absl::StrCat("unexpected '", std::string(found), "'"));
      }
      open_.pop_back();
    }
    Emit(TokenKind::kOperator, found);
    Advance(found.size());
    return absl::OkStatus();
  }

  std::string_view source_;
  size_t position_ = 0;
  int line_ = 1;
  bool line_starting_ = true;
  std::vector<char> open_;  // brackets inside the tag
  std::vector<Token> tokens_;
};

}  // namespace

absl::StatusOr<std::vector<Token>> Tokenize(std::string_view source) {
  const std::string text = WithPlainLineBreaks(source);
  return Lexer(text).Run();
}

}  // namespace mozgach::jinja
