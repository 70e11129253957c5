#include "ctl/client/blob_upload.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"

namespace mozgach {
namespace {

constexpr size_t kPiece = size_t{1} << 20;
constexpr int kTries = 5;

absl::Status Changed(const DatasetFile& file) {
  return absl::FailedPreconditionError(
      absl::StrCat(file.path.string(), " has changed since it was checked; do it again"));
}

// Reads a file from its start in pieces, and knows at the end whether it is still the one.
class CheckedReader {
 public:
  explicit CheckedReader(const DatasetFile& file)
      : file_(file), fd_(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC)), piece_(kPiece, '\0') {}

  // The next piece; empty at the end of a file that is what it was.
  absl::StatusOr<std::string_view> Next() {
    if (!fd_.valid()) return SystemError(errno, absl::StrCat("open ", file_.path.string()));
    ssize_t got = 0;
    do {
      got = ::read(fd_.get(), piece_.data(), piece_.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0) return SystemError(errno, absl::StrCat("read ", file_.path.string()));
    const std::string_view piece(piece_.data(), static_cast<size_t>(got));
    digest_.Update(piece);
    offset_ += piece.size();
    if (offset_ > file_.size) return Changed(file_);
    if (got == 0 && (offset_ < file_.size || digest_.Finish() != file_.sha256)) {
      return Changed(file_);
    }
    return piece;
  }

 private:
  const DatasetFile& file_;
  FileDescriptor fd_;
  std::string piece_;
  Sha256 digest_;
  uint64_t offset_ = 0;
};

// One call.  All of the file is read, so that its digest is known; what lies before `offset` is
// there already and is not sent.
absl::Status UploadOnce(Connection& connection, const DatasetFile& file, uint64_t offset,
                        const std::function<void(uint64_t)>& sent) {
  grpc::ClientContext context;
  context.set_deadline(Connection::DeadlineOfTransfer(file.size));
  v1::UploadBlobResponse response;
  const auto stream = connection.workers().UploadBlob(&context, &response);
  v1::UploadBlobRequest message;
  message.set_sha256(file.sha256);
  message.set_size(file.size);
  message.set_offset(offset);
  bool open = stream->Write(message);
  CheckedReader reader(file);
  uint64_t position = 0;
  while (open) {
    const absl::StatusOr<std::string_view> piece = reader.Next();
    if (!piece.ok()) {
      context.TryCancel();
      stream->Finish().ok();
      return piece.status();
    }
    if (piece->empty()) break;
    const size_t skip =
        position < offset ? std::min<uint64_t>(piece->size(), offset - position) : 0;
    position += piece->size();
    if (skip == piece->size()) continue;
    message.Clear();
    message.set_data(piece->data() + skip, piece->size() - skip);
    open = stream->Write(message);
    if (open) sent(piece->size() - skip);
  }
  stream->WritesDone();
  const grpc::Status status = stream->Finish();
  return status.ok() ? absl::OkStatus() : connection.Explain(status);
}

bool MayHelpToTryAgain(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kDataLoss:  // what was received earlier was wrong, and has been dropped
      return true;
    default:
      return false;
  }
}

absl::StatusOr<std::map<std::string, v1::StatBlobsResponse::Blob>> Stat(
    Connection& connection, const std::vector<DatasetFile>& files) {
  v1::StatBlobsRequest request;
  for (const DatasetFile& file : files) request.add_sha256(file.sha256);
  ASSIGN_OR_RETURN(const v1::StatBlobsResponse response,
                   connection.Call(&v1::WorkerService::Stub::StatBlobs, request));
  std::map<std::string, v1::StatBlobsResponse::Blob> blobs;
  for (const auto& blob : response.blobs()) blobs[blob.sha256()] = blob;
  return blobs;
}

}  // namespace

absl::Status UploadDatasets(Connection& connection, const std::vector<DatasetFile>& files,
                            const std::function<void(uint64_t)>& sent) {
  ASSIGN_OR_RETURN(auto blobs, Stat(connection, files));
  for (const DatasetFile& file : files) {
    v1::StatBlobsResponse::Blob blob = blobs[file.sha256];
    for (int tries = 1; !blob.complete(); ++tries) {
      const uint64_t offset = std::min(blob.received_bytes(), file.size);
      const absl::Status status = UploadOnce(connection, file, offset, sent);
      if (status.ok()) break;
      if (tries == kTries || !MayHelpToTryAgain(status)) {
        return absl::Status(status.code() == absl::StatusCode::kDataLoss
                                ? absl::StatusCode::kInternal
                                : status.code(),
                            absl::StrCat("upload of ", file.path.string(), ": ", status.message()));
      }
      RETURN_IF_ERROR(connection.WaitUntilUp());
      ASSIGN_OR_RETURN(auto now, Stat(connection, {file}));
      blob = now[file.sha256];
    }
  }
  return absl::OkStatus();
}

}  // namespace mozgach
