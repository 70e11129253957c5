#include "ctl/local/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "common/utf8.h"

namespace mozgach {
namespace {

struct Block {
  char32_t first, last;
};

constexpr Block kCombining[] = {{0x300, 0x36F},   {0x483, 0x489},   {0x591, 0x5BD},
                                {0x610, 0x61A},   {0x64B, 0x65F},   {0x200B, 0x200F},
                                {0x202A, 0x202E}, {0x2060, 0x2064}, {0x20D0, 0x20F0},
                                {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}};
constexpr Block kWide[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},  {0x3041, 0xA4CF},
                           {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},  {0xFE30, 0xFE6F},
                           {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},  {0x1F300, 0x1F64F},
                           {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};

template <size_t N>
bool IsIn(const Block (&blocks)[N], char32_t c) {
  return std::any_of(blocks, blocks + N,
                     [c](const Block& block) { return c >= block.first && c <= block.last; });
}

int WidthOf(char32_t c) {
  if (c < 0x300) return 1;
  if (IsIn(kCombining, c)) return 0;
  return IsIn(kWide, c) ? 2 : 1;
}

// Overrides of the writing direction are treated as control characters.
char32_t Printable(char32_t c) {
  if (c == '\n' || c == '\t' || c == '\r') return ' ';
  const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x202A && c <= 0x202E) ||
                       (c >= 0x2066 && c <= 0x2069);
  return control ? 0xFFFD : c;
}

}  // namespace

Terminal TerminalOf(std::FILE* stream) {
  Terminal terminal;
  const int fd = ::fileno(stream);
  terminal.is_terminal = ::isatty(fd) == 1;
  if (!terminal.is_terminal) return terminal;
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    terminal.width = size.ws_col;
    terminal.height = size.ws_row;
  } else {
    terminal.width = 80;
    terminal.height = 24;
  }
  const char* no_colour = std::getenv("NO_COLOR");
  const char* type = std::getenv("TERM");
  terminal.colour = (no_colour == nullptr || *no_colour == '\0') &&
                    (type == nullptr || std::strcmp(type, "dumb") != 0);
  return terminal;
}

int DisplayWidth(std::string_view text) {
  int width = 0;
  for (size_t offset = 0; offset < text.size();) width += WidthOf(NextCodePoint(text, &offset));
  return width;
}

std::string Clip(std::string_view text, int width) {
  std::string clipped;
  size_t fits = 0;  // bytes of `clipped` that leave room for "…"
  int columns = 0;
  for (size_t offset = 0; offset < text.size();) {
    const char32_t c = Printable(NextCodePoint(text, &offset));
    columns += WidthOf(c);
    if (width > 0 && columns > width) {
      clipped.resize(fits);
      return clipped + "…";
    }
    AppendUtf8(c, &clipped);
    if (columns < width) fits = clipped.size();
  }
  return clipped;
}

std::string Harmless(std::string_view lines) {
  std::string harmless;
  for (size_t offset = 0; offset < lines.size();) {
    const char32_t c = NextCodePoint(lines, &offset);
    AppendUtf8(c == '\n' || c == '\t' ? c : Printable(c), &harmless);
  }
  return harmless;
}

}  // namespace mozgach
