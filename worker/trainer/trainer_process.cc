#include "worker/trainer/trainer_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/log.h"
#include "common/mutex.h"
#include "worker/trainer/trainer_lock.h"
#include "worker/trainer/trainer_requests.h"

extern char** environ;

namespace mozgach {
namespace {

constexpr int kLockFd = 3;        // where the trainer inherits its lock
constexpr int kPollMs = 250;      // a child whose pipes others hold open is noticed after this
constexpr int kPollClosedMs = 5;  // one that has closed its pipes is about to end
constexpr Milliseconds kExitTakes{5'000};  // after it closed its stdout
constexpr size_t kLastWordsMax = 8;
constexpr Milliseconds kNever = Milliseconds::max();

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};

absl::StatusOr<Pipe> MakePipe() {
  int fds[2];
#ifdef __linux__
  if (::pipe2(fds, O_CLOEXEC) != 0) return SystemError(errno, "make a pipe");
#else
  if (::pipe(fds) != 0) return SystemError(errno, "make a pipe");
  ::fcntl(fds[0], F_SETFD, FD_CLOEXEC);
  ::fcntl(fds[1], F_SETFD, FD_CLOEXEC);
#endif
  return Pipe{FileDescriptor(fds[0]), FileDescriptor(fds[1])};
}

void SetNonBlocking(const FileDescriptor& fd) {
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

// In a process group of its own, with default signals, and only what `actions` gives it.
absl::StatusOr<pid_t> Spawn(const TrainerCommand& command, posix_spawn_file_actions_t* actions) {
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none, defaults;
  ::sigemptyset(&none);
  ::sigemptyset(&defaults);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::sigaddset(&defaults, signal);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const std::string program = command.program.string();
  std::vector<char*> words = {const_cast<char*>(program.c_str())};
  for (const std::string& word : command.arguments)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t pid = -1;
  const int error =
      ::posix_spawn(&pid, program.c_str(), actions, &attributes, words.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) return SystemError(error, absl::StrCat("start ", program));
  return pid;
}

// What libraries may take beside the tensors, which the trainer's own allocator keeps within the
// budget.  Some of them crash where the system refuses: this bound is for a trainer that ran wild.
constexpr uint64_t kBesideTensors = uint64_t{512} << 20;

void BoundMemory(pid_t pid, uint64_t bytes) {
#ifdef __linux__
  const rlimit bound = {bytes + kBesideTensors, bytes + kBesideTensors};
  if (bytes > 0 && ::prlimit(pid, RLIMIT_DATA, &bound, nullptr) != 0) {
    spdlog::warn("cannot bound the memory of the trainer: {}", ::strerror(errno));
  }
#endif
}

}  // namespace

absl::StatusOr<std::unique_ptr<TrainerProcess>> TrainerProcess::Start(const TrainerCommand& command,
                                                                      TrainerListener listener) {
  ASSIGN_OR_RETURN(FileDescriptor lock, TakeTrainerLock(command.lock));
  ASSIGN_OR_RETURN(Pipe in, MakePipe());
  ASSIGN_OR_RETURN(Pipe out, MakePipe());
  ASSIGN_OR_RETURN(Pipe err, MakePipe());
  ASSIGN_OR_RETURN(Pipe wake, MakePipe());
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in.read.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err.write.get(), STDERR_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, lock.get(), kLockFd);
  absl::StatusOr<pid_t> pid = Spawn(command, &actions);
  ::posix_spawn_file_actions_destroy(&actions);
  RETURN_IF_ERROR(pid.status());

  std::unique_ptr<TrainerProcess> process(new TrainerProcess(*pid, std::move(listener)));
  for (const FileDescriptor* fd : {&in.write, &out.read, &err.read, &wake.read, &wake.write}) {
    SetNonBlocking(*fd);
  }
  {
    const MutexLock held(process->mutex_);
    process->in_ = std::move(in.write);
  }
  process->out_ = std::move(out.read);
  process->err_ = std::move(err.read);
  process->wake_in_ = std::move(wake.read);
  process->wake_out_ = std::move(wake.write);
  BoundMemory(*pid, command.memory_bytes);
  if (const absl::Status named = NameTrainer(lock, *pid); !named.ok()) {
    spdlog::warn("{}", std::string(named.message()));
  }
  process->thread_ = std::thread([raw = process.get()] { raw->Run(); });
  return process;
}

TrainerProcess::TrainerProcess(pid_t pid, TrainerListener listener)
    : pid_(pid),
      listener_(std::move(listener)),
      out_lines_([this](std::string line) { listener_.said(std::move(line)); }),
      err_lines_([this](std::string line) { HearError(std::move(line)); }),
      kill_at_(kNever) {}

TrainerProcess::~TrainerProcess() {
  Kill();
  if (thread_.joinable()) thread_.join();
}

void TrainerProcess::Send(std::string line) {
  {
    const MutexLock lock(mutex_);
    if (close_in_) return;
    pending_ += line;
    pending_ += '\n';
  }
  Wake();
}

void TrainerProcess::End(Milliseconds grace) {
  Send(ExitLine());
  {
    const MutexLock lock(mutex_);
    close_in_ = true;
    kill_at_ = std::min(kill_at_, Clock::System().SinceBoot() + grace);
  }
  Wake();
}

void TrainerProcess::Kill() {
  const MutexLock lock(mutex_);
  // Once it is reaped, its number may belong to somebody else.
  if (reaped_) return;
  // One that has ended already did not end by this.
  killed_ = killed_ || !Ended();
  ::kill(-pid_, SIGKILL);
}

void TrainerProcess::Wake() {
  // A full pipe wakes as well as one byte more.
  [[maybe_unused]] const ssize_t ignored = ::write(wake_out_.get(), "w", 1);
}

void TrainerProcess::HearError(std::string line) {
  if (last_words_.size() == kLastWordsMax) last_words_.erase(last_words_.begin());
  last_words_.push_back(line);
  listener_.wrote(std::move(line));
}

void TrainerProcess::Run() {
  // A write to a dead trainer is an error to see, not a signal to die of.
  sigset_t broken_pipe;
  ::sigemptyset(&broken_pipe);
  ::sigaddset(&broken_pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  bool ended = false;
  for (;;) {
    const bool worked = WaitForWork();
    // Its last words are read before its end is told.
    if (ended && !worked) break;
    ended = ended || Ended();
    KillIfOverdue();
  }
  out_lines_.Finish();
  err_lines_.Finish();
  listener_.exited(Reap());
}

bool TrainerProcess::WaitForWork() {
  std::array<pollfd, 4> fds = {{{out_.get(), POLLIN, 0},
                                {err_.get(), POLLIN, 0},
                                {wake_in_.get(), POLLIN, 0},
                                {-1, POLLOUT, 0}}};
  {
    const MutexLock lock(mutex_);
    if (!pending_.empty() && in_.valid()) fds[3].fd = in_.get();
  }
  const bool open = out_.valid() || err_.valid();
  const int timeout = Ended() ? 0 : open ? kPollMs : kPollClosedMs;
  if (::poll(fds.data(), fds.size(), timeout) <= 0) return false;
  if (fds[0].revents != 0) Read(out_, out_lines_);
  if (fds[1].revents != 0) Read(err_, err_lines_);
  if (fds[2].revents != 0) {
    char bytes[256];
    [[maybe_unused]] const ssize_t ignored = ::read(wake_in_.get(), bytes, sizeof(bytes));
  }
  WritePending();
  return open && (fds[0].revents != 0 || fds[1].revents != 0);
}

void TrainerProcess::Read(FileDescriptor& fd, LineSplitter& lines) {
  char bytes[1 << 16];
  const ssize_t got = ::read(fd.get(), bytes, sizeof(bytes));
  if (got > 0) {
    lines.Add({bytes, static_cast<size_t>(got)});
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    fd.Close();
    if (&fd != &out_) return;
    const MutexLock lock(mutex_);
    kill_at_ = std::min(kill_at_, Clock::System().SinceBoot() + kExitTakes);
  }
}

void TrainerProcess::WritePending() {
  const MutexLock lock(mutex_);
  while (!pending_.empty() && in_.valid()) {
    const ssize_t written = ::write(in_.get(), pending_.data(), pending_.size());
    if (written > 0) {
      pending_.erase(0, static_cast<size_t>(written));
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      pending_.clear();
      in_.Close();
    }
  }
  if (close_in_) in_.Close();
}

void TrainerProcess::KillIfOverdue() {
  {
    const MutexLock lock(mutex_);
    if (Clock::System().SinceBoot() < kill_at_) return;
    kill_at_ = kNever;
  }
  Kill();
}

bool TrainerProcess::Ended() const {
  siginfo_t info;
  info.si_pid = 0;
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid_;
}

std::string TrainerProcess::Reap() {
  int status = 0;
  {
    const MutexLock lock(mutex_);
    // What it may have started goes with it; the group's number is still ours.
    ::kill(-pid_, SIGKILL);
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    reaped_ = true;
    killed_by_others_ = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !killed_;
  }
  std::string how;
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    how = absl::StrCat("was killed by signal ", signal, " (", ::strsignal(signal), ")",
                       killed_by_others_ ? ", not by this worker" : "");
  } else {
    how = absl::StrCat("exited with code ", WEXITSTATUS(status));
  }
  if (last_words_.empty()) return how;
  return absl::StrCat(how, "; its last words: ", absl::StrJoin(last_words_, " | "));
}

}  // namespace mozgach
