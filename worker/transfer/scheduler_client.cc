#include "worker/transfer/scheduler_client.h"

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/mutex.h"
#include "proto/status_conversion.h"

namespace mozgach {
namespace {

constexpr size_t kPiece = size_t{1} << 20;
constexpr int kMessageMax = 64 << 20;
constexpr Milliseconds kShortCall{15'000};
constexpr auto kReconnectEvery = std::chrono::seconds(5);
// A transfer that is slower than this, on average, is cut and goes on where it was.
constexpr uint64_t kBytesPerSecondMin = 100'000;

std::shared_ptr<grpc::Channel> Connect(
    const std::string& address, const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments;
  // A scheduler that comes back is noticed within a second, not after gRPC's two minutes.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  // A new channel makes a connection of its own, with the present certificate.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(kMessageMax);
  arguments.SetMaxSendMessageSize(kMessageMax);
  auto channel = grpc::CreateCustomChannel(address, credentials, arguments);
  // gRPC 1.51 aborts now and then when the last user of its callback queue goes: one stays.
  [[gnu::used]] static const auto* const kept = new std::shared_ptr<grpc::Channel>(channel);
  return channel;
}

void SetDeadline(grpc::ClientContext& context, Milliseconds within) {
  context.set_deadline(std::chrono::system_clock::now() + within);
}

Milliseconds TimeFor(uint64_t bytes) {
  return Milliseconds(60'000 + bytes * 1000 / kBytesPerSecondMin);
}

absl::StatusOr<FileDescriptor> OpenAt(const std::filesystem::path& path, uint64_t offset) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() || ::lseek(fd.get(), static_cast<off_t>(offset), SEEK_SET) < 0) {
    return SystemError(errno, absl::StrCat("open ", path.string()));
  }
  return fd;
}

}  // namespace

struct SchedulerClient::Call {
  grpc::ClientContext context;
  v1::SynchronizeRequest request;
  v1::SynchronizeResponse response;
};

SchedulerClient::SchedulerClient(const std::string& address,
                                 const std::shared_ptr<grpc::ChannelCredentials>& credentials)
    : address_(address),
      credentials_(credentials),
      stub_(v1::WorkerService::NewStub(Connect(address, credentials))) {}

SchedulerClient::SchedulerClient(const std::string& address)
    : SchedulerClient(address, grpc::InsecureChannelCredentials()) {}

std::shared_ptr<v1::WorkerService::Stub> SchedulerClient::Stub() {
  const MutexLock lock(mutex_);
  return stub_;
}

void SchedulerClient::Heed(const grpc::Status& status) {
  if (status.error_code() != grpc::StatusCode::UNAUTHENTICATED) return;
  const auto now = std::chrono::steady_clock::now();
  const MutexLock lock(mutex_);
  if (now - connected_at_ < kReconnectEvery) return;
  connected_at_ = now;
  stub_ = v1::WorkerService::NewStub(Connect(address_, credentials_));
}

SchedulerClient::~SchedulerClient() {
  MutexLock lock(mutex_);
  if (current_ != nullptr) current_->context.TryCancel();
  ended_.wait(lock, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return in_flight_ == 0; });
}

void SchedulerClient::Synchronize(const v1::SynchronizeRequest& request, Milliseconds deadline,
                                  std::function<void(Answer)> done) {
  auto call = std::make_shared<Call>();
  call->request = request;
  SetDeadline(call->context, deadline);
  {
    const MutexLock lock(mutex_);
    if (current_ != nullptr) current_->context.TryCancel();
    current_ = call;
    ++in_flight_;
  }
  // The call holds the stub: its channel may be left by then.
  const std::shared_ptr<v1::WorkerService::Stub> stub = Stub();
  stub->async()->Synchronize(
      &call->context, &call->request, &call->response,
      [this, call, stub, done = std::move(done)](const grpc::Status& status) {
        Heed(status);
        done(status.ok() ? Answer(std::move(call->response)) : Answer(FromGrpc(status)));
        const MutexLock lock(mutex_);
        if (current_ == call) current_ = nullptr;
        --in_flight_;
        ended_.notify_all();
      });
}

absl::StatusOr<std::vector<v1::StatBlobsResponse::Blob>> SchedulerClient::StatBlobs(
    const std::vector<std::string>& sha256, std::stop_token stop) {
  grpc::ClientContext context;
  SetDeadline(context, kShortCall);
  const std::stop_callback cancel(stop, [&] { context.TryCancel(); });
  v1::StatBlobsRequest request;
  request.mutable_sha256()->Add(sha256.begin(), sha256.end());
  v1::StatBlobsResponse response;
  RETURN_IF_ERROR(FromGrpc(Stub()->StatBlobs(&context, request, &response)));
  if (response.blobs_size() != static_cast<int>(sha256.size())) {
    return absl::InternalError(absl::StrCat("the scheduler was asked for ", sha256.size(),
                                            " blobs and spoke of ", response.blobs_size()));
  }
  return std::vector<v1::StatBlobsResponse::Blob>(response.blobs().begin(), response.blobs().end());
}

absl::Status SchedulerClient::UploadBlob(const v1::File& blob, const std::filesystem::path& path,
                                         uint64_t offset, const std::function<void(uint64_t)>& sent,
                                         std::stop_token stop) {
  ASSIGN_OR_RETURN(const FileDescriptor file, OpenAt(path, offset));
  grpc::ClientContext context;
  SetDeadline(context, TimeFor(blob.size() - std::min(offset, blob.size())));
  const std::stop_callback cancel(stop, [&] { context.TryCancel(); });
  v1::UploadBlobResponse response;
  const auto stub = Stub();
  const auto stream = stub->UploadBlob(&context, &response);
  v1::UploadBlobRequest message;
  message.set_sha256(blob.sha256());
  message.set_size(blob.size());
  message.set_offset(offset);
  std::string piece(kPiece, '\0');
  for (bool first = true;; first = false) {
    const ssize_t got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0) {
      context.TryCancel();
      return SystemError(errno, absl::StrCat("read ", path.string()));
    }
    if (got == 0 && !first) break;
    message.set_data(piece.data(), static_cast<size_t>(got));
    if (!stream->Write(message)) break;  // Finish says why
    sent(static_cast<uint64_t>(got));
    message.Clear();
  }
  stream->WritesDone();
  return FromGrpc(stream->Finish());
}

absl::Status SchedulerClient::DownloadBlob(
    const std::string& sha256, uint64_t offset, uint64_t bytes,
    const std::function<absl::Status(std::string_view)>& sink, std::stop_token stop) {
  grpc::ClientContext context;
  SetDeadline(context, TimeFor(bytes));
  const std::stop_callback cancel(stop, [&] { context.TryCancel(); });
  v1::DownloadBlobRequest request;
  request.set_sha256(sha256);
  request.set_offset(offset);
  const auto stub = Stub();
  const auto stream = stub->DownloadBlob(&context, request);
  v1::DownloadBlobResponse piece;
  while (stream->Read(&piece)) {
    if (const absl::Status status = sink(piece.data()); !status.ok()) {
      context.TryCancel();
      return status;
    }
  }
  return FromGrpc(stream->Finish());
}

absl::StatusOr<uint64_t> SchedulerClient::AppendLog(int64_t job, int64_t attempt, uint64_t offset,
                                                    std::string_view bytes, std::stop_token stop) {
  grpc::ClientContext context;
  SetDeadline(context, kShortCall);
  const std::stop_callback cancel(stop, [&] { context.TryCancel(); });
  v1::AppendLogRequest request;
  request.set_job(job);
  request.set_attempt(attempt);
  request.set_offset(offset);
  request.set_data(bytes.data(), bytes.size());
  v1::AppendLogResponse response;
  RETURN_IF_ERROR(FromGrpc(Stub()->AppendLog(&context, request, &response)));
  return response.size();
}

}  // namespace mozgach
