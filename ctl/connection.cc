#include "ctl/connection.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "proto/status_conversion.h"

namespace mozgach {
namespace {

constexpr int kMaxMessageBytes = 64 << 20;

bool IsHostAndPort(const std::string& address) {
  const size_t colon = address.rfind(':');
  int port = 0;
  return colon != std::string::npos && colon > 0 &&
         absl::SimpleAtoi(address.substr(colon + 1), &port) && port > 0 && port < 65536 &&
         address.find_first_of(" /?#") == std::string::npos;
}

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  // A scheduler is a neighbour: a proxy for the web is not on the way to it.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const std::string& address,
                                                             Milliseconds patience) {
  if (!IsHostAndPort(address)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the scheduler's address is HOST:PORT, like 127.0.0.1:7108, not '", address, "'"));
  }
  std::unique_ptr<Connection> connection(new Connection(address));
  RETURN_IF_ERROR(connection->WaitUntilUp(patience));
  return connection;
}

Connection::Connection(std::string address)
    : address_(std::move(address)),
      channel_(OpenChannel(address_)),
      jobs_(v1::JobService::NewStub(channel_)),
      workers_(v1::WorkerService::NewStub(channel_)),
      registry_(v1::RegistryService::NewStub(channel_)),
      bases_(v1::BaseService::NewStub(channel_)) {}

absl::Status Connection::WaitUntilUp(Milliseconds patience) {
  if (channel_->WaitForConnected(std::chrono::system_clock::now() + patience)) {
    return absl::OkStatus();
  }
  return NoAnswer(patience);
}

absl::Status Connection::NoAnswer(Milliseconds patience) const {
  return absl::UnavailableError(absl::StrCat("the scheduler at ", address_,
                                             " did not answer within ", patience.count() / 1000,
                                             " s; is mozgach-scheduler running there?  Another "
                                             "address is given by --scheduler HOST:PORT or "
                                             "MOZGACH_SCHEDULER"));
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
    case grpc::StatusCode::UNIMPLEMENTED:
      return absl::UnimplementedError(absl::StrCat(
          "what answers at ", address_,
          " does not know this command; is it a mozgach-scheduler of the same version?"));
    default:
      return FromGrpc(status);
  }
}

}  // namespace mozgach
