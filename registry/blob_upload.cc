#include "registry/blob_upload.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/mutex.h"
#include "failpoint/failpoint.h"

namespace mozgach {
namespace fs = std::filesystem;

BlobUpload::BlobUpload(BlobStore* store, std::string sha256, uint64_t size, uint64_t offset,
                       uint64_t ticket, FileDescriptor fd)
    : store_(store),
      sha256_(std::move(sha256)),
      size_(size),
      offset_(offset),
      ticket_(ticket),
      fd_(std::move(fd)) {}

BlobUpload::~BlobUpload() {
  if (store_ == nullptr) return;
  const MutexLock lock(store_->mutex_);
  --store_->open_uploads_;
  if (store_->CheckOwner(sha256_, ticket_).ok()) store_->uploads_.erase(sha256_);
}

absl::Status BlobUpload::Append(std::string_view bytes) {
  if (store_ == nullptr) return absl::OkStatus();
  const MutexLock lock(store_->mutex_);
  RETURN_IF_ERROR(store_->CheckOwner(sha256_, ticket_));
  if (bytes.size() > size_ - offset_) {
    return absl::InvalidArgumentError(
        absl::StrCat("the blob is longer than the ", size_, " bytes announced"));
  }
  RETURN_IF_ERROR(store_->CheckRoom(bytes.size()));  // others upload as well
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset_));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError(errno, "write a partial blob");
    offset_ += static_cast<uint64_t>(written);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status BlobUpload::Finish() {
  if (store_ == nullptr) return absl::OkStatus();
  if (offset_ < size_) {
    return absl::OutOfRangeError(
        absl::StrCat("the upload ended at ", offset_, " of ", size_, " bytes"));
  }
  fs::path secluded = store_->PartialPath(sha256_);
  secluded += absl::StrCat(".", ticket_);
  RETURN_IF_ERROR(DURABLE("registry.blob.seclude", Seclude(secluded)));
  // Bytes that could not be synced can be read until they are gone: they are uploaded again, like
  // damaged bytes.
  absl::Status status = DURABLE("registry.blob.check", CheckBytes(secluded));
  if (!status.ok()) {
    RETURN_IF_ERROR(RemoveAll(secluded));
    return status;
  }
  const fs::path complete = store_->CompletePath(sha256_);
  if (status.ok()) status = MakeDirectories(complete.parent_path());
  if (status.ok()) status = DURABLE("registry.blob.complete", store_->Name(secluded, sha256_));
  if (!status.ok()) ::rename(secluded.c_str(), store_->PartialPath(sha256_).c_str());
  return status;
}

absl::Status BlobUpload::Seclude(const fs::path& secluded) {
  const MutexLock lock(store_->mutex_);
  RETURN_IF_ERROR(store_->CheckOwner(sha256_, ticket_));
  if (::rename(store_->PartialPath(sha256_).c_str(), secluded.c_str()) != 0) {
    return SystemError(errno, "take a partial blob aside");
  }
  store_->uploads_.erase(sha256_);
  return absl::OkStatus();
}

absl::Status BlobUpload::CheckBytes(const fs::path& path) const {
  if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0 || ::fsync(fd_.get()) != 0) {
    return SystemError(errno, "sync a partial blob");
  }
  ASSIGN_OR_RETURN(const std::string found, Sha256OfFile(path));
  if (found != sha256_) {
    return absl::DataLossError(absl::StrCat("the bytes received have the digest ", found, ", not ",
                                            sha256_, ": upload the blob again"));
  }
  if (::fchmod(fd_.get(), 0444) != 0) return SystemError(errno, "make a blob read-only");
  return absl::OkStatus();
}

}  // namespace mozgach
