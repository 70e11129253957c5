// How much memory another process holds, and the control group that bounds this one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace mozgach {

// Resident bytes of `pid`; 0 where it is gone or the system does not say.
uint64_t ResidentBytesOf(pid_t pid);

// Resident bytes of `pid` that are pages of files; 0 if unknown.
uint64_t MappedBytesOf(pid_t pid);

// The control group of this process, as a path below the root of cgroup v2 ("/a/b"); empty: none.
std::string OwnControlGroup();

}  // namespace mozgach
