#include "common/terminal_text.h"

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "common/utf8.h"

namespace mozgach {
namespace {

bool IsControlCode(char32_t c) {
  if (c == '\n' || c == '\t') return false;
  return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

// Marks of the writing direction, and the separators that some programs take for line breaks.
bool IsInvisibleMark(char32_t c) {
  return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

std::string EscapeControls(std::string_view text) {
  std::string escaped;
  for (size_t offset = 0; offset < text.size();) {
    const size_t begin = offset;
    const char32_t c = NextCodePoint(text, &offset);
    const std::string_view bytes = text.substr(begin, offset - begin);
    const auto byte = static_cast<unsigned char>(bytes[0]);
    // A byte that is not part of UTF-8 is passed over alone.
    const bool invalid = bytes.size() == 1 && byte >= 0x80;
    if (invalid || (IsControlCode(c) && c < 0x80)) {
      absl::StrAppendFormat(&escaped, "\\x%02x", byte);
    } else if (IsControlCode(c) || IsInvisibleMark(c)) {
      absl::StrAppendFormat(&escaped, "\\u%04x", static_cast<uint32_t>(c));
    } else {
      escaped += bytes;
    }
  }
  return escaped;
}

std::string EscapeLine(std::string_view text) {
  return absl::StrReplaceAll(EscapeControls(text), {{"\n", "\\n"}});
}

}  // namespace mozgach
