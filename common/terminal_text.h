// Text that quotes other people's bytes, on its way to a terminal or a log.
#pragma once

#include <string>
#include <string_view>

namespace mozgach {

// `text` with everything that could make a terminal do more than show it written out: control
// characters other than line breaks and tabs, the C1 controls, marks that change the direction of
// writing, and bytes that are not UTF-8: "\x1b", "\u202e".  Apply it once, where text is printed.
std::string EscapeControls(std::string_view text);

// The same, with line breaks escaped too: for one line of a log.
std::string EscapeLine(std::string_view text);

}  // namespace mozgach
