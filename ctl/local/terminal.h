// Describes the terminal of a stream, and measures and cuts text in its columns.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace mozgach {

struct Terminal {
  bool is_terminal = false;
  int width = 0;   // columns; 0: unlimited (a file or pipe)
  int height = 0;  // lines; 0: unlimited
  bool colour = false;
};

// Queries the terminal at each call, because its size can change. Without colour if NO_COLOR is set
// (no-color.org) or TERM is dumb.
Terminal TerminalOf(std::FILE* stream);

// Returns the number of columns of `text`, by Unicode's blocks of wide and combining characters.
int DisplayWidth(std::string_view text);

// Returns `text` on one line of at most `width` columns (0: unlimited). Control characters become
// spaces or U+FFFD, so that the text cannot control the terminal. "…" marks a cut, which never
// splits a character.
std::string Clip(std::string_view text, int width);

// Returns `lines` with control characters replaced as in Clip(), except line ends and tabs.
std::string Harmless(std::string_view lines);

}  // namespace mozgach
