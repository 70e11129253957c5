// How a FieldReader turns one value into one member.
#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/domain/field_reader.h"
#include "common/nearest_name.h"

namespace mozgach {
namespace {

constexpr size_t kMaxTextBytes = 4096;
constexpr size_t kMaxListItems = 4096;
constexpr size_t kMaxLabels = 64;

// What YAML (and JSON) take for a decimal number; not nan, inf and hexadecimal ones.
bool ParseNumber(const std::string& text, double* number) {
  return text.find_first_not_of("0123456789+-.eE") == std::string::npos &&
         absl::SimpleAtod(text, number) && std::isfinite(*number);
}

bool HasControlCharacter(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) {
    return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7F;
  });
}

}  // namespace

void FieldReader::Mismatch(const std::string& name, const char* wanted, const SpecValue& value) {
  problems_->Add(value.place, absl::StrCat(name, " must be ", wanted, ", not ", Describe(value)));
}

void FieldReader::CheckRange(const std::string& name, const SpecValue& value, const FieldRule& rule,
                             double number) {
  if (!InRange(rule, number)) Mismatch(name, RangeOf(rule).c_str(), value);
}

bool FieldReader::CheckList(const std::string& name, const SpecValue& value,
                            const FieldRule& rule) {
  if (value.kind == SpecValue::Kind::kMap) {
    Mismatch(name, "a list", value);
    return false;
  }
  if (rule.required && value.kind == SpecValue::Kind::kList && value.items.empty()) {
    problems_->Add(value.place,
                   absl::StrCat(name, " is an empty list, it needs at least one entry"));
    return false;
  }
  if (value.items.size() > kMaxListItems) {
    problems_->Add(value.place, absl::StrCat(name, " has ", value.items.size(),
                                             " entries, the most are ", kMaxListItems));
    return false;
  }
  if (rule.empty_only && (value.kind != SpecValue::Kind::kList || !value.items.empty())) {
    problems_->Add(value.place, absl::StrCat(name, " is not supported yet, leave it out"));
    return false;
  }
  return true;
}

bool FieldReader::CheckChoice(const std::string& name, const SpecValue& value,
                              const FieldRule& rule) {
  const auto has = [&value](const std::vector<std::string_view>& names) {
    return std::find(names.begin(), names.end(), value.text) != names.end();
  };
  if (rule.one_of.empty() || has(rule.one_of)) return true;
  if (has(rule.later)) {
    problems_->Add(value.place, absl::StrCat(name, ": ", value.text, " is not supported yet, use ",
                                             ListOf(rule.one_of)));
    return false;
  }
  std::string message =
      absl::StrCat(name, " must be ", ListOf(rule.one_of), ", not ", Describe(value));
  const std::string nearest =
      NearestName(value.text, std::vector<std::string>(rule.one_of.begin(), rule.one_of.end()));
  if (!nearest.empty()) absl::StrAppend(&message, ", did you mean '", nearest, "'?");
  problems_->Add(value.place, std::move(message));
  return false;
}

void FieldReader::Read(const std::string& name, const SpecValue& value, const FieldRule& rule,
                       std::string* member) {
  if (!value.IsScalar()) return Mismatch(name, "text", value);
  if (value.text.size() > kMaxTextBytes || HasControlCharacter(value.text)) {
    problems_->Add(value.place, absl::StrCat(name, " must be text of at most ", kMaxTextBytes,
                                             " bytes without control characters"));
    return;
  }
  SpecValue canonical = value;
  // `True` is what some tools write for true.
  if (value.kind == SpecValue::Kind::kPlain && !rule.one_of.empty()) {
    const std::string lower = absl::AsciiStrToLower(value.text);
    if (lower == "true" || lower == "false") canonical.text = lower;
  }
  if (!CheckChoice(name, canonical, rule)) return;
  if (rule.valid != nullptr && !rule.valid(value.text)) return Mismatch(name, rule.form, value);
  if (rule.required && value.text.empty()) return Mismatch(name, "text", value);
  *member = canonical.text;
}

void FieldReader::Read(const std::string& name, const SpecValue& value, const FieldRule&,
                       bool* member) {
  const std::string text =
      value.kind == SpecValue::Kind::kPlain ? absl::AsciiStrToLower(value.text) : "";
  if (text != "true" && text != "false") return Mismatch(name, "true or false", value);
  *member = text == "true";
}

void FieldReader::Read(const std::string& name, const SpecValue& value, const FieldRule& rule,
                       int64_t* member) {
  int64_t number = 0;
  double wide = 0;
  if (value.kind != SpecValue::Kind::kPlain || !ParseNumber(value.text, &wide)) {
    return Mismatch(name, "a whole number", value);
  }
  if (!absl::SimpleAtoi(value.text, &number)) {
    const bool whole = std::trunc(wide) == wide;
    return Mismatch(name, whole ? "a whole number below 2^63, in digits" : "a whole number", value);
  }
  CheckRange(name, value, rule, static_cast<double>(number));
  *member = number;
}

void FieldReader::Read(const std::string& name, const SpecValue& value, const FieldRule& rule,
                       double* member) {
  if (value.kind != SpecValue::Kind::kPlain || !ParseNumber(value.text, member)) {
    return Mismatch(name, "a number", value);
  }
  CheckRange(name, value, rule, *member);
}

void FieldReader::Read(const std::string& name, const SpecValue& value, const FieldRule& rule,
                       std::variant<double, std::string>* member) {
  double number = 0;
  if (value.kind == SpecValue::Kind::kPlain && ParseNumber(value.text, &number)) {
    CheckRange(name, value, rule, number);
    *member = number;
    return;
  }
  const std::string lower = absl::AsciiStrToLower(value.text);
  const bool is_word = value.kind == SpecValue::Kind::kPlain &&
                       (lower == "false" || lower == "true" || lower == "none");
  if (!value.IsScalar() || is_word || absl::StripAsciiWhitespace(value.text).empty()) {
    return Mismatch(name, "a fraction of the rows of train, like 0.1, 0 for none, or a file",
                    value);
  }
  std::string text;
  Read(name, value, {}, &text);
  *member = std::move(text);
}

void FieldReader::Read(const std::string& name, const SpecValue& value, const FieldRule&,
                       std::map<std::string, std::string>* member) {
  if (value.kind != SpecValue::Kind::kMap) return Mismatch(name, "a map of texts", value);
  if (value.entries.size() > kMaxLabels) {
    problems_->Add(value.place, absl::StrCat(name, " has ", value.entries.size(),
                                             " entries, the most are ", kMaxLabels));
    return;
  }
  member->clear();
  for (const SpecValue::Entry& entry : value.entries) {
    if (member->count(entry.key) > 0) {
      problems_->Add(entry.key_place, absl::StrCat("key ", Quoted(entry.key), " is there twice"));
    }
    if (entry.key.empty() || entry.key.size() > kMaxTextBytes || HasControlCharacter(entry.key)) {
      problems_->Add(entry.key_place, absl::StrCat(name, " has a key that is not plain text"));
      continue;
    }
    Read(absl::StrCat(name, ".", entry.key), entry.value, {}, &(*member)[entry.key]);
  }
}

}  // namespace mozgach
