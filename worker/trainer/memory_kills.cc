#include "worker/trainer/memory_kills.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace {

// Linux gives the first namespace of processes this number: only there do the numbers of processes
// mean what they mean to the kernel.
constexpr char kFirstNamespace[] = "pid:[4026531836]";

struct Ancestry {
  pid_t parent = 0;
  pid_t process_group = 0;
};

// From "7 (a name) S 1 7 …"; nothing: the process is gone.
std::optional<Ancestry> AncestryOf(const fs::path& proc, pid_t pid) {
  std::ifstream file(proc / absl::StrCat(pid) / "stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest(line.substr(name_end + 1));
  std::string state;
  Ancestry found;
  if (!(rest >> state >> found.parent >> found.process_group)) return std::nullopt;
  return found;
}

// The count after "oom_kill" in a file of such lines.
std::optional<uint64_t> OomKillsIn(const fs::path& path) {
  std::ifstream file(path);
  std::string key;
  for (uint64_t count = 0; file >> key >> count;) {
    if (key == "oom_kill") return count;
  }
  return std::nullopt;
}

// Kills within the group itself: cgroup v2, an older v2, v1.
uint64_t KillsIn(const fs::path& group) {
  for (const char* name : {"memory.events.local", "memory.events", "memory.oom_control"}) {
    if (const auto kills = OomKillsIn(group / name)) return *kills;
  }
  return 0;
}

// A record of the kernel's own, as "3,339,5140900,-;Out of memory: Killed process 7 (name) …".
bool SaysKilled(const std::string& record, pid_t pid) {
  const std::vector<std::string> parts = absl::StrSplit(record, absl::MaxSplits(';', 1));
  int priority = 0;
  const std::string number = parts[0].substr(0, parts[0].find(','));
  const bool of_kernel = absl::SimpleAtoi(number, &priority) && priority < 8;
  if (parts.size() != 2 || !of_kernel) return false;
  return parts[1].find("emory") != std::string::npos &&
         parts[1].find(absl::StrCat("Killed process ", pid, " (")) != std::string::npos;
}

}  // namespace

MemoryKills::MemoryKills(Sources sources) : sources_(std::move(sources)) {}

void MemoryKills::Started(pid_t trainer) {
  Trainer started{GroupOf(trainer), OpenKernelLog()};
  if (!started.group.empty()) {
    const bool known = std::any_of(trainers_.begin(), trainers_.end(), [&](const auto& each) {
      return each.second.group == started.group;
    });
    // While no trainer of ours was in it, its kills were none of ours.
    if (!known) groups_[started.group] = {KillsIn(started.group), false};
  }
  trainers_[trainer] = std::move(started);
  Look();
}

void MemoryKills::Look() {
  for (auto& [directory, group] : groups_) group.shared |= HasStrangers(directory);
}

bool MemoryKills::Ended(pid_t trainer, bool killed_by_others) {
  const auto found = trainers_.find(trainer);
  if (found == trainers_.end()) return false;
  Look();
  const Trainer ended = std::move(found->second);
  trainers_.erase(found);
  bool counted = false;
  if (const auto group = groups_.find(ended.group); group != groups_.end() && killed_by_others) {
    counted = TakeKill(group->second, ended.group) && !group->second.shared;
  }
  const bool group_is_used = std::any_of(trainers_.begin(), trainers_.end(), [&](const auto& each) {
    return each.second.group == ended.group;
  });
  if (!group_is_used) groups_.erase(ended.group);
  if (!killed_by_others) return false;
  const Said said = KernelLogOf(ended, trainer);
  return said == Said::kUnknown ? counted : said == Said::kKilled;
}

bool MemoryKills::TakeKill(Group& group, const fs::path& directory) {
  if (KillsIn(directory) <= group.kills) return false;
  ++group.kills;
  return true;
}

fs::path MemoryKills::GroupOf(pid_t pid) const {
  std::ifstream file(sources_.proc / absl::StrCat(pid) / "cgroup");
  fs::path group;
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    const std::vector<std::string> controllers = absl::StrSplit(parts[1], ',');
    const bool v1 = std::count(controllers.begin(), controllers.end(), "memory") > 0;
    if (!v1 && parts[0] != "0") continue;
    const fs::path root = v1 ? sources_.control_groups / "memory" : sources_.control_groups;
    const fs::path named = root / fs::path(parts[2]).relative_path();
    // In a container the group's own directory may be what is mounted.
    std::error_code error;
    const fs::path directory = fs::exists(named, error) ? named : root;
    if (v1) return directory;
    group = directory;
  }
  return group;
}

FileDescriptor MemoryKills::OpenKernelLog() const {
  std::error_code error;
  if (fs::read_symlink(sources_.proc / "self/ns/pid", error) != kFirstNamespace) return {};
  FileDescriptor log(::open(sources_.kernel_log.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (log.valid() && ::lseek(log.get(), 0, SEEK_END) < 0) log.Close();
  return log;
}

MemoryKills::Said MemoryKills::KernelLogOf(const Trainer& trainer, pid_t pid) {
  if (!trainer.kernel_log.valid()) return Said::kUnknown;
  std::string log;
  char bytes[8192];  // a read of /dev/kmsg gives one record, which is not longer
  bool lost = false;
  for (;;) {
    const ssize_t got = ::read(trainer.kernel_log.get(), bytes, sizeof(bytes));
    if (got > 0) {
      log.append(bytes, static_cast<size_t>(got));
    } else if (got < 0 && errno == EPIPE) {
      lost = true;  // overwritten before it was read
    } else if (got == 0 || errno != EINTR) {
      break;
    }
  }
  const std::vector<std::string> records = absl::StrSplit(log, '\n');
  for (const std::string& record : records) {
    if (SaysKilled(record, pid)) return Said::kKilled;
  }
  return lost ? Said::kUnknown : Said::kNothing;
}

bool MemoryKills::HasStrangers(const fs::path& group) const {
  std::ifstream file(group / "cgroup.procs");
  if (!file) return true;  // it does not say
  const std::set<pid_t> ours = Ancestors();
  for (pid_t pid = 0; file >> pid;) {
    if (ours.count(pid) > 0 || trainers_.count(pid) > 0) continue;
    const auto ancestry = AncestryOf(sources_.proc, pid);
    // What a trainer started is in its process group.
    const bool is_ours = ancestry && (ancestry->parent == sources_.worker ||
                                      trainers_.count(ancestry->process_group) > 0);
    if (pid == 0 || (ancestry && !is_ours)) return true;
  }
  return false;
}

std::set<pid_t> MemoryKills::Ancestors() const {
  std::set<pid_t> found;
  for (pid_t pid = sources_.worker; pid > 0 && found.insert(pid).second;) {
    const auto ancestry = AncestryOf(sources_.proc, pid);
    pid = ancestry ? ancestry->parent : 0;
  }
  return found;
}

}  // namespace mozgach
