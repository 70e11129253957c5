// Names the file when a process reads a mapped file that was truncated, or whose disk failed. The
// system then sends SIGBUS and the process cannot continue. It still ends, but prints the file's
// name first.
#pragma once

#include <cstddef>
#include <filesystem>

namespace mozgach {

// After this call, a fault within [data, data + size) reports `path`. The first call installs a
// SIGBUS handler. Faults at other addresses end the process as without the handler. Thread-safe.
void WatchMapping(const char* data, size_t size, const std::filesystem::path& path);
void UnwatchMapping(const char* data);

}  // namespace mozgach
