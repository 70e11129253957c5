// The log for code that cannot include common/log.h: libtorch brings a fmt that spdlog's does not
// stand beside.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace mozgach {

// Once, at the start of main.  The level comes from MOZGACH_LOG, in any case: trace, debug, info,
// warn, error, critical or off; unset or empty: info.  INVALID_ARGUMENT for any other value.
absl::Status StartLog(std::string_view program);

// The error of StartLog, for a program without a log.
absl::Status CheckLogLevel();

// One line of level info.
void LogInfo(std::string_view line);

// The same once StartLog has been called, with control characters escaped and at most 4,000 bytes:
// what a program did for others.  Libraries under test stay silent.
void LogActivity(std::string_view line);

}  // namespace mozgach
