#include "ctl/client/connection.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "ctl/client/settings.h"
#include "proto/status_conversion.h"
#include "security/endpoint_probe.h"
#include "security/token.h"

namespace mozgach {
namespace {

constexpr int kMaxMessageBytes = 64 << 20;
constexpr Milliseconds kMomentBeforeProbe{150};
constexpr Milliseconds kSilence{1000};  // then a person is told what it waits for

std::shared_ptr<grpc::Channel> OpenChannel(
    const std::string& address, const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  // A scheduler is a neighbour: a proxy for the web is not on the way to it.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // Despite its name the least time that a connection may take: a TLS handshake on a busy host too.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // A scheduler that hangs, or a network that is gone, ends a call after half a minute.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  return grpc::CreateCustomChannel(address, credentials, arguments);
}

// Why `address` was not reached, and what to try, as the end of a sentence.
std::string WhyNoAnswer(EndpointState endpoint, bool tls) {
  switch (endpoint) {
    case EndpointState::kRefuses:
      return ": connection refused, nothing listens there; is mozgach-scheduler running?";
    case EndpointState::kNoHost:
      return ": this host does not exist; is it spelt right?";
    case EndpointState::kHangs:
      return ": something takes the connection and says nothing.  If it is mozgach-scheduler, it "
             "is "
             "stopped or stuck: look at its process and its log, and start it again.";
    case EndpointState::kSpeaksGrpc:
      if (!tls) break;
      return ": what answers there does not use TLS; leave --tls and MOZGACH_TLS out, or start the "
             "scheduler with --tls";
    case EndpointState::kEndsCall:
      if (tls) break;
      return ": something listens there, and does not speak gRPC in plaintext.  It seems to want "
             "TLS: set MOZGACH_TLS, or give --tls DIR, with what `mozgachctl fleet` made for you; "
             "or is it no mozgach-scheduler?";
    case EndpointState::kSilent:
      break;
  }
  return tls ? "; is mozgach-scheduler running there, with a certificate of the same fleet for "
               "this "
               "very name?"
             : "; is mozgach-scheduler running there?";
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> Settings::Connect(Milliseconds timeout) const {
  SchedulerEndpoint endpoint{
      .address = scheduler, .tls = tls, .token = token, .insecure_plaintext = insecure_plaintext};
  if (!token_file.empty()) {
    ASSIGN_OR_RETURN(endpoint.token, ReadTokenFile(token_file));
  }
  return Connection::Open(endpoint, timeout);
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const SchedulerEndpoint& endpoint,
                                                             Milliseconds timeout) {
  ASSIGN_OR_RETURN(std::shared_ptr<grpc::ChannelCredentials> credentials, CredentialsFor(endpoint));
  std::unique_ptr<Connection> connection(new Connection(endpoint, std::move(credentials)));
  const auto soon = std::chrono::system_clock::now() + std::min(timeout, kMomentBeforeProbe);
  if (connection->channel_->WaitForConnected(soon)) return connection;
  if (IsRefused(endpoint.address)) return connection->NoAnswer(Milliseconds(0));
  RETURN_IF_ERROR(connection->WaitUntilUp(timeout));
  return connection;
}

Connection::Connection(const SchedulerEndpoint& endpoint,
                       std::shared_ptr<grpc::ChannelCredentials> credentials)
    : address_(endpoint.address),
      tls_(!endpoint.tls.empty()),
      channel_(OpenChannel(address_, credentials)),
      jobs_(v1::JobService::NewStub(channel_)),
      workers_(v1::WorkerService::NewStub(channel_)),
      registry_(v1::RegistryService::NewStub(channel_)),
      bases_(v1::BaseService::NewStub(channel_)),
      fleet_(v1::FleetService::NewStub(channel_)),
      upkeep_(v1::UpkeepService::NewStub(channel_)) {}

bool Connection::AwaitConnection(Milliseconds time) const {
  return channel_->WaitForConnected(std::chrono::system_clock::now() + time);
}

absl::Status Connection::WaitUntilUp(Milliseconds timeout) {
  const auto start = std::chrono::system_clock::now();
  if (channel_->WaitForConnected(start + std::min(timeout, kSilence))) return absl::OkStatus();
  if (::isatty(STDERR_FILENO) == 1) {
    std::fprintf(stderr, "waiting for the scheduler at %s, %lld s at most …\n", address_.c_str(),
                 static_cast<long long>(timeout.count() / 1000));
  }
  return channel_->WaitForConnected(start + timeout) ? absl::OkStatus() : NoAnswer(timeout);
}

absl::Status Connection::NoAnswer(Milliseconds timeout) const {
  const std::string waited =
      timeout.count() == 0 ? " cannot be reached"
                           : absl::StrCat(" did not answer within ", timeout.count() / 1000, " s");
  return absl::UnavailableError(absl::StrCat(
      "the scheduler at ", address_, waited, WhyNoAnswer(ProbeEndpoint(address_), tls_),
      "  Another address is given by --scheduler HOST:PORT or MOZGACH_SCHEDULER"));
}

absl::Status Connection::Explain(const grpc::Status& status) const {
  switch (status.error_code()) {
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return absl::UnavailableError(
          absl::StrCat("the scheduler at ", address_,
                       " was reached but did not answer in time; its log may say why, try again"));
    case grpc::StatusCode::UNAVAILABLE:
      return absl::UnavailableError(absl::StrCat("the scheduler at ", address_,
                                                 " does not answer (", status.error_message(),
                                                 "); try again"));
    case grpc::StatusCode::CANCELLED:
      return absl::UnavailableError(
          absl::StrCat("the scheduler at ", address_,
                       " ended the call because it is shutting down; try again when it is back"));
    case grpc::StatusCode::UNIMPLEMENTED:
      return absl::UnimplementedError(absl::StrCat(
          "what answers at ", address_,
          " does not know this command; is it a mozgach-scheduler of the same version?"));
    case grpc::StatusCode::DATA_LOSS: {
      absl::Status damaged = FromGrpc(status);
      damaged.SetPayload(kAtScheduler, absl::Cord());
      return damaged;
    }
    default:
      return FromGrpc(status);
  }
}

}  // namespace mozgach
