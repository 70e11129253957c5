// What is known of the terminal behind a stream, and text measured in its columns.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace mozgach {

struct Terminal {
  bool is_terminal = false;
  int width = 0;   // columns; 0: no bound (a file, a pipe)
  int height = 0;  // lines; 0: no bound
  bool colour = false;
};

// Queries the terminal at each call, since windows change their size. Without colour if NO_COLOR is
// set (no-color.org) or TERM is dumb.
Terminal TerminalOf(std::FILE* stream);

// Columns that `text` takes, by the wide and the combining blocks of Unicode.
int DisplayWidth(std::string_view text);

// `text` on one line of at most `width` columns (0: no bound): control characters become spaces or
// U+FFFD, so that no text can steer the terminal; "…" marks a cut, which never splits a character.
std::string Clip(std::string_view text, int width);

// `lines` with everything by which they could steer a terminal made visible; ends of lines and tabs
// stay.
std::string Harmless(std::string_view lines);

}  // namespace mozgach
