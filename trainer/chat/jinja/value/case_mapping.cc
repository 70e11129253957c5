#include "trainer/chat/jinja/value/case_mapping.h"

#include <string>
#include <string_view>

#include "common/utf8.h"
#include "trainer/chat/jinja/value/characters.h"
#include "trainer/chat/jinja/value/special_casing.h"

namespace mozgach::jinja {
namespace {

constexpr char32_t kCapitalSigma = 0x3A3;
constexpr char32_t kSmallSigma = 0x3C3;
constexpr char32_t kFinalSigma = 0x3C2;
constexpr char32_t kCapitalIWithDot = 0x130;
constexpr char32_t kDotAbove = 0x307;

void AppendCharacters(std::u32string_view characters, std::string* out) {
  for (const char32_t c : characters) AppendUtf8(c, out);
}

void AppendUpper(char32_t c, std::string* out) {
  const std::u32string_view upper = LongUpperCase(c);
  upper.empty() ? AppendUtf8(SimpleUpperCase(c), out) : AppendCharacters(upper, out);
}

void AppendTitle(char32_t c, std::string* out) {
  const std::u32string_view title = LongTitleCase(c);
  title.empty() ? AppendUtf8(SimpleTitleCase(c), out) : AppendCharacters(title, out);
}

// Remembers whether the last character before a sigma is cased. Ignores case-ignorable characters.
class SigmaContext {
 public:
  void Pass(char32_t c) {
    if (!IsCaseIgnorable(c)) after_letter_ = IsCased(c);
  }
  bool after_letter() const { return after_letter_; }

 private:
  bool after_letter_ = false;
};

bool LetterFollows(std::string_view rest) {
  for (size_t offset = 0; offset < rest.size();) {
    const char32_t c = NextCodePoint(rest, &offset);
    if (!IsCaseIgnorable(c)) return IsCased(c);
  }
  return false;
}

// `rest` is the text after `c`.
void AppendLower(char32_t c, const SigmaContext& before, std::string_view rest, std::string* out) {
  if (c == kCapitalSigma) {
    AppendUtf8(before.after_letter() && !LetterFollows(rest) ? kFinalSigma : kSmallSigma, out);
    return;
  }
  AppendUtf8(c == kCapitalIWithDot ? U'i' : SimpleLowerCase(c), out);
  if (c == kCapitalIWithDot) AppendUtf8(kDotAbove, out);
}

// The character before the first one.
constexpr char32_t kNoCharacter = 0x110000;

// Writes title case where begins(previous character) is true, lower case elsewhere.
Text CaseWords(const Text& text, bool (*begins)(char32_t before)) {
  SigmaContext context;
  char32_t before = kNoCharacter;
  return text.Map([&, begins](char32_t c, std::string_view rest, std::string* out) {
    begins(before) ? AppendTitle(c, out) : AppendLower(c, context, rest, out);
    context.Pass(c);
    before = c;
  });
}

bool BeginsWord(char32_t c) {
  return IsSpace(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
}

bool HasOnlyCase(const Text& text, bool (*wanted)(char32_t), bool (*other)(char32_t)) {
  bool found = false;
  for (size_t offset = 0; offset < text.size();) {
    const char32_t c = NextCodePoint(text.bytes(), &offset);
    if (other(c) || IsTitleCase(c)) return false;
    found |= wanted(c);
  }
  return found;
}

}  // namespace

Text Upper(const Text& text) {
  return text.Map([](char32_t c, std::string_view, std::string* out) { AppendUpper(c, out); });
}

Text Lower(const Text& text) {
  SigmaContext context;
  return text.Map([&](char32_t c, std::string_view rest, std::string* out) {
    AppendLower(c, context, rest, out);
    context.Pass(c);
  });
}

Text Capitalize(const Text& text) {
  return CaseWords(text, [](char32_t before) { return before == kNoCharacter; });
}

Text TitleMethod(const Text& text) {
  return CaseWords(text, [](char32_t before) { return !IsCased(before); });
}

// Jinja maps each word separately: its first character to upper case, the others to lower case.
Text TitleFilter(const Text& text) {
  const std::string& bytes = text.bytes();
  Text titled;
  for (size_t offset = 0; offset < bytes.size();) {
    const size_t begin = offset;
    const bool separates = BeginsWord(NextCodePoint(bytes, &offset));
    titled.Append(Upper(text.Slice(begin, offset)));
    if (separates) continue;
    const size_t second = offset;
    while (offset < bytes.size()) {
      size_t next = offset;
      if (BeginsWord(NextCodePoint(bytes, &next))) break;
      offset = next;
    }
    titled.Append(Lower(text.Slice(second, offset)));
  }
  return titled;
}

bool IsLowerText(const Text& text) { return HasOnlyCase(text, IsLowerCase, IsUpperCase); }
bool IsUpperText(const Text& text) { return HasOnlyCase(text, IsUpperCase, IsLowerCase); }

}  // namespace mozgach::jinja
