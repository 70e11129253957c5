// mozgach-worker: the agent on each host.  Wires options, signals, metrics and the loop.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/end_signals.h"
#include "common/log.h"
#include "common/terminal_text.h"
#include "failpoint/failpoint.h"
#include "security/grpc_log.h"
#include "worker/agent/options.h"
#include "worker/agent/worker.h"

namespace mozgach {
namespace {

// Another worker has taken its name. A restart would take the name from that worker in turn.
constexpr int kNameTaken = 3;

// SIGTERM, SIGINT and SIGHUP end the worker in order, a second one at once.  They are blocked
// everywhere and taken by a thread of their own.
class EndSignals {
 public:
  EndSignals() {
    ::sigemptyset(&signals_);
    for (const int signal : SignalsThatEnd()) ::sigaddset(&signals_, signal);
    ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }

  ~EndSignals() {
    if (!thread_.joinable()) return;
    done_ = true;
    ::pthread_kill(thread_.native_handle(), SIGTERM);
    thread_.join();
  }

  void Tell(Worker& worker) {
    thread_ = std::thread([this, &worker] {
      for (int times = 0;; ++times) {
        int signal = 0;
        ::sigwait(&signals_, &signal);
        if (done_) return;
        if (times > 0) ::_exit(1);  // trainers see their stdin close
        worker.RequestStop();
      }
    });
  }

 private:
  sigset_t signals_;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

SessionOptions SessionOf(const WorkerOptions& options) {
  std::random_device random;
  SessionOptions session;
  session.name = options.name;
  session.incarnation = absl::StrFormat("%08x%08x", random(), random());
  session.version = MOZGACH_VERSION;
  session.memory_bytes = options.memory_bytes;
  session.trainer_silence = options.trainer_silence;
  session.seed = random();
  return session;
}

void Complain(const absl::Status& status) {
  std::fprintf(stderr, "mozgach-worker: %s\n",
               EscapeControls(std::string(status.message())).c_str());
}

// Returns the exit code, or the error that decides it.
absl::StatusOr<int> Run(const WorkerOptions& options) {
  EndSignals signals;
  ASSIGN_OR_RETURN(const std::unique_ptr<Worker> worker, Worker::Open(options, SessionOf(options)));
  if (!options.http.empty()) {
    ASSIGN_OR_RETURN(const std::string address,
                     worker->metrics().Serve(options.http, options.http_allowed_hosts));
    spdlog::info("metrics on http://{}/metrics", address);
  }
  spdlog::info("worker {} asks the scheduler at {} for work", options.name, options.scheduler);
  signals.Tell(*worker);
  while (worker->RunOnce()) {
  }
  spdlog::info("nothing runs any more: ending");
  if (worker->session().replaced()) {
    Complain(worker->status());
    return kNameTaken;
  }
  RETURN_IF_ERROR(worker->status());
  return 0;
}

int Main(int argc, char** argv) {
  absl::StatusOr<std::optional<WorkerOptions>> options = ReadWorkerOptions(argc, argv);
  if (options.ok() && !options->has_value()) return 0;
  if (const absl::Status log = StartLog("mozgach-worker"); !log.ok()) {
    Complain(log);
    return ExitCode(log);
  }
  const absl::StatusOr<int> done = options.ok() ? Run(**options) : options.status();
  if (done.ok()) return *done;
  Complain(done.status());
  return ExitCode(done.status());
}

}  // namespace
}  // namespace mozgach

int main(int argc, char** argv) {
  if (const auto exit_code = mozgach::ObeyFailpointEnvironment()) return *exit_code;
  mozgach::RouteGrpcLog();
  return mozgach::Main(argc, argv);
}
