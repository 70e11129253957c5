// A TrainerProcess is one running trainer: a direct child in a process group of its own, spoken to
// in lines over its stdin and stdout; its stderr is passed on line by line.
//
// One thread per process reads, writes and reaps.  The listener's functions are called on it, in
// the order things happened, `exited` once and last.  Send, End and Kill may be called from any
// thread. It is spawned with posix_spawn and never forked: this process has gRPC's threads.
//
// A trainer never outlives its worker: its stdin closes with it (docs/trainer_protocol.md), and its
// lock tells the next worker of one that does not go (trainer_lock.h).
#pragma once

#include <sys/types.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "common/files.h"
#include "common/mutex.h"
#include "worker/trainer/line_splitter.h"

namespace mozgach {

struct TrainerCommand {
  std::filesystem::path program;
  std::vector<std::string> arguments;  // {"serve", …}
  std::filesystem::path lock;          // lock of its device
  uint64_t memory_bytes = 0;           // its budget (Linux: 512 MiB above are the end); 0: none
};

struct TrainerListener {
  std::function<void(std::string line)> said;   // a line of stdout
  std::function<void(std::string line)> wrote;  // a line of stderr
  // "was killed by signal 9 (Killed); its last words: …": follows on "the trainer".
  std::function<void(std::string how)> exited;
};

class TrainerProcess {
 public:
  // NOT_FOUND: no such program.  FAILED_PRECONDITION: another trainer has the device.
  static absl::StatusOr<std::unique_ptr<TrainerProcess>> Start(const TrainerCommand& command,
                                                               TrainerListener listener);
  // Kills it if it still runs, and waits for its end.
  ~TrainerProcess();

  // Queues one line (without its line break).  What cannot be delivered is lost: `exited` follows.
  void Send(std::string line);
  // Asks it to exit and closes its stdin once all is delivered; kills it after `grace`.
  void End(Milliseconds grace);
  void Kill();

  pid_t pid() const { return pid_; }
  // It was ended by a SIGKILL that is not one of Kill, End or the destructor.  Known once `exited`
  // has been called.
  bool killed_by_others() const { return killed_by_others_; }

 private:
  TrainerProcess(pid_t pid, TrainerListener listener);

  void Run();
  // Waits for something to read, to write, or to do.  False when nothing came.
  bool WaitForWork();
  void Read(FileDescriptor& fd, LineSplitter& lines);
  void WritePending();
  void KillIfOverdue();
  // True once the child has ended; it is not reaped yet.
  bool Ended() const;
  std::string Reap();
  void Wake();
  void HearError(std::string line);

  const pid_t pid_;
  const TrainerListener listener_;
  FileDescriptor out_;  // its stdout; used by the thread alone, as are the next four
  FileDescriptor err_;
  FileDescriptor wake_in_;
  LineSplitter out_lines_;
  LineSplitter err_lines_;
  std::vector<std::string> last_words_;
  FileDescriptor wake_out_;

  Mutex mutex_;
  FileDescriptor in_ ABSL_GUARDED_BY(mutex_);
  std::string pending_ ABSL_GUARDED_BY(mutex_);
  bool close_in_ ABSL_GUARDED_BY(mutex_) = false;
  bool killed_ ABSL_GUARDED_BY(mutex_) = false;  // by this object
  bool reaped_ ABSL_GUARDED_BY(mutex_) = false;
  Milliseconds kill_at_ ABSL_GUARDED_BY(mutex_);

  std::atomic<bool> killed_by_others_ = false;

  std::thread thread_;
};

}  // namespace mozgach
