#include "common/size_text.h"

#include <array>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/utf8.h"

namespace mozgach {
namespace {

constexpr double kSizeMax = 1e18;

// The bytes of a unit in lower case; 0: unknown.
double UnitBytes(const std::string& unit) {
  static const auto* const units = new std::map<std::string, double>{
      {"", 1},       {"b", 1},        {"k", 0x1p10},   {"kib", 0x1p10}, {"kb", 1e3},
      {"m", 0x1p20}, {"mib", 0x1p20}, {"mb", 1e6},     {"g", 0x1p30},   {"gib", 0x1p30},
      {"gb", 1e9},   {"t", 0x1p40},   {"tib", 0x1p40}, {"tb", 1e12}};
  const auto found = units->find(unit);
  return found == units->end() ? 0 : found->second;
}

}  // namespace

absl::StatusOr<uint64_t> ParseSize(std::string_view text) {
  std::string trimmed(text);
  absl::StripAsciiWhitespace(&trimmed);
  const size_t end = trimmed.find_first_not_of("0123456789.");
  std::string unit = end == std::string::npos ? "" : absl::AsciiStrToLower(trimmed.substr(end));
  absl::StripLeadingAsciiWhitespace(&unit);
  double number = 0;
  const bool is_number = absl::SimpleAtod(trimmed.substr(0, end), &number);
  const double bytes = number * UnitBytes(unit);
  if (!is_number || !(bytes > 0) || bytes > kSizeMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", Abbreviate(std::string(text), 60),
                     "' is not a size; write it like 16GiB, 500MB or a number of bytes"));
  }
  return static_cast<uint64_t>(bytes);
}

std::string FormatSize(uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  double amount = static_cast<double>(bytes);
  size_t unit = 0;
  while (amount >= 1024 && unit + 1 < kUnits.size()) {
    amount /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.*f %s", unit == 0 ? 0 : 1, amount, kUnits[unit]);
}

}  // namespace mozgach
