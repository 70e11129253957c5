#include "trainer/chat/jinja/string_operations.h"

#include <utf8proc.h>

#include <algorithm>
#include <utility>

#include "common/utf8.h"

namespace mozgach::jinja {
namespace {

char32_t UpperOf(char32_t c) {
  return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c)));
}
char32_t LowerOf(char32_t c) {
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

bool IsLetter(char32_t c) { return UpperOf(c) != c || LowerOf(c) != c; }

// Upper case where `begins` says so of the character before, lower case elsewhere.
Text CaseWords(const Text& text, bool (*begins)(char32_t before)) {
  bool first = true;
  return text.Map([&, begins](char32_t c) {
    const char32_t changed = first ? UpperOf(c) : LowerOf(c);
    first = begins(c);
    return changed;
  });
}

class Pieces {
 public:
  Pieces(const Text& text, Budget* budget) : text_(text), budget_(budget) {}

  absl::Status Add(size_t begin, size_t end) {
    RETURN_IF_ERROR(budget_->Spend(sizeof(Text) + sizeof(Text::Run) + end - begin));
    pieces_.push_back(text_.Slice(begin, end));
    return absl::OkStatus();
  }
  std::vector<Text> Take() { return std::move(pieces_); }
  int64_t count() const { return static_cast<int64_t>(pieces_.size()); }

 private:
  const Text& text_;
  Budget* const budget_;
  std::vector<Text> pieces_;
};

absl::StatusOr<std::vector<Text>> SplitWords(const Text& text, int64_t limit, Budget* budget) {
  const std::string& bytes = text.bytes();
  Pieces pieces(text, budget);
  size_t begin = std::string::npos;  // of the word at hand
  for (size_t offset = 0; offset < bytes.size();) {
    const size_t here = offset;
    const bool space = IsSpace(NextCodePoint(bytes, &offset));
    if (!space && begin == std::string::npos) {
      begin = here;
      if (limit >= 0 && pieces.count() == limit) break;
    } else if (space && begin != std::string::npos) {
      RETURN_IF_ERROR(pieces.Add(std::exchange(begin, std::string::npos), here));
    }
  }
  if (begin != std::string::npos) {
    size_t end = bytes.size();
    if (limit >= 0) end = begin + Strip(text.Slice(begin, end), nullptr, Side::kRight).size();
    RETURN_IF_ERROR(pieces.Add(begin, end));
  }
  return pieces.Take();
}

}  // namespace

Text Upper(const Text& text) { return text.Map(UpperOf); }
Text Lower(const Text& text) { return text.Map(LowerOf); }

Text Capitalize(const Text& text) {
  return CaseWords(text, [](char32_t) { return false; });
}

Text TitleMethod(const Text& text) {
  return CaseWords(text, [](char32_t c) { return !IsLetter(c); });
}

Text TitleFilter(const Text& text) {
  return CaseWords(text, [](char32_t c) {
    return IsSpace(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
  });
}

absl::StatusOr<std::vector<Text>> Split(const Text& text, const std::string* separator,
                                        int64_t limit, Budget* budget) {
  if (separator == nullptr) return SplitWords(text, limit, budget);
  if (separator->empty()) return absl::InvalidArgumentError("split: the separator is empty");
  Pieces pieces(text, budget);
  size_t begin = 0;
  while (limit < 0 || pieces.count() < limit) {
    const size_t found = text.bytes().find(*separator, begin);
    if (found == std::string::npos) break;
    RETURN_IF_ERROR(pieces.Add(begin, found));
    begin = found + separator->size();
  }
  RETURN_IF_ERROR(pieces.Add(begin, text.size()));
  return pieces.Take();
}

absl::StatusOr<std::vector<Text>> SplitRight(const Text& text, const std::string& separator,
                                             int64_t limit, Budget* budget) {
  if (separator.empty()) return absl::InvalidArgumentError("rsplit: the separator is empty");
  Pieces pieces(text, budget);
  size_t end = text.size();
  while (limit < 0 || pieces.count() < limit) {
    if (end < separator.size()) break;
    const size_t found = text.bytes().rfind(separator, end - separator.size());
    if (found == std::string::npos) break;
    RETURN_IF_ERROR(pieces.Add(found + separator.size(), end));
    end = found;
  }
  RETURN_IF_ERROR(pieces.Add(0, end));
  std::vector<Text> reversed = pieces.Take();
  std::reverse(reversed.begin(), reversed.end());
  return reversed;
}

absl::StatusOr<std::vector<Text>> SplitLines(const Text& text, Budget* budget) {
  const std::string& bytes = text.bytes();
  Pieces pieces(text, budget);
  size_t begin = 0;
  while (begin < bytes.size()) {
    const size_t end = std::min(bytes.find_first_of("\n\r\v\f", begin), bytes.size());
    RETURN_IF_ERROR(pieces.Add(begin, end));
    begin = end + (bytes.compare(end, 2, "\r\n") == 0 ? 2 : 1);
  }
  return pieces.Take();
}

absl::StatusOr<Text> Replace(const Text& text, const std::string& from, const Text& to,
                             int64_t limit, Budget* budget) {
  const std::string& bytes = text.bytes();
  RETURN_IF_ERROR(budget->Spend(bytes.size()));
  Text replaced;
  size_t begin = 0;
  for (int64_t count = 0; limit < 0 || count < limit; ++count) {
    // An empty `from` stands before every character and at the end.
    size_t found = from.empty() ? begin : bytes.find(from, begin);
    if (from.empty() && count > 0 && begin < bytes.size()) NextCodePoint(bytes, &found);
    if (found == std::string::npos || (from.empty() && count > 0 && begin == bytes.size())) break;
    RETURN_IF_ERROR(budget->Spend(to.size()));
    replaced.AppendRange(text, begin, found);
    replaced.Append(to);
    begin = found + from.size();
  }
  replaced.AppendRange(text, begin, bytes.size());
  return replaced;
}

absl::StatusOr<Text> Join(const std::vector<Text>& parts, const Text& separator, Budget* budget) {
  Text joined;
  for (size_t i = 0; i < parts.size(); ++i) {
    RETURN_IF_ERROR(budget->Spend(parts[i].size() + separator.size()));
    if (i > 0) joined.Append(separator);
    joined.Append(parts[i]);
  }
  return joined;
}

}  // namespace mozgach::jinja
