#include "scheduler/services/worker_service.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/open_beneath.h"
#include "registry/blob_upload.h"
#include "scheduler/access/unary_reply.h"
#include "scheduler/services/file_stream.h"

namespace mozgach {
namespace {

constexpr int kBlobsInOneStat = 100000;

// One Synchronize, held by the executor as long as there is nothing to say.
class SynchronizeCall : public grpc::ServerUnaryReactor {
 public:
  SynchronizeCall(CoreExecutor& executor, const Authenticator& authenticator, CallMemory& memory,
                  const v1::SynchronizeRequest& request, v1::SynchronizeResponse* response)
      : executor_(executor),
        authenticator_(authenticator),
        memory_(memory),
        request_(request),
        response_(response) {
    memory_.Add(1);
  }
  ~SynchronizeCall() override { memory_.Add(-1); }

  void Start(const absl::StatusOr<Caller>& caller) {
    absl::Status status = caller.status();
    if (status.ok()) status = CheckRequest(request_);
    if (status.ok()) {
      status = caller->CheckIsWorker(request_.worker());
      authenticator_.CountRefusal(status, &*caller, "Synchronize");
    }
    if (!status.ok()) return Finish(ToReply(status));
    executor_.Synchronize(request_, [this](absl::StatusOr<v1::SynchronizeResponse> answer) {
      if (answer.ok()) *response_ = *std::move(answer);
      Finish(ToReply(answer.status()));
    });
  }
  void OnCancel() override {
    if (executor_.Leave(request_)) {
      Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the worker has gone"));
    }
  }
  void OnDone() override { delete this; }

 private:
  CoreExecutor& executor_;
  const Authenticator& authenticator_;
  CallMemory& memory_;
  const v1::SynchronizeRequest& request_;
  v1::SynchronizeResponse* const response_;
};

class UploadCall : public grpc::ServerReadReactor<v1::UploadBlobRequest> {
 public:
  UploadCall(BlobStore& blobs, v1::UploadBlobResponse* response)
      : blobs_(blobs), response_(response) {
    StartRead(&message_);
  }

  void OnReadDone(bool ok) override {
    const absl::Status status = ok ? Take() : FinishUpload();
    if (ok && status.ok()) return StartRead(&message_);
    if (upload_ != nullptr) response_->set_received_bytes(upload_->received_bytes());
    upload_.reset();
    Finish(ToReply(status));
  }
  void OnDone() override { delete this; }

 private:
  absl::Status Take() {
    if (upload_ == nullptr) {
      ASSIGN_OR_RETURN(upload_,
                       blobs_.Upload(message_.sha256(), message_.size(), message_.offset()));
    }
    return upload_->Append(message_.data());
  }
  absl::Status FinishUpload() {
    if (upload_ != nullptr) return upload_->Finish();
    return absl::InvalidArgumentError("an upload without a message");
  }

  BlobStore& blobs_;
  v1::UploadBlobResponse* const response_;
  v1::UploadBlobRequest message_;
  std::unique_ptr<BlobUpload> upload_;
};

absl::StatusOr<FileDescriptor> OpenBlob(const BlobStore& blobs, const std::string& sha256) {
  ASSIGN_OR_RETURN(const BlobStore::Stat stat, blobs.Find(sha256));
  if (!stat.complete) return absl::NotFoundError(absl::StrCat("there is no blob ", sha256));
  ASSIGN_OR_RETURN(const std::filesystem::path path, blobs.Path(sha256));
  return OpenBeneath(path.parent_path(), path.filename());
}

}  // namespace

grpc::ServerUnaryReactor* WorkerService::Synchronize(grpc::CallbackServerContext* context,
                                                     const v1::SynchronizeRequest* request,
                                                     v1::SynchronizeResponse* response) {
  auto* call = new SynchronizeCall(executor_, authenticator_, memory_, *request, response);
  call->Start(authenticator_.CallerOf(*context));
  return call;
}

grpc::ServerUnaryReactor* WorkerService::StatBlobs(grpc::CallbackServerContext* context,
                                                   const v1::StatBlobsRequest* request,
                                                   v1::StatBlobsResponse* response) {
  return ReplyWith(context, FindBlobs(*request), response);
}

absl::StatusOr<v1::StatBlobsResponse> WorkerService::FindBlobs(
    const v1::StatBlobsRequest& request) const {
  if (request.sha256_size() > kBlobsInOneStat) {
    return absl::InvalidArgumentError("more than 100000 blobs in one StatBlobs");
  }
  v1::StatBlobsResponse response;
  for (const std::string& sha256 : request.sha256()) {
    ASSIGN_OR_RETURN(const BlobStore::Stat stat, blobs_.Find(sha256));
    v1::StatBlobsResponse::Blob& blob = *response.add_blobs();
    blob.set_sha256(sha256);
    blob.set_complete(stat.complete);
    blob.set_received_bytes(stat.bytes);
  }
  return response;
}

grpc::ServerReadReactor<v1::UploadBlobRequest>* WorkerService::UploadBlob(
    grpc::CallbackServerContext* context, v1::UploadBlobResponse* response) {
  return new UploadCall(blobs_, response);
}

grpc::ServerWriteReactor<v1::DownloadBlobResponse>* WorkerService::DownloadBlob(
    grpc::CallbackServerContext* context, const v1::DownloadBlobRequest* request) {
  return new FileStream<v1::DownloadBlobResponse>(OpenBlob(blobs_, request->sha256()),
                                                  request->offset());
}

grpc::ServerUnaryReactor* WorkerService::AppendLog(grpc::CallbackServerContext* context,
                                                   const v1::AppendLogRequest* request,
                                                   v1::AppendLogResponse* response) {
  return ReplyWith(context, Append(*context, *request), response);
}

absl::StatusOr<v1::AppendLogResponse> WorkerService::Append(
    const grpc::CallbackServerContext& context, const v1::AppendLogRequest& request) {
  ASSIGN_OR_RETURN(const Caller caller, authenticator_.CallerOf(context));
  const auto attempt = executor_.RunWithoutSync([&](Core& core, const Now&) {
    return core.state().attempts.Find(request.job(), request.attempt());
  });
  RETURN_IF_ERROR(attempt.status());
  if (!attempt->has_value()) {
    return absl::NotFoundError(
        absl::StrCat("job ", request.job(), " has no attempt ", request.attempt()));
  }
  const absl::Status own = caller.CheckIsWorker((*attempt)->worker);
  authenticator_.CountRefusal(own, &caller, "AppendLog");
  RETURN_IF_ERROR(own);
  v1::AppendLogResponse response;
  ASSIGN_OR_RETURN(const uint64_t size, logs_.Append(request.job(), request.attempt(),
                                                     request.offset(), request.data()));
  response.set_size(size);
  return response;
}

}  // namespace mozgach
