// What becomes of a process that reads a mapped file which was cut off meanwhile, or whose disk
// failed: the system sends SIGBUS, and there is no way back.  The process still ends, but its last
// words name the file.
#pragma once

#include <cstddef>
#include <filesystem>

namespace mozgach {

// From now on a fault within [data, data + size) names `path`.  The first call takes SIGBUS over.
// Faults elsewhere end the process as they would have.  Any thread.
void WatchMapping(const char* data, size_t size, const std::filesystem::path& path);
void UnwatchMapping(const char* data);

}  // namespace mozgach
