// Real child processes: fake_trainer, and shells that misbehave.
#include "worker/trainer/trainer_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <condition_variable>
#include <cstdlib>

#include "tests/worker/temporary_folder.h"
#include "tests/worker/trainer/process_state.h"
#include "worker/trainer/trainer_lock.h"

namespace mozgach {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// What a process said, for tests that wait.
class Heard {
 public:
  TrainerListener Listener() {
    return {.said = [this](std::string line) { Add(said_, std::move(line)); },
            .wrote = [this](std::string line) { Add(wrote_, std::move(line)); },
            .exited = [this](std::string how) { Add(exited_, std::move(how)); }};
  }
  std::string WaitForExit() { return Wait(exited_, ""); }
  std::string WaitFor(const std::string& text) { return Wait(said_, text); }
  std::vector<std::string> said() { return Copy(said_); }
  std::vector<std::string> wrote() { return Copy(wrote_); }

 private:
  void Add(std::vector<std::string>& lines, std::string line) {
    const std::lock_guard lock(mutex_);
    lines.push_back(std::move(line));
    changed_.notify_all();
  }
  std::string Wait(std::vector<std::string>& lines, const std::string& text) {
    std::unique_lock lock(mutex_);
    std::string found;
    changed_.wait_for(lock, std::chrono::seconds(20), [&] {
      for (const std::string& line : lines) {
        if (line.find(text) != std::string::npos) found = line;
      }
      return !found.empty();
    });
    return found;
  }
  std::vector<std::string> Copy(const std::vector<std::string>& lines) {
    const std::lock_guard lock(mutex_);
    return lines;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> said_, wrote_, exited_;
};

class TrainerProcessTest : public ::testing::Test {
 protected:
  TrainerCommand Fake(std::vector<std::string> arguments = {"serve"}) {
    const char* build = std::getenv("MOZGACH_BUILD_DIR");
    return {.program = std::filesystem::path(build == nullptr ? "." : build) / "tests/fake_trainer",
            .arguments = std::move(arguments),
            .lock = folder_.path() / "lock"};
  }
  TrainerCommand Shell(const std::string& script) {
    return {.program = "/bin/sh", .arguments = {"-c", script}, .lock = folder_.path() / "lock"};
  }
  std::unique_ptr<TrainerProcess> Start(const TrainerCommand& command) {
    auto process = TrainerProcess::Start(command, heard_.Listener());
    EXPECT_TRUE(process.ok()) << process.status();
    return *std::move(process);
  }
  static Milliseconds Now() { return Clock::System().SinceBoot(); }

  TemporaryFolder folder_;
  Heard heard_;
};

TEST_F(TrainerProcessTest, SaysItIsReadyAndEndsWhenAsked) {
  const auto process = Start(Fake());
  EXPECT_THAT(heard_.WaitFor("ready"), HasSubstr("memory_total_bytes"));
  process->End(Milliseconds(10'000));
  EXPECT_EQ(heard_.WaitForExit(), "exited with code 0");
}

TEST_F(TrainerProcessTest, LinesThatAreNoRequestAreComplainedAbout) {
  const auto process = Start(Fake());
  process->Send("gibberish");
  EXPECT_THAT(heard_.WaitFor("error"), HasSubstr("gibberish"));
}

TEST_F(TrainerProcessTest, DeathIsToldWithItsSignalAndLastWords) {
  const auto process = Start(Shell("echo one >&2; echo two >&2; kill -9 $$"));
  const std::string how = heard_.WaitForExit();
  EXPECT_THAT(how, HasSubstr("signal 9"));
  EXPECT_THAT(how, HasSubstr("one | two"));
}

TEST_F(TrainerProcessTest, SaysWhetherAKillWasItsOwn) {
  const auto by_others = Start(Shell("kill -9 $$"));
  heard_.WaitForExit();
  EXPECT_TRUE(by_others->killed_by_others());
}

TEST_F(TrainerProcessTest, ItsOwnKillIsNotOneOfOthers) {
  const auto process = Start(Shell("echo up; sleep 1000"));
  heard_.WaitFor("up");
  process->Kill();
  EXPECT_THAT(heard_.WaitForExit(), HasSubstr("signal 9"));
  EXPECT_FALSE(process->killed_by_others());
}

TEST_F(TrainerProcessTest, AnotherSignalIsNoKill) {
  const auto process = Start(Shell("kill -11 $$"));
  EXPECT_THAT(heard_.WaitForExit(), HasSubstr("signal 11"));
  EXPECT_FALSE(process->killed_by_others());
}

TEST_F(TrainerProcessTest, ExitCodeIsTold) {
  const auto process = Start(Fake({"--die-at-start"}));
  EXPECT_THAT(heard_.WaitForExit(), HasSubstr("code 4"));
}

TEST_F(TrainerProcessTest, EverythingItSaidIsHeardBeforeItsEnd) {
  const auto process =
      Start(Shell("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; printf last"));
  heard_.WaitForExit();
  EXPECT_EQ(heard_.said().size(), 2001);
  EXPECT_EQ(heard_.said().back(), "last");
}

TEST_F(TrainerProcessTest, OneThatHangsAtItsEndIsKilled) {
  const auto process = Start(Fake({"serve", "--hang-at-exit"}));
  heard_.WaitFor("ready");
  const Milliseconds start = Now();
  process->End(Milliseconds(300));
  EXPECT_THAT(heard_.WaitForExit(), HasSubstr("signal 9"));
  EXPECT_LT(Now() - start, Milliseconds(5'000));
}

TEST_F(TrainerProcessTest, WhatItStartedGoesWithIt) {
  const auto process = Start(Shell("sleep 1000 & echo child $!; exit 3"));
  const std::string how = heard_.WaitForExit();
  EXPECT_THAT(how, HasSubstr("code 3")) << "though the child holds its pipes open";
  const pid_t child = std::stoi(heard_.said().at(0).substr(6));
  for (int i = 0; i < 200 && Lives(child); ++i) std::this_thread::sleep_for(Milliseconds(10));
  EXPECT_FALSE(Lives(child));
}

TEST_F(TrainerProcessTest, DestructorLeavesNothingBehind) {
  pid_t pid = 0;
  {
    const auto process = Start(Shell("trap '' TERM; sleep 1000"));
    pid = process->pid();
    EXPECT_TRUE(Lives(pid));
  }
  EXPECT_FALSE(Lives(pid));
}

TEST_F(TrainerProcessTest, LargeRequestsDoNotBlockTheCaller) {
  const auto go = folder_.path() / "go";
  const auto process =
      Start(Shell("while [ ! -e " + go.string() + " ]; do sleep 0.02; done; wc -c"));
  process->Send(std::string(3 << 20, 'x'));
  folder_.Write("go", "");  // not reached before it reads, if Send waited for that
  process->End(Milliseconds(10'000));
  EXPECT_THAT(heard_.WaitFor("3145"), HasSubstr("31457"));
}

TEST_F(TrainerProcessTest, ProgramThatIsNotThereIsNamed) {
  TrainerCommand command = Fake();
  command.program = "/nowhere/mozgach-trainer";
  const auto process = TrainerProcess::Start(command, heard_.Listener());
  EXPECT_TRUE(absl::IsNotFound(process.status()));
  EXPECT_THAT(std::string(process.status().message()), HasSubstr("/nowhere/mozgach-trainer"));
}

TEST_F(TrainerProcessTest, DeviceHasOneTrainerAtATime) {
  const auto process = Start(Fake());
  const auto second = TrainerProcess::Start(Fake(), heard_.Listener());
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status()));
}

TEST_F(TrainerProcessTest, OrphanThatDoesNotGoByItselfIsKilled) {
  const auto process = Start(Shell("trap '' TERM; echo up; sleep 1000"));
  heard_.WaitFor("up");
  EXPECT_TRUE(OutliveOrphan(folder_.path() / "lock", Milliseconds(100)).ok());
  EXPECT_THAT(heard_.WaitForExit(), HasSubstr("signal 9"));
}

TEST_F(TrainerProcessTest, MemoryBoundReachesTheTrainer) {
  TrainerCommand command = Shell("read line; ulimit -d");
  command.memory_bytes = uint64_t{64} << 20;
  const auto process = Start(command);
  process->Send("go");
  EXPECT_EQ(heard_.WaitFor("5"), "589824");
}

}  // namespace
}  // namespace mozgach
