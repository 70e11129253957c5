// Text is a string that stores the origin of each of its parts: the template, or the content of a
// message. String operations of templates (join, trim, split, change case) keep the origins, so
// that a rendered conversation can be taken apart again.
//
// Bytes are well-formed UTF-8 and runs end between characters. Plain value.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace mozgach::jinja {

constexpr int kTemplateOrigin = -1;

class Text {
 public:
  // A run extends from the end of the previous run to `end` (bytes). Neighbours differ in origin.
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

  // Returns bytes [begin, end). REQUIRES: both lie between characters, begin <= end <= size().
  Text Slice(size_t begin, size_t end) const;

  // Replaces each character by the text that `change` appends to `out`. `rest` is the text after
  // the character.
  using Change = std::function<void(char32_t character, std::string_view rest, std::string* out)>;
  Text Map(const Change& change) const;

  // True if marked with the filter `safe`. Python's Markup escapes text that is joined to it, so
  // such a text may only be printed.
  bool markup() const { return markup_; }
  void set_markup() { markup_ = true; }

  // Returns the origin of the byte at `offset`. REQUIRES: offset < size().
  int OriginAt(size_t offset) const;

 private:
  std::string bytes_;
  std::vector<Run> runs_;
  bool markup_ = false;
};

// Returns the number of characters (code points), as in Python.
size_t CountCharacters(std::string_view text);

// Returns the byte offset of every character, followed by the size.
std::vector<size_t> CharacterOffsets(std::string_view text);

// Python's str.isspace() of one character.
bool IsSpace(char32_t character);

// True if Python's str.splitlines() splits at the character.
bool IsLineBreak(char32_t character);

// Returns `text` without the characters of `set` at its ends, as Python's str.strip(). If `set` is
// null, removes white space.
enum class Side { kLeft, kRight, kBoth };
Text Strip(const Text& text, const std::string* set, Side side);

}  // namespace mozgach::jinja
