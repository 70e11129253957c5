#include "trainer/tokenizer/text/utf8.h"

namespace mozgach {
namespace {

struct Step {
  size_t bytes;  // length of the character, or of the invalid bytes
  bool valid;
};

// The range of the second byte excludes overlong forms, surrogates and characters above U+10FFFF.
Step StepAt(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const size_t length = Utf8Length(text[at]);
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;
  for (size_t i = 1; i < length; ++i) {
    if (at + i == text.size() || byte(i) < low || byte(i) > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {length, true};
}

}  // namespace

std::string ReplaceInvalidUtf8(std::string_view bytes) {
  if (FirstInvalidUtf8(bytes) == std::string_view::npos) return std::string(bytes);
  std::string text;
  for (size_t at = 0; at < bytes.size();) {
    const Step step = StepAt(bytes, at);
    text += step.valid ? bytes.substr(at, step.bytes) : std::string_view("\xEF\xBF\xBD");
    at += step.bytes;
  }
  return text;
}

char32_t DecodeUtf8(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const size_t length = Utf8Length(text[at]);
  if (length == 1) return byte(0);
  char32_t character = byte(0) & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) character = character << 6 | (byte(i) & 0x3F);
  return character;
}

char32_t DecodeUtf8Before(std::string_view text, size_t end) {
  size_t at = end - 1;
  while (at > 0 && IsUtf8Continuation(text[at])) --at;
  return DecodeUtf8(text, at);
}

}  // namespace mozgach
