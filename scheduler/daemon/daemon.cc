#include "scheduler/daemon/daemon.h"

#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <stop_token>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/interruptible_sleep.h"
#include "common/private_folder.h"
#include "common/web/web_listener.h"
#include "failpoint/failpoint.h"
#include "nlohmann/json.hpp"
#include "scheduler/access/authenticator.h"
#include "scheduler/access/call_memory.h"
#include "scheduler/daemon/listener.h"
#include "scheduler/executor/core_executor.h"
#include "scheduler/http/web_pages.h"
#include "scheduler/services/base_service.h"
#include "scheduler/services/fleet_service.h"
#include "scheduler/services/job_service.h"
#include "scheduler/services/registry_service.h"
#include "scheduler/services/upkeep_service.h"
#include "scheduler/services/worker_service.h"
#include "scheduler/state/schema.h"
#include "scheduler/upkeep/backup.h"
#include "scheduler/upkeep/data_directory.h"
#include "scheduler/upkeep/database_copy.h"
#include "scheduler/upkeep/restoration.h"
#include "scheduler/upkeep/write_watch.h"
#include "security/address.h"
#include "security/grpc_log.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace {

constexpr int kCallBytesMax = 64 << 20;
constexpr int kStreamsPerConnectionMax = 1000;
constexpr int kConnectionAgeMs = 600'000;
constexpr auto kStopTimeout = std::chrono::seconds(2);
constexpr auto kEndpointsRetry = std::chrono::seconds(1);

std::string WithPort(const std::string& address, int port) {
  if (IsUnixAddress(address)) return address;
  return absl::StrCat(address.substr(0, address.rfind(':')), ":", port);
}

// A damaged database is not served: what is read from it may be wrong, and is built upon.
absl::Status CheckSound(Database& database) {
  const auto start = std::chrono::steady_clock::now();
  RETURN_IF_ERROR(CheckQuickly(database));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  if (took.count() > 1) spdlog::info("the database was checked in {:.1f} s", took.count());
  return absl::OkStatus();
}

// gRPC does not say why it cannot listen, so the address is tried once more.
absl::Status CannotListen(const std::string& address) {
  if (IsUnixAddress(address)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--listen: cannot listen on ", address,
                     "; does its directory exist, and may you write there?"));
  }
  RETURN_IF_ERROR(Annotate(ListenOn(address).status(), "--listen"));
  return absl::UnavailableError(
      absl::StrCat("--listen: cannot listen on ", address, "; try again"));
}

// Returns the bytes to keep free; on a small disk less, so that something is left to use.
uint64_t ReserveOn(const fs::path& data, uint64_t wanted) {
  std::error_code error;
  const fs::space_info space = fs::space(data, error);
  return error ? wanted : std::min<uint64_t>(wanted, space.capacity / 20);
}

void LogOfGrpcAtStart(gpr_log_func_args* said) { spdlog::debug("grpc: {}", said->message); }

// A client decides how often this is called: a line in ten seconds says enough.
void LogOfGrpc(gpr_log_func_args* said) {
  static std::atomic<int64_t> next_ms = 0;
  const int64_t now = Clock::System().SinceBoot().count();
  int64_t next = next_ms;
  const bool speaks = said->severity == GPR_LOG_SEVERITY_ERROR && now >= next &&
                      next_ms.compare_exchange_strong(next, now + 10'000);
  spdlog::log(speaks ? spdlog::level::info : spdlog::level::debug, "grpc: {}", said->message);
}

}  // namespace

// In the order in which they need each other.
struct Daemon::Parts {
  FileDescriptor lock;
  std::unique_ptr<Database> database;
  std::unique_ptr<BlobStore> blobs;
  std::unique_ptr<AdapterStore> adapters;
  std::unique_ptr<AttemptLogs> logs;
  std::unique_ptr<Core> core;
  std::unique_ptr<CoreExecutor> executor;
  std::unique_ptr<Upkeep> upkeep;
  std::unique_ptr<TokenStore> tokens;
  std::unique_ptr<Authenticator> authenticator;
  CallMemory memory;
  std::unique_ptr<JobService> jobs;
  std::unique_ptr<WorkerService> workers;
  std::unique_ptr<RegistryService> registry;
  std::unique_ptr<BaseService> bases;
  std::unique_ptr<FleetService> fleet;
  std::unique_ptr<UpkeepService> upkeep_service;
  std::unique_ptr<CertificateWatch> certificate;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<WebServer> web;
  std::unique_ptr<WriteWatch> watch;
};

Daemon::Daemon() : parts_(std::make_unique<Parts>()) {}

Daemon::~Daemon() { Stop(); }

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::Start(const DaemonOptions& options,
                                                      const Clock& clock) {
  const bool tls = !options.tls.empty();
  RETURN_IF_ERROR(CheckListen("--listen", options.listen, tls, options.insecure_plaintext));
  RETURN_IF_ERROR(CheckListen("--http", options.http, false, options.insecure_plaintext));
  std::unique_ptr<Daemon> daemon(new Daemon());
  const absl::Status opened = daemon->OpenData(options, clock);
  if (absl::IsDataLoss(opened)) {
    return absl::FailedPreconditionError(
        absl::StrCat(opened.message(), ": ", HowDatabaseComesBack(options.data)));
  }
  RETURN_IF_ERROR(opened);
  RETURN_IF_ERROR(daemon->OpenEndpoints(options, clock));
  RETURN_IF_ERROR(daemon->Serve(options));
  RETURN_IF_ERROR(daemon->ServeWeb(options));
  RETURN_IF_ERROR(daemon->AnnounceEndpoints(options.data));
  daemon->WatchWrites(options, clock);
  return daemon;
}

absl::Status Daemon::OpenData(const DaemonOptions& options, const Clock& clock) {
  std::error_code error;
  const fs::path data = fs::absolute(options.data, error).lexically_normal();
  RETURN_IF_ERROR(CheckNoBackup(data));
  RETURN_IF_ERROR(MakePrivateDirectory(data));
  RETURN_IF_ERROR(SettleDirectory(data));
  ASSIGN_OR_RETURN(parts_->lock, LockFile(data / "lock", data.string()));
  RETURN_IF_ERROR(CheckNotRestoring(data));
  RETURN_IF_ERROR(CheckDatabaseNotLost(data));
  WarnOfDatasetsWithoutDatabase(data);
  ASSIGN_OR_RETURN(parts_->database, Database::Open((data / kDatabaseName).string()));
  RETURN_IF_ERROR(CheckSound(*parts_->database));
  RETURN_IF_ERROR(Migrate(*parts_->database, Schema()));
  parts_->blobs = std::make_unique<BlobStore>(data / "blobs", options.config.blob_bytes_max,
                                              ReserveOn(data, options.config.disk_reserve_bytes));
  RETURN_IF_ERROR(parts_->blobs->Open());
  parts_->adapters = std::make_unique<AdapterStore>(*parts_->database, data / "registry");
  parts_->logs = std::make_unique<AttemptLogs>(data / "logs", options.config.log_bytes_max);
  parts_->core =
      std::make_unique<Core>(options.config, *parts_->database, *parts_->blobs, *parts_->adapters);
  RETURN_IF_ERROR(UseUpJobNumbers(*parts_->database, *parts_->adapters, *parts_->logs));
  const Now now = Now::Of(clock);
  RETURN_IF_ERROR(parts_->core->Recover(now));
  parts_->tokens = std::make_unique<TokenStore>(*parts_->database);
  RETURN_IF_ERROR(parts_->tokens->Recover());
  RETURN_IF_ERROR(parts_->database->Sync());
  // From here on the database is the executor's.
  parts_->executor = std::make_unique<CoreExecutor>(*parts_->core, clock);
  parts_->upkeep = std::make_unique<Upkeep>(*parts_->executor, data, clock);
  return absl::OkStatus();
}

absl::Status Daemon::OpenEndpoints(const DaemonOptions& options, const Clock& clock) {
  const bool plaintext = options.tls.empty() || IsUnixAddress(options.listen);
  parts_->authenticator = std::make_unique<Authenticator>(
      plaintext ? Authenticator::Port::kPlaintext : Authenticator::Port::kTls, *parts_->tokens,
      clock, options.config.calls_per_second_max);
  const Authenticator& authenticator = *parts_->authenticator;
  CoreExecutor& executor = *parts_->executor;
  parts_->jobs =
      std::make_unique<JobService>(executor, *parts_->blobs, *parts_->logs, authenticator);
  parts_->workers = std::make_unique<WorkerService>(executor, *parts_->blobs, *parts_->logs,
                                                    authenticator, parts_->memory);
  parts_->registry = std::make_unique<RegistryService>(executor, authenticator);
  parts_->bases = std::make_unique<BaseService>(executor, *parts_->blobs, authenticator);
  parts_->fleet = std::make_unique<FleetService>(executor, *parts_->tokens, authenticator);
  parts_->upkeep_service = std::make_unique<UpkeepService>(*parts_->upkeep, authenticator, clock);
  return absl::OkStatus();
}

absl::Status Daemon::Serve(const DaemonOptions& options) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  const bool is_socket = IsUnixAddress(options.listen);
  if (is_socket) RETURN_IF_ERROR(CheckSocketFree(options.listen));
  ASSIGN_OR_RETURN(const std::shared_ptr<grpc::ServerCredentials> credentials,
                   CredentialsToListen(options.listen, options.tls, *parts_->authenticator,
                                       parts_->certificate));
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(options.listen, credentials, &port);
  builder.SetMaxReceiveMessageSize(kCallBytesMax);
  builder.SetMaxSendMessageSize(kCallBytesMax);
  builder.SetResourceQuota(parts_->memory.quota());
  // A compressed message is inflated before its size is checked, so it is refused (UNIMPLEMENTED).
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  // Otherwise a second scheduler could share the port and take half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsPerConnectionMax);
  // Certificates are checked when a connection is made. Connections are therefore renewed
  // regularly.
  if (!options.tls.empty()) {
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kConnectionAgeMs);
  }
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000);
  builder.RegisterService(parts_->jobs.get());
  builder.RegisterService(parts_->workers.get());
  builder.RegisterService(parts_->registry.get());
  builder.RegisterService(parts_->bases.get());
  builder.RegisterService(parts_->fleet.get());
  builder.RegisterService(parts_->upkeep_service.get());
  // gRPC says at length what CannotListen says in one sentence.
  if (!UserWantsGrpcLog()) gpr_set_log_function(LogOfGrpcAtStart);
  {
    std::optional<OwnerOnly> owner_only;
    if (is_socket) owner_only.emplace();
    parts_->server = builder.BuildAndStart();
  }
  if (parts_->server == nullptr || port == 0) {
    return CannotListen(options.listen);
  }
  if (!UserWantsGrpcLog()) gpr_set_log_function(LogOfGrpc);
  grpc_address_ = WithPort(options.listen, port);
  return absl::OkStatus();
}

absl::Status Daemon::ServeWeb(const DaemonOptions& options) {
  RefusedCalls& refused = parts_->authenticator->refused();
  WebOptions web{.address = options.http,
                 .allowed_hosts = options.config.http_allowed_hosts,
                 .how_to_allow =
                     "To allow it, add it to http_allowed_hosts in the scheduler's "
                     "configuration, or give --http-allowed-host",
                 .refused = [&refused](const std::string& host) {
                   refused.CountHost(host, Clock::System().SinceBoot());
                 }};
  absl::StatusOr<std::unique_ptr<WebServer>> server =
      WebServer::Start(web, PagesOf(*parts_->executor, refused));
  if (!server.ok()) return Annotate(server.status(), "--http");
  parts_->web = *std::move(server);
  http_address_ = parts_->web->address();
  return absl::OkStatus();
}

absl::Status Daemon::WriteEndpoints(const fs::path& data) const {
  const nlohmann::json endpoints = {
      {"grpc", grpc_address_}, {"http", http_address_}, {"pid", ::getpid()}};
  return DURABLE("scheduler.endpoints.write",
                 WriteFileAtomically(data / "endpoints.json", endpoints.dump(2) + "\n"));
}

absl::Status Daemon::AnnounceEndpoints(const fs::path& data) {
  const absl::Status written = WriteEndpoints(data);
  if (!absl::IsResourceExhausted(written)) return written;
  spdlog::error("{}; endpoints.json is written when there is room", std::string(written.message()));
  RETURN_IF_ERROR(RemoveAll(data / "endpoints.json"));  // the addresses of an earlier run
  announcer_ = std::jthread([this, data](std::stop_token stop) {
    do {
      SleepUnlessStopped(stop, kEndpointsRetry);
    } while (!stop.stop_requested() && !WriteEndpoints(data).ok());
  });
  return absl::OkStatus();
}

void Daemon::WatchWrites(const DaemonOptions& options, const Clock& clock) {
  std::error_code error;
  const fs::path data = fs::absolute(options.data, error).lexically_normal();
  const auto blobs = [this] { return parts_->blobs->Open(); };
  const auto registry = [this] { return parts_->adapters->files().Open(); };
  WriteWatch::Options watch{.data = data};
  watch.kept = {{data / "blobs/partial", blobs},
                {data / "registry/adapters", registry},
                {data / "registry/staging", registry},
                {data / "endpoints.json", [this, data] { return WriteEndpoints(data); }}};
  watch.announce = [this](bool can_write) {
    if (auto* health = parts_->server->GetHealthCheckService(); health != nullptr) {
      health->SetServingStatus(can_write);
    }
  };
  parts_->watch = std::make_unique<WriteWatch>(*parts_->executor, clock, std::move(watch));
}

void Daemon::Stop() {
  parts_->watch.reset();
  announcer_ = std::jthread();
  if (parts_->upkeep != nullptr) parts_->upkeep->Stop();
  if (parts_->executor != nullptr) parts_->executor->Close();
  if (parts_->server != nullptr) {
    parts_->server->Shutdown(std::chrono::system_clock::now() + kStopTimeout);
    parts_->server->Wait();
  }
  parts_->web.reset();
  parts_->server.reset();
}

}  // namespace mozgach
