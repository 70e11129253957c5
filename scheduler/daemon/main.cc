// mozgach-scheduler: queue, leases and registry of a fleet, in one process with one data directory.
#include <signal.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "common/command_line.h"
#include "common/end_signals.h"
#include "common/log.h"
#include "common/terminal_text.h"
#include "failpoint/failpoint.h"
#include "scheduler/daemon/daemon.h"
#include "scheduler/daemon/upkeep_commands.h"
#include "security/grpc_log.h"

namespace {

// SIGTERM, SIGINT and SIGHUP, blocked in every thread, so that main can wait for them.
sigset_t BlockEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int each : mozgach::SignalsThatEnd()) sigaddset(&signals, each);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

// Each worker and each file on its way has a descriptor: as many as the system lets us have.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "mozgach-scheduler: %s\n",
               mozgach::EscapeControls(std::string(status.message())).c_str());
  // A damaged database is not a mistake of who typed the command.
  return absl::IsDataLoss(status) ? 1 : mozgach::ExitCode(status);
}

// A full disk behind stdout must not look like success.
int Keep(const absl::StatusOr<int>& done) {
  if (!done.ok()) return Fail(done.status());
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return *done;
  std::perror("mozgach-scheduler: stdout");
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto exit_code = mozgach::ObeyFailpointEnvironment()) return *exit_code;
  mozgach::RouteGrpcLog();
  CLI::App app("Keeps the queue and the registry of a fleet, and gives its workers work.",
               "mozgach-scheduler");
  mozgach::DaemonOptions options;
  std::string config;
  std::vector<std::string> allowed_hosts;
  mozgach::UpkeepCommand upkeep;
  app.add_option("--data", options.data, "Directory of queue, blobs, logs and registry; required");
  app.add_option("--listen", options.listen, "gRPC address, HOST:PORT (port 0: any) or unix:PATH")
      ->capture_default_str();
  app.add_option("--http", options.http,
                 "Address of the web page, /metrics and /health; port 0: any")
      ->capture_default_str();
  app.add_option("--tls", options.tls,
                 "Folder with ca.pem, certificate.pem and key.pem, as `mozgachctl fleet init` "
                 "makes: who calls --listen shows a certificate or a token");
  app.add_flag("--insecure-plaintext", options.insecure_plaintext,
               "Let other hosts call --listen without TLS, and read --http");
  app.add_option("--http-allowed-host", allowed_hosts,
                 "Another name by which --http may be called; again for more, * for every name");
  app.add_option("--config", config, "YAML file of bounds and times");
  app.set_version_flag("--version", MOZGACH_VERSION);
  mozgach::AddUpkeepCommands(app, &upkeep);
  try {
    mozgach::ParseCommandLine(app, argc, argv);
    if (!upkeep && options.data.empty()) throw CLI::RequiredError("--data");
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    return Fail(absl::InvalidArgumentError(mozgach::AboutCommandLine(app, error)));
  }
  if (absl::Status log = mozgach::StartLog("mozgach-scheduler"); !log.ok()) return Fail(log);
  if (upkeep) return Keep(upkeep());
  if (!config.empty()) {
    auto read = mozgach::ReadSchedulerConfig(config);
    if (!read.ok()) return Fail(read.status());
    options.config = *read;
    if (options.tls.empty()) options.tls = read->tls;
    options.insecure_plaintext |= read->insecure_plaintext;
  }
  std::vector<std::string>& hosts = options.config.http_allowed_hosts;
  hosts.insert(hosts.end(), allowed_hosts.begin(), allowed_hosts.end());
  RaiseDescriptorLimit();
  const sigset_t signals = BlockEndSignals();
  auto daemon = mozgach::Daemon::Start(options, mozgach::Clock::System());
  if (!daemon.ok()) return Fail(daemon.status());
  std::fprintf(stderr, "mozgach-scheduler listens on %s, metrics on http://%s/metrics\n",
               (*daemon)->grpc_address().c_str(), (*daemon)->http_address().c_str());
  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("stopping on signal {}", signal);
  (*daemon)->Stop();
  return 0;
}
