// How much memory another process holds, and what the system does where there is too little.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace mozgach {

// Resident bytes of `pid`; 0 where it is gone or the system does not say.
uint64_t ResidentBytesOf(pid_t pid);

// Of these, pages of files; 0 where the system does not say.
uint64_t MappedBytesOf(pid_t pid);

// Processes of this one's control group that the kernel has killed for lack of memory (memory.events
// of cgroup v2; where there is none, of the whole machine), since it was made.  0 where the system
// does not say.
uint64_t KillsForMemory();

// The control group of this process, as a path below the root of cgroup v2 ("/a/b"); empty: none.
std::string OwnControlGroup();

}  // namespace mozgach
