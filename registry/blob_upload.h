// A BlobUpload is the arrival of one blob.  Destroyed before Finish it leaves what has been
// received, so that the next upload goes on there.  One thread at a time; may not outlive its
// BlobStore.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/files.h"
#include "common/status.h"
#include "registry/blob_store.h"

namespace mozgach {

class BlobUpload {
 public:
  ~BlobUpload();
  BlobUpload(const BlobUpload&) = delete;
  BlobUpload& operator=(const BlobUpload&) = delete;

  // INVALID_ARGUMENT past the announced size, RESOURCE_EXHAUSTED when the disk is full, ABORTED
  // when a later upload of the blob has taken over.
  absl::Status Append(std::string_view bytes);

  // Syncs, checks the digest and makes the blob count.  OUT_OF_RANGE when bytes are still missing
  // (they are asked for by the next upload); DATA_LOSS when the digest is wrong: all of it is
  // dropped.
  absl::Status Finish();

  // Bytes of the blob received so far, from its start.
  uint64_t received_bytes() const { return offset_; }

 private:
  friend class BlobStore;

  // An upload of what is here already: takes and drops the bytes.
  explicit BlobUpload(uint64_t size) : size_(size), offset_(size) {}
  BlobUpload(BlobStore* store, std::string sha256, uint64_t size, uint64_t offset, uint64_t ticket,
             FileDescriptor fd);
  // Takes the bytes out of reach of other uploads; returns where they are now.
  absl::Status Seclude(const std::filesystem::path& secluded);
  absl::Status CheckBytes(const std::filesystem::path& path) const;

  BlobStore* const store_ = nullptr;  // null: the blob is complete
  const std::string sha256_;
  const uint64_t size_;
  uint64_t offset_;
  const uint64_t ticket_ = 0;
  FileDescriptor fd_;
};

}  // namespace mozgach
