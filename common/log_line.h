// The log for code that cannot include common/log.h: libtorch brings a fmt that spdlog's does not
// stand beside.
#pragma once

#include <string_view>

namespace mozgach {

// Once, at the start of main.  Level from MOZGACH_LOG (trace, debug, info, warn, error), default info.
void StartLog(std::string_view program);

// One line of level info.
void LogInfo(std::string_view line);

}  // namespace mozgach
