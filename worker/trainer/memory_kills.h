// MemoryKills tells whether the kernel killed a trainer because memory ran out.
//
// Evidence must belong to that process: a line of the kernel log that names it, or a kill that the
// counter of its control group shows, if only this worker and its trainers are in that group.  A
// kill elsewhere on the host counts for nothing, and neither does a process that somebody else
// killed.  Without evidence the answer is no.  Not thread-safe.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "common/files.h"

namespace mozgach {

class MemoryKills {
 public:
  // Where the system tells; tests name files of their own.
  struct Sources {
    std::filesystem::path proc = "/proc";
    std::filesystem::path control_groups = "/sys/fs/cgroup";
    std::filesystem::path kernel_log = "/dev/kmsg";
    pid_t worker = ::getpid();
  };

  MemoryKills() : MemoryKills(Sources()) {}
  explicit MemoryKills(Sources sources);

  void Started(pid_t trainer);
  // Looks which processes share the control groups of the trainers.  Call it every few seconds.
  void Look();
  // Forgets `trainer`, which has ended.  `killed_by_others`: by a SIGKILL that is not the worker's.
  // True: it was killed for lack of memory.
  bool Ended(pid_t trainer, bool killed_by_others);

 private:
  struct Trainer {
    std::filesystem::path group;  // directory of its control group; empty: none
    FileDescriptor kernel_log;    // read from its start on; not valid: it cannot be read, or names
                                  // processes by other numbers
  };
  struct Group {
    uint64_t kills = 0;   // those that were seen and explained
    bool shared = false;  // a process that is not ours was seen in it
  };
  enum class Said { kNothing, kKilled, kUnknown };

  std::filesystem::path GroupOf(pid_t pid) const;
  FileDescriptor OpenKernelLog() const;
  static Said KernelLogOf(const Trainer& trainer, pid_t pid);
  bool HasStrangers(const std::filesystem::path& group) const;
  std::set<pid_t> Ancestors() const;  // the worker's ancestors, and itself
  // Whether the group has had a kill that is not explained yet; explains it.
  bool TakeKill(Group& group, const std::filesystem::path& directory);

  const Sources sources_;
  std::map<pid_t, Trainer> trainers_;
  std::map<std::filesystem::path, Group> groups_;
};

}  // namespace mozgach
