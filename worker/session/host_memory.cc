#include "worker/session/host_memory.h"

#include <algorithm>
#include <fstream>
#include <optional>

#include "worker/session/process_memory.h"

namespace mozgach {
namespace {

// The number after `key` in a file of such lines: "MemAvailable:  123 kB", "inactive_file 123".
std::optional<uint64_t> NumberAfter(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  while (file >> word) {
    uint64_t number = 0;
    if (word == key && file >> number) return number;
  }
  return std::nullopt;
}

std::optional<uint64_t> OnlyNumber(const std::string& path) {
  std::ifstream file(path);
  uint64_t number = 0;
  if (file >> number) return number;
  return std::nullopt;  // "max" as well
}

std::string FirstWord(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

}  // namespace

uint64_t LeftInControlGroup(const std::string& directory) {
  const auto limit = OnlyNumber(directory + "/memory.max");
  const auto used = OnlyNumber(directory + "/memory.current");
  if (!limit || !used) return UINT64_MAX;
  const uint64_t cached = NumberAfter(directory + "/memory.stat", "inactive_file").value_or(0);
  const uint64_t held = *used - std::min(*used, cached);
  return *limit - std::min(*limit, held);
}

HostMemory LookAtHostMemory() {
  HostMemory memory;
  memory.pool = FirstWord("/proc/sys/kernel/random/boot_id");
  const uint64_t kilobytes = NumberAfter("/proc/meminfo", "MemAvailable:").value_or(0);
  memory.available_bytes = kilobytes * 1024;
  for (const std::string& group : {OwnControlGroup(), std::string()}) {
    memory.available_bytes =
        std::min(memory.available_bytes, LeftInControlGroup("/sys/fs/cgroup" + group));
  }
  return memory;
}

}  // namespace mozgach
