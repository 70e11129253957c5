#include "trainer/chat/jinja/syntax/literals.h"

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/utf8.h"
#include "trainer/chat/jinja/value/text.h"
#include "trainer/chat/jinja/value/unsupported.h"

namespace mozgach::jinja {
namespace {

bool IsDigit(std::string_view text, size_t i) {
  return i < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[i]));
}

size_t DigitsLength(std::string_view text, size_t begin) {
  size_t i = begin;
  while (IsDigit(text, i) ||
         (i > begin && i < text.size() && text[i] == '_' && IsDigit(text, i + 1))) {
    ++i;
  }
  return i - begin;
}

int DigitValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 16;
}

// Reads up to `count` digits of `base`, from `*offset` on.
char32_t ReadCode(std::string_view text, size_t count, int base, size_t* offset, size_t* read) {
  char32_t code = 0;
  for (*read = 0; *read < count && *offset < text.size(); ++*read, ++*offset) {
    const int digit = DigitValue(text[*offset]);
    if (digit >= base) break;
    code = code * static_cast<char32_t>(base) + static_cast<char32_t>(digit);
  }
  return code;
}

absl::Status AppendCode(std::string_view text, char kind, size_t* offset, std::string* out) {
  const size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : 8;
  size_t read = 0;
  const char32_t code = ReadCode(text, digits, 16, offset, &read);
  if (read < digits || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'\\", std::string(1, kind), "' in a string is not a character"));
  }
  AppendUtf8(code, out);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> DecodeString(std::string_view text) {
  static constexpr std::string_view kNames = "ntrabfv\\'\"";
  static constexpr std::string_view kMeanings = "\n\t\r\a\b\f\v\\'\"";
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i++];
    if (c != '\\' || i == text.size()) {
      out.push_back(c);
      continue;
    }
    const char kind = text[i++];
    size_t read = 0;
    if (kind == 'N') return Unsupported("'\\N' in a string");
    if (const size_t name = kNames.find(kind); name != std::string_view::npos) {
      out.push_back(kMeanings[name]);
    } else if (kind == 'x' || kind == 'u' || kind == 'U') {
      RETURN_IF_ERROR(AppendCode(text, kind, &i, &out));
    } else if (kind >= '0' && kind <= '7') {
      AppendUtf8(ReadCode(text, 3, 8, &--i, &read), &out);
    } else if (kind != '\n') {
      out.push_back('\\');
      out.push_back(kind);
    }
  }
  return out;
}

size_t NumberLength(std::string_view text, bool* is_float) {
  size_t length = DigitsLength(text, 0);
  *is_float = false;
  if (length + 1 < text.size() && text[length] == '.' && IsDigit(text, length + 1)) {
    length += 1 + DigitsLength(text, length + 1);
    *is_float = true;
  }
  if (length < text.size() && (text[length] == 'e' || text[length] == 'E')) {
    size_t digits = length + 1;
    if (digits < text.size() && (text[digits] == '+' || text[digits] == '-')) ++digits;
    if (IsDigit(text, digits)) {
      length = digits + DigitsLength(text, digits);
      *is_float = true;
    }
  }
  return length;
}

size_t WhiteSpaceLength(std::string_view text) {
  size_t length = 0;
  for (size_t offset = 0; offset < text.size(); length = offset) {
    if (!IsSpace(NextCodePoint(text, &offset))) break;
  }
  return length;
}

std::string_view OperatorAt(std::string_view text) {
  static constexpr std::array<std::string_view, 25> kOperators = {
      "//", "**", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "(",
      ")",  "[",  "]",  "{",  "}",  ".",  ",", ":", "|", "<", ">", "="};
  for (const std::string_view op : kOperators) {
    if (text.substr(0, op.size()) == op) return op;
  }
  return "";
}

std::string WithPlainLineBreaks(std::string_view source) {
  std::string text;
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r' && i + 1 < source.size() && source[i + 1] == '\n') continue;
    text.push_back(source[i] == '\r' ? '\n' : source[i]);
  }
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string_view TextBeforeTag(std::string_view text, char kind, char sign, bool line_starting) {
  if (sign == '-') {
    return text.substr(0, Strip(Text(std::string(text)), nullptr, Side::kRight).size());
  }
  if (sign == '+' || kind == '{') return text;
  const size_t newline = text.rfind('\n');
  if (newline == std::string_view::npos && !line_starting) return text;
  const size_t line = newline == std::string_view::npos ? 0 : newline + 1;
  const bool blank = WhiteSpaceLength(text.substr(line)) == text.size() - line;
  return blank ? text.substr(0, line) : text;
}

}  // namespace mozgach::jinja
