// The memory of the host that this process may use, as the system says it.
#pragma once

#include <cstdint>
#include <string>

namespace mozgach {

struct HostMemory {
  // Bytes that can be allocated now without swapping: free, or only caching files; at most what the
  // control group of this process has left. 0: unknown.
  uint64_t available_bytes = 0;
  // The same for all processes of one host, as long as it runs; empty: the system does not say.
  std::string pool;

  bool operator==(const HostMemory&) const = default;
};

HostMemory LookAtHostMemory();

// What a control group has left, from its files in `directory` (memory.max, memory.current,
// memory.stat of cgroup v2): what only caches files counts as left.  UINT64_MAX: it is not bounded.
uint64_t LeftInControlGroup(const std::string& directory);

}  // namespace mozgach
