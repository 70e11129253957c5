#include "trainer/chat/jinja/value/numbers.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "common/utf8.h"
#include "trainer/chat/jinja/value/characters.h"
#include "trainer/chat/jinja/value/text.h"
#include "trainer/chat/jinja/value/unsupported.h"

namespace mozgach::jinja {
namespace {

bool IsAsciiDigit(char c) { return c >= '0' && c <= '9'; }

// Returns `text` without surrounding white space and without '_' between digits; empty if it is not
// a number.
absl::StatusOr<std::string> NumberText(std::string_view text) {
  const Text stripped = Strip(Text(std::string(text)), nullptr, Side::kBoth);
  const std::string& bytes = stripped.bytes();
  for (size_t offset = 0; offset < bytes.size();) {
    const char32_t c = NextCodePoint(bytes, &offset);
    if (c >= 0x80 && IsDecimalDigit(c)) return Unsupported("a number in digits of other scripts");
    if (c >= 0x80) return std::string();
  }
  std::string number;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != '_') {
      number.push_back(bytes[i]);
    } else if (i == 0 || i + 1 == bytes.size() || !IsAsciiDigit(bytes[i - 1]) ||
               !IsAsciiDigit(bytes[i + 1])) {
      return std::string();
    }
  }
  return number;
}

std::string_view WithoutSign(std::string_view number) {
  if (!number.empty() && (number[0] == '+' || number[0] == '-')) number.remove_prefix(1);
  return number;
}

}  // namespace

absl::StatusOr<std::optional<int64_t>> ParseInteger(std::string_view text) {
  ASSIGN_OR_RETURN(const std::string number, NumberText(text));
  const std::string_view digits = WithoutSign(number);
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), IsAsciiDigit)) {
    return std::optional<int64_t>();
  }
  int64_t value = 0;
  if (!absl::SimpleAtoi(number, &value)) return Unsupported("an integer beyond 64 bits");
  return std::optional<int64_t>(value);
}

absl::StatusOr<std::optional<double>> ParseFloat(std::string_view text) {
  ASSIGN_OR_RETURN(const std::string number, NumberText(text));
  const std::string digits(WithoutSign(number));
  const bool word = absl::EqualsIgnoreCase(digits, "nan") ||
                    absl::EqualsIgnoreCase(digits, "inf") ||
                    absl::EqualsIgnoreCase(digits, "infinity");
  const bool plain = digits.find_first_not_of("0123456789.eE+-") == std::string::npos;
  double value = 0;
  if (!(word || plain) || !absl::SimpleAtod(number, &value)) return std::optional<double>();
  return std::optional<double>(value);
}

absl::StatusOr<std::optional<int64_t>> Truncate(double number) {
  if (std::isnan(number)) return std::optional<int64_t>();
  if (!(std::fabs(number) < 9.2e18)) return Unsupported("an integer beyond 64 bits");
  return std::optional<int64_t>(static_cast<int64_t>(number));
}

double FloorRemainder(double a, double b) {
  double remainder = std::fmod(a, b);
  if (remainder == 0) return std::copysign(0.0, b);
  if ((b < 0) != (remainder < 0)) remainder += b;
  return remainder;
}

double FloorQuotient(double a, double b) {
  double remainder = std::fmod(a, b);
  double quotient = (a - remainder) / b;
  if (remainder != 0 && (b < 0) != (remainder < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, a / b);
  double floored = std::floor(quotient);
  if (quotient - floored > 0.5) floored += 1;
  return floored;
}

}  // namespace mozgach::jinja
