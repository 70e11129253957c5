#include "worker/session/process_memory.h"

#ifdef __APPLE__
#include <libproc.h>
#else
#include <unistd.h>

#include <fstream>
#endif

namespace mozgach {

#ifdef __APPLE__

uint64_t ResidentBytesOf(pid_t pid) {
  proc_taskinfo info = {};
  const int got = ::proc_pidinfo(pid, PROC_PIDTASKINFO, 0, &info, sizeof(info));
  return got == static_cast<int>(sizeof(info)) ? info.pti_resident_size : 0;
}

std::string OwnControlGroup() { return ""; }

uint64_t MappedBytesOf(pid_t pid) { return 0; }

#else

std::string OwnControlGroup() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("0::", 0) == 0) return line.substr(3);
  }
  return "";
}

namespace {

// The first three numbers of its statm: pages of address space, resident, and of files.
struct Pages {
  uint64_t all = 0, resident = 0, mapped = 0;
};

Pages PagesOf(pid_t pid) {
  std::ifstream statm("/proc/" + std::to_string(pid) + "/statm");
  Pages pages;
  statm >> pages.all >> pages.resident >> pages.mapped;
  return pages;
}

uint64_t InBytes(uint64_t pages) { return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)); }

}  // namespace

uint64_t ResidentBytesOf(pid_t pid) { return InBytes(PagesOf(pid).resident); }

uint64_t MappedBytesOf(pid_t pid) { return InBytes(PagesOf(pid).mapped); }

#endif

}  // namespace mozgach
