// Tests which deaths of a trainer count as kills for lack of memory.  The files are as the kernel
// writes them.
#include "worker/trainer/memory_kills.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/worker/temporary_folder.h"

namespace mozgach {
namespace {

constexpr pid_t kWorker = 10;
constexpr pid_t kTrainer = 20;
constexpr pid_t kSecondTrainer = 21;
constexpr char kUnified[] = "0::/worker\n";
constexpr char kVersion1[] = "5:cpu:/other\n4:memory:/worker\n0::/\n";

class MemoryKillsTest : public ::testing::Test {
 protected:
  MemoryKillsTest() {
    Process(1, 0, 1);
    Process(kWorker, 1, kWorker);
    Process(kTrainer, kWorker, kTrainer);
    Process(kSecondTrainer, kWorker, kSecondTrainer);
    Members({kWorker, kTrainer});
    Kills(0);
  }
  MemoryKills Make() {
    return MemoryKills({.proc = folder_.path() / "proc",
                        .control_groups = folder_.path() / "cgroup",
                        .kernel_log = folder_.path() / "kmsg",
                        .worker = kWorker});
  }
  void Process(pid_t pid, pid_t parent, pid_t process_group, const char* groups = kUnified) {
    folder_.Write(absl::StrCat("proc/", pid, "/stat"),
                  absl::StrCat(pid, " (a (b) c) S ", parent, " ", process_group, " 1 0\n"));
    folder_.Write(absl::StrCat("proc/", pid, "/cgroup"), groups);
  }
  void Members(const std::vector<pid_t>& pids, const std::string& group = "worker") {
    std::string text;
    for (const pid_t pid : pids) absl::StrAppend(&text, pid, "\n");
    folder_.Write("cgroup/" + group + "/cgroup.procs", text);
  }
  void Kills(int count, const std::string& file = "worker/memory.events") {
    folder_.Write("cgroup/" + file, absl::StrCat("oom 9\noom_kill ", count, "\n"));
  }
  void HasKernelLog(const char* name_space = "pid:[4026531836]") {
    folder_.Write("kmsg", Record(kTrainer));  // before its start: of another process
    std::filesystem::create_directories(folder_.path() / "proc/self/ns");
    std::filesystem::create_symlink(name_space, folder_.path() / "proc/self/ns/pid");
  }
  static std::string Record(pid_t pid, int priority = 3) {
    return absl::StrCat(priority, ",339,5140900,-;Out of memory: Killed process ", pid,
                        " (mozgach-trainer) total-vm:1kB, anon-rss:1kB\n");
  }
  void Append(const std::string& text) {
    std::ofstream(folder_.path() / "kmsg", std::ios::app) << text;
  }

  TemporaryFolder folder_;
};

TEST_F(MemoryKillsTest, KernelLogNamesTheTrainer) {
  HasKernelLog();
  MemoryKills kills = Make();
  kills.Started(kTrainer);
  Append("6,1,1,-;eth0: link up\n" + Record(kTrainer));
  EXPECT_TRUE(kills.Ended(kTrainer, true));
}

TEST_F(MemoryKillsTest, KernelLogNamesAnotherProcess) {
  HasKernelLog();
  MemoryKills kills = Make();
  kills.Started(kTrainer);
  Append(Record(200) + Record(2) + Record(kSecondTrainer));
  EXPECT_FALSE(kills.Ended(kTrainer, true));
}

TEST_F(MemoryKillsTest, KernelLogOutweighsTheGroup) {
  HasKernelLog();
  MemoryKills kills = Make();
  kills.Started(kTrainer);
  Append(Record(200));
  Kills(1);
  EXPECT_FALSE(kills.Ended(kTrainer, true));
}

TEST_F(MemoryKillsTest, KillInAMemoryGroupIsRead) {
  HasKernelLog();
  MemoryKills kills = Make();
  kills.Started(kTrainer);
  Append("3,1,1,-;Memory cgroup out of memory: Killed process 20 (t) total-vm:1kB\n");
  EXPECT_TRUE(kills.Ended(kTrainer, true));
}

TEST_F(MemoryKillsTest, RecordsOfProgramsAndOfEarlierProcessesDoNotCount) {
  HasKernelLog();
  MemoryKills kills = Make();
  kills.Started(kTrainer);
  Append(Record(kTrainer, 11));  // written into the kernel's log by a program
  EXPECT_FALSE(kills.Ended(kTrainer, true));
}

TEST_F(MemoryKillsTest, KernelLogOfAnotherNamespaceIsNotRead) {
  HasKernelLog("pid:[4026532000]");
  MemoryKills kills = Make();
  kills.Started(kTrainer);
  Append(Record(kTrainer));
  EXPECT_FALSE(kills.Ended(kTrainer, true));
}

TEST_F(MemoryKillsTest, WithoutAKernelLogTheGroupOfWorkerAndTrainersCounts) {
  for (const char* file : {"memory.events.local", "memory.events"}) {
    MemoryKills kills = Make();
    kills.Started(kTrainer);
    Kills(1, absl::StrCat("worker/", file));
    EXPECT_TRUE(kills.Ended(kTrainer, true)) << file;
    Kills(0, absl::StrCat("worker/", file));
    std::filesystem::remove(folder_.path() / "cgroup/worker/memory.events.local");
  }
}

TEST_F(MemoryKillsTest, Version1GroupCounts) {
  Process(kTrainer, kWorker, kTrainer, kVersion1);
  Members({kWorker, kTrainer}, "memory/worker");
  Kills(4, "memory/worker/memory.oom_control");
  MemoryKills kills = Make();
  kills.Started(kTrainer);
  Kills(5, "memory/worker/memory.oom_control");
  EXPECT_TRUE(kills.Ended(kTrainer, true));
}

TEST_F(MemoryKillsTest, GroupThatTheTrainerHasForItselfCounts) {
  Process(kTrainer, kWorker, kTrainer, "0::/worker/trainer\n");
  Members({kTrainer}, "worker/trainer");
  Kills(0, "worker/trainer/memory.events");
  MemoryKills kills = Make();
  kills.Started(kTrainer);
  Kills(1);  // elsewhere
  EXPECT_FALSE(kills.Ended(kTrainer, true));
  kills.Started(kTrainer);
  Kills(1, "worker/trainer/memory.events");
  EXPECT_TRUE(kills.Ended(kTrainer, true));
}

TEST_F(MemoryKillsTest, KillElsewhereOnTheHostDoesNotCount) {
  MemoryKills kills = Make();
  kills.Started(kTrainer);
  folder_.Write("proc/vmstat", "oom_kill 1\n");
  Kills(1, "memory.events");
  Kills(1, "other/memory.events");
  EXPECT_FALSE(kills.Ended(kTrainer, true));
}

TEST_F(MemoryKillsTest, GroupThatOthersShareDoesNotCount) {
  MemoryKills kills = Make();
  kills.Started(kTrainer);
  Process(300, 1, 300);
  Members({kWorker, kTrainer, 300});
  kills.Look();
  Members({kWorker});  // the other was killed
  Kills(1);
  EXPECT_FALSE(kills.Ended(kTrainer, true)) << "killed by a person, after the other";
}

TEST_F(MemoryKillsTest, AncestorsAndChildrenAreNoOthers) {
  Process(301, kTrainer, kTrainer);
  Process(302, kWorker, kWorker);
  Members({1, kWorker, kTrainer, 301, 302});
  MemoryKills kills = Make();
  kills.Started(kTrainer);
  Kills(1);
  EXPECT_TRUE(kills.Ended(kTrainer, true));
}

TEST_F(MemoryKillsTest, TrainerThatTheWorkerKilledOrThatEndedByItselfDoesNotCount) {
  HasKernelLog();
  MemoryKills kills = Make();
  kills.Started(kTrainer);
  Kills(1);
  Append(Record(kTrainer));
  EXPECT_FALSE(kills.Ended(kTrainer, false));
}

TEST_F(MemoryKillsTest, KillOfAPersonDoesNotCount) {
  MemoryKills kills = Make();
  kills.Started(kTrainer);
  EXPECT_FALSE(kills.Ended(kTrainer, true));
}

TEST_F(MemoryKillsTest, OneKillExplainsOneDeath) {
  Members({kWorker, kTrainer, kSecondTrainer});
  MemoryKills kills = Make();
  kills.Started(kTrainer);
  kills.Started(kSecondTrainer);
  Kills(1);
  EXPECT_TRUE(kills.Ended(kTrainer, true));
  EXPECT_FALSE(kills.Ended(kSecondTrainer, true));
  kills.Started(kTrainer);
  EXPECT_FALSE(kills.Ended(kTrainer, true)) << "the kill was of an earlier trainer";
}

}  // namespace
}  // namespace mozgach
