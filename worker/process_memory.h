// How much memory another process holds.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace mozgach {

// Resident bytes of `pid`; 0 where it is gone or the system does not say.
uint64_t ResidentBytesOf(pid_t pid);

}  // namespace mozgach
