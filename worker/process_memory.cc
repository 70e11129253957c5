#include "worker/process_memory.h"

#ifdef __APPLE__
#include <libproc.h>
#else
#include <unistd.h>

#include <fstream>
#include <string>
#endif

namespace mozgach {

#ifdef __APPLE__

uint64_t ResidentBytesOf(pid_t pid) {
  proc_taskinfo info = {};
  const int got = ::proc_pidinfo(pid, PROC_PIDTASKINFO, 0, &info, sizeof(info));
  return got == static_cast<int>(sizeof(info)) ? info.pti_resident_size : 0;
}

#else

uint64_t ResidentBytesOf(pid_t pid) {
  std::ifstream statm("/proc/" + std::to_string(pid) + "/statm");
  uint64_t pages = 0;
  uint64_t resident = 0;
  statm >> pages >> resident;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

#endif

}  // namespace mozgach
