// Text is a string whose every stretch knows where it came from: the template, or the content of a
// message.  What a template does to strings (joining, trimming, splitting, changing case) keeps
// that knowledge, so that a rendered conversation can be told apart again.
//
// Bytes are well-formed UTF-8 and stretches end between characters.  Plain value.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace mozgach::jinja {

constexpr int kTemplateOrigin = -1;

class Text {
 public:
  // A stretch reaches from the end of the one before it to `end` (bytes); neighbours differ in
  // origin.
  struct Run {
    size_t end;
    int origin;
  };

  Text() = default;
  explicit Text(std::string bytes, int origin = kTemplateOrigin);

  const std::string& bytes() const { return bytes_; }
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  const std::vector<Run>& runs() const { return runs_; }

  void Append(std::string_view bytes, int origin);
  void Append(const Text& other);
  void AppendRange(const Text& other, size_t begin, size_t end);  // bytes [begin, end) of `other`

  // Bytes [begin, end).  REQUIRES: both lie between characters, begin <= end <= size().
  Text Slice(size_t begin, size_t end) const;

  // Each character replaced by what `change` appends to `out`; `rest` is the text behind it.
  using Change = std::function<void(char32_t character, std::string_view rest, std::string* out)>;
  Text Map(const Change& change) const;

  // Marked with the filter `safe`. Python's Markup escapes what is joined to it, so such a text may
  // only be printed.
  bool markup() const { return markup_; }
  void set_markup() { markup_ = true; }

  // Origin of the byte at `offset`.  REQUIRES: offset < size().
  int OriginAt(size_t offset) const;

 private:
  std::string bytes_;
  std::vector<Run> runs_;
  bool markup_ = false;
};

// Characters (code points), as Python counts them.
size_t CountCharacters(std::string_view text);

// Byte offset of every character, and the size at the end.
std::vector<size_t> CharacterOffsets(std::string_view text);

// What Python's str.isspace() says of a character.
bool IsSpace(char32_t character);

// What Python's str.splitlines() says of a character.
bool IsLineBreak(char32_t character);

// Bytes [begin, end) of `text` without the characters of `set` at its ends; white space where `set`
// is null, as Python's str.strip().
enum class Side { kLeft, kRight, kBoth };
Text Strip(const Text& text, const std::string* set, Side side);

}  // namespace mozgach::jinja
