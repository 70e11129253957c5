// The log of a program: one line per event on stderr, so that stdout stays for results.
#pragma once

#include <spdlog/spdlog.h>

#include <string_view>

namespace mozgach {

// Once, at the start of main.  Level from MOZGACH_LOG (trace, debug, info, warn, error), default info.
void StartLog(std::string_view program);

}  // namespace mozgach
