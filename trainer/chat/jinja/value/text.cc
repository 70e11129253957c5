#include "trainer/chat/jinja/value/text.h"

#include <algorithm>
#include <utility>

#include "common/utf8.h"

namespace mozgach::jinja {

Text::Text(std::string bytes, int origin) : bytes_(std::move(bytes)) {
  if (!bytes_.empty()) runs_.push_back({bytes_.size(), origin});
}

void Text::Append(std::string_view bytes, int origin) {
  if (bytes.empty()) return;
  bytes_.append(bytes);
  if (!runs_.empty() && runs_.back().origin == origin) {
    runs_.back().end = bytes_.size();
  } else {
    runs_.push_back({bytes_.size(), origin});
  }
}

void Text::Append(const Text& other) { AppendRange(other, 0, other.size()); }

void Text::AppendRange(const Text& other, size_t begin, size_t end) {
  const std::string_view bytes = other.bytes_;
  auto run = std::upper_bound(other.runs_.begin(), other.runs_.end(), begin,
                              [](size_t offset, const Run& r) { return offset < r.end; });
  while (begin < end) {
    const size_t until = std::min(end, run->end);
    Append(bytes.substr(begin, until - begin), run->origin);
    begin = until;
    ++run;
  }
}

Text Text::Slice(size_t begin, size_t end) const {
  Text slice;
  slice.AppendRange(*this, begin, end);
  return slice;
}

Text Text::Map(const Change& change) const {
  Text changed;
  size_t offset = 0;
  for (const Run& run : runs_) {
    std::string bytes;
    while (offset < run.end) {
      const char32_t character = NextCodePoint(bytes_, &offset);
      change(character, std::string_view(bytes_).substr(offset), &bytes);
    }
    changed.Append(bytes, run.origin);
  }
  return changed;
}

int Text::OriginAt(size_t offset) const {
  return std::upper_bound(runs_.begin(), runs_.end(), offset,
                          [](size_t o, const Run& r) { return o < r.end; })
      ->origin;
}

std::vector<size_t> CharacterOffsets(std::string_view text) {
  std::vector<size_t> offsets = {0};
  for (size_t offset = 0; offset < text.size();) {
    NextCodePoint(text, &offset);
    offsets.push_back(offset);
  }
  return offsets;
}

size_t CountCharacters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
  }));
}

bool IsSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

bool IsLineBreak(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

Text Strip(const Text& text, const std::string* set, Side side) {
  std::u32string characters;
  for (size_t offset = 0; set != nullptr && offset < set->size();) {
    characters.push_back(NextCodePoint(*set, &offset));
  }
  const auto strips = [&](char32_t c) {
    return set == nullptr ? IsSpace(c) : characters.find(c) != std::u32string::npos;
  };
  const std::string& bytes = text.bytes();
  size_t begin = 0;
  size_t end = bytes.size();
  while (side != Side::kRight && begin < end) {
    size_t next = begin;
    if (!strips(NextCodePoint(bytes, &next))) break;
    begin = next;
  }
  while (side != Side::kLeft && end > begin) {
    size_t last = end - 1;
    while (last > begin && (static_cast<unsigned char>(bytes[last]) & 0xC0) == 0x80) --last;
    size_t next = last;
    if (!strips(NextCodePoint(bytes, &next))) break;
    end = last;
  }
  return text.Slice(begin, end);
}

}  // namespace mozgach::jinja
