#include "common/utf8.h"

#include "common/terminal_text.h"

namespace mozgach {
namespace {

bool IsContinuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// Bytes of the well-formed sequence that starts at `offset`; 0 where there is none.
size_t SequenceLength(std::string_view text, size_t offset) {
  const auto byte = [&](size_t i) -> unsigned char {
    return offset + i < text.size() ? static_cast<unsigned char>(text[offset + i]) : 0;
  };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4 || !IsContinuation(byte(1))) return 0;
  if (lead < 0xE0) return 2;
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  if (!IsContinuation(byte(2))) return 0;
  if (lead < 0xF0) return 3;
  return IsContinuation(byte(3)) ? 4 : 0;
}

}  // namespace

size_t FirstInvalidUtf8(std::string_view text) {
  for (size_t offset = 0; offset < text.size();) {
    const size_t length = SequenceLength(text, offset);
    if (length == 0) return offset;
    offset += length;
  }
  return std::string_view::npos;
}

char32_t NextCodePoint(std::string_view text, size_t* offset) {
  const size_t length = SequenceLength(text, *offset);
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[*offset + i]); };
  char32_t code_point = 0xFFFD;
  if (length == 1) code_point = byte(0);
  if (length == 2) code_point = (byte(0) & 0x1Fu) << 6 | (byte(1) & 0x3Fu);
  if (length == 3) {
    code_point = (byte(0) & 0x0Fu) << 12 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu);
  }
  if (length == 4) {
    code_point = (byte(0) & 0x07u) << 18 | (byte(1) & 0x3Fu) << 12 | (byte(2) & 0x3Fu) << 6 |
                 (byte(3) & 0x3Fu);
  }
  *offset += length == 0 ? 1 : length;
  return code_point;
}

void AppendUtf8(char32_t code_point, std::string* text) {
  const auto append = [&](char32_t byte) { text->push_back(static_cast<char>(byte)); };
  const auto tail = [&](int shift) { append(0x80 | (code_point >> shift & 0x3F)); };
  if (code_point < 0x80) {
    append(code_point);
  } else if (code_point < 0x800) {
    append(0xC0 | code_point >> 6);
    tail(0);
  } else if (code_point < 0x10000) {
    append(0xE0 | code_point >> 12);
    tail(6);
    tail(0);
  } else {
    append(0xF0 | code_point >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

std::string Abbreviate(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  while (bytes > 0 && IsContinuation(static_cast<unsigned char>(text[bytes]))) --bytes;
  return std::string(text.substr(0, bytes)) + "…";
}

std::string Showable(std::string_view text) {
  constexpr size_t kShownBytes = 4000;
  return EscapeControls(Abbreviate(text, kShownBytes));
}

}  // namespace mozgach
