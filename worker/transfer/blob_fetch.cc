#include "worker/transfer/blob_fetch.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/write_all.h"
#include "failpoint/failpoint.h"
#include "worker/transfer/persistence.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace {

// After a failed sync the system may report the bytes as written: the file is fetched again.
absl::Status Sync(int fd, const fs::path& part) {
  if (::fsync(fd) == 0) return absl::OkStatus();
  const absl::Status failed = SystemError(errno, absl::StrCat("fsync ", part.string()));
  RETURN_IF_ERROR(RemoveAll(part));
  return failed;
}

// One try; goes on with what an earlier one left in `part`.
absl::Status Download(SchedulerClient& client, const BlobName& blob, const fs::path& part,
                      const std::function<void(uint64_t)>& received, std::stop_token stop) {
  FileDescriptor fd(::open(part.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!fd.valid()) return SystemError(errno, absl::StrCat("create ", part.string()));
  uint64_t have = static_cast<uint64_t>(::lseek(fd.get(), 0, SEEK_END));
  if (have < blob.size) {
    RETURN_IF_ERROR(client.DownloadBlob(
        blob.sha256, have, blob.size - have,
        [&](std::string_view bytes) -> absl::Status {
          have += bytes.size();
          if (have > blob.size) {
            return absl::DataLossError(absl::StrCat("more than its ", blob.size, " bytes came"));
          }
          RETURN_IF_ERROR(WriteAll(fd.get(), bytes, part));
          received(bytes.size());
          return absl::OkStatus();
        },
        stop));
  }
  if (have < blob.size) return absl::UnavailableError("the download ended early");
  RETURN_IF_ERROR(DURABLE("worker.blob.sync", Sync(fd.get(), part)));
  ASSIGN_OR_RETURN(const std::string digest, Sha256OfFile(part));
  if (have == blob.size && digest == blob.sha256) return absl::OkStatus();
  RETURN_IF_ERROR(RemoveAll(part));
  return absl::DataLossError("its bytes do not match their digest");
}

}  // namespace

absl::Status FetchBlob(SchedulerClient& client, const BlobName& blob, std::string_view what,
                       const fs::path& part, const fs::path& path,
                       const std::function<void(uint64_t)>& received, std::stop_token stop) {
  const absl::string_view thing(what.data(), what.size());
  // Our own full disk is not the scheduler's: no try is repeated for it.
  absl::Status local;
  const absl::Status fetched = Persist(stop, absl::StrCat("fetch ", thing), [&]() -> absl::Status {
    const absl::Status status = Download(client, blob, part, received, stop);
    if (!absl::IsResourceExhausted(status)) return status;
    local = status;
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(Annotate(local, absl::StrCat("keep ", thing)));
  RETURN_IF_ERROR(fetched);
  return DURABLE("worker.blob.complete", RenameDurably(part, path));
}

}  // namespace mozgach
