#include "trainer/chat/jinja/string_operations.h"

#include <algorithm>
#include <utility>

#include "common/utf8.h"

namespace mozgach::jinja {
namespace {

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
  size_t begin = std::string::npos;  // start of the current word
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
  if (begin != std::string::npos) RETURN_IF_ERROR(pieces.Add(begin, bytes.size()));
  return pieces.Take();
}

// Returns the end of the last character before `end` that is white space (`space`), or is not.
size_t EndOfLast(const std::string& bytes, size_t end, bool space) {
  while (end > 0) {
    size_t begin = end - 1;
    while (begin > 0 && (static_cast<unsigned char>(bytes[begin]) & 0xC0) == 0x80) --begin;
    size_t next = begin;
    if (IsSpace(NextCodePoint(bytes, &next)) == space) return end;
    end = begin;
  }
  return 0;
}

// Appends the pieces from the last to the first.
absl::Status SplitWordsRight(const Text& text, int64_t limit, Pieces* pieces) {
  const std::string& bytes = text.bytes();
  size_t end = EndOfLast(bytes, bytes.size(), /*space=*/false);
  while (end > 0) {
    const bool last = limit >= 0 && pieces->count() == limit;
    const size_t begin = last ? 0 : EndOfLast(bytes, end, /*space=*/true);
    RETURN_IF_ERROR(pieces->Add(begin, end));
    end = EndOfLast(bytes, begin, /*space=*/false);
  }
  return absl::OkStatus();
}

absl::Status SplitTextRight(const Text& text, const std::string& separator, int64_t limit,
                            Pieces* pieces) {
  if (separator.empty()) return absl::InvalidArgumentError("rsplit: the separator is empty");
  size_t end = text.size();
  while (limit < 0 || pieces->count() < limit) {
    if (end < separator.size()) break;
    const size_t found = text.bytes().rfind(separator, end - separator.size());
    if (found == std::string::npos) break;
    RETURN_IF_ERROR(pieces->Add(found + separator.size(), end));
    end = found;
  }
  return pieces->Add(0, end);
}

}  // namespace

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

absl::StatusOr<std::vector<Text>> SplitRight(const Text& text, const std::string* separator,
                                             int64_t limit, Budget* budget) {
  Pieces pieces(text, budget);
  RETURN_IF_ERROR(separator == nullptr ? SplitWordsRight(text, limit, &pieces)
                                       : SplitTextRight(text, *separator, limit, &pieces));
  std::vector<Text> reversed = pieces.Take();
  std::reverse(reversed.begin(), reversed.end());
  return reversed;
}

absl::StatusOr<std::vector<Text>> SplitLines(const Text& text, bool keep_ends, Budget* budget) {
  const std::string& bytes = text.bytes();
  Pieces pieces(text, budget);
  size_t begin = 0;
  for (size_t offset = 0; offset < bytes.size();) {
    const size_t end = offset;
    if (!IsLineBreak(NextCodePoint(bytes, &offset))) continue;
    if (bytes.compare(end, 2, "\r\n") == 0) ++offset;
    RETURN_IF_ERROR(pieces.Add(begin, keep_ends ? offset : end));
    begin = offset;
  }
  if (begin < bytes.size()) RETURN_IF_ERROR(pieces.Add(begin, bytes.size()));
  return pieces.Take();
}

absl::StatusOr<Text> Replace(const Text& text, const std::string& from, const Text& to,
                             int64_t limit, Budget* budget) {
  const std::string& bytes = text.bytes();
  RETURN_IF_ERROR(budget->Spend(bytes.size()));
  Text replaced;
  size_t begin = 0;
  for (int64_t count = 0; limit < 0 || count < limit; ++count) {
    // An empty `from` matches before every character and at the end.
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
