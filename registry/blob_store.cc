#include "registry/blob_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/log.h"
#include "common/mutex.h"
#include "failpoint/failpoint.h"
#include "registry/blob_upload.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace {

absl::Status CheckDigest(const std::string& sha256) {
  if (IsSha256Hex(sha256)) return absl::OkStatus();
  return absl::InvalidArgumentError("a blob is named by 64 lower-case hex digits");
}

// -1 if the file does not exist.
int64_t SizeOf(const fs::path& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 ? info.st_size : -1;
}

WallTime WrittenAt(const fs::path& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) return WallTime::max();
  return FromMillis(int64_t{info.st_mtime} * 1000);
}

// A path that is not there is a fault of this disk; NOT_FOUND would say that the caller named it.
absl::Status AsOwnFault(const absl::Status& status) {
  return absl::IsNotFound(status) ? absl::InternalError(status.message()) : status;
}

}  // namespace

BlobStore::BlobStore(fs::path root, uint64_t limit_bytes, uint64_t reserve_bytes)
    : root_(std::move(root)), limit_bytes_(limit_bytes), reserve_bytes_(reserve_bytes) {}

absl::Status BlobStore::Open() {
  RETURN_IF_ERROR(SettleDirectory(root_));
  return MakeDirectories(root_ / "partial");
}

fs::path BlobStore::PartialPath(const std::string& sha256) const {
  return root_ / "partial" / sha256;
}

fs::path BlobStore::CompletePath(const std::string& sha256) const {
  return root_ / sha256.substr(0, 2) / sha256;
}

absl::StatusOr<BlobStore::Stat> BlobStore::Find(const std::string& sha256) const {
  RETURN_IF_ERROR(CheckDigest(sha256));
  Stat stat;
  const int64_t size = SizeOf(CompletePath(sha256));
  stat.complete = size >= 0;
  if (stat.complete) RETURN_IF_ERROR(Settle(sha256));
  stat.bytes = static_cast<uint64_t>(
      std::max<int64_t>(0, stat.complete ? size : SizeOf(PartialPath(sha256))));
  return stat;
}

bool BlobStore::Has(const std::string& sha256) const {
  const absl::StatusOr<Stat> stat = Find(sha256);
  return stat.ok() && stat->complete;
}

std::optional<BlobStore::Stamp> BlobStore::StampOf(const fs::path& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
#ifdef __APPLE__
  const timespec& changed = info.st_ctimespec;
#else
  const timespec& changed = info.st_ctim;
#endif
  return Stamp{static_cast<uint64_t>(info.st_ino), info.st_size,
               int64_t{changed.tv_sec} * 1'000'000'000 + changed.tv_nsec};
}

void BlobStore::NoteChecked(const std::string& sha256, const std::optional<Stamp>& stamp) {
  const MutexLock lock(checked_mutex_);
  if (stamp.has_value()) {
    checked_[sha256] = *stamp;
  } else {
    checked_.erase(sha256);
  }
}

absl::StatusOr<bool> BlobStore::RemoveIfDamaged(const std::string& sha256) {
  RETURN_IF_ERROR(CheckDigest(sha256));
  const fs::path path = CompletePath(sha256);
  const std::optional<Stamp> before = StampOf(path);
  if (!before.has_value()) return false;
  {
    const MutexLock lock(checked_mutex_);
    const auto checked = checked_.find(sha256);
    if (checked != checked_.end() && checked->second == *before) return false;
  }
  ASSIGN_OR_RETURN(const std::string found, Sha256OfFile(path));
  if (found == sha256) {
    NoteChecked(sha256, before);
    return false;
  }
  spdlog::error("{} is damaged: its bytes have the digest {}; it is removed", path.string(), found);
  NoteChecked(sha256, std::nullopt);
  RETURN_IF_ERROR(Remove(sha256));
  return true;
}

absl::Status BlobStore::Name(const fs::path& file, const std::string& sha256) {
  const std::string directory = sha256.substr(0, 2);
  {
    const MutexLock lock(names_mutex_);
    ++names_[directory].changing;
  }
  const absl::Status named = RenameDurably(file, CompletePath(sha256));
  if (named.ok()) NoteChecked(sha256, StampOf(CompletePath(sha256)));
  const MutexLock lock(names_mutex_);
  Names& names = names_[directory];
  --names.changing;
  if (named.ok() && names.synced == names.changes) ++names.synced;
  ++names.changes;
  return named;
}

absl::Status BlobStore::Settle(const std::string& sha256) const {
  const std::string directory = sha256.substr(0, 2);
  Names before;
  {
    const MutexLock lock(names_mutex_);
    before = names_[directory];
  }
  if (before.changing == 0 && before.synced == before.changes) return absl::OkStatus();
  RETURN_IF_ERROR(DURABLE("registry.blob.settle", SyncDirectory(root_ / directory)));
  const MutexLock lock(names_mutex_);
  if (before.changing == 0) {
    names_[directory].synced = std::max(names_[directory].synced, before.changes);
  }
  return absl::OkStatus();
}

absl::StatusOr<fs::path> BlobStore::Path(const std::string& sha256) const {
  RETURN_IF_ERROR(CheckDigest(sha256));
  return CompletePath(sha256);
}

absl::StatusOr<std::unique_ptr<BlobUpload>> BlobStore::Upload(const std::string& sha256,
                                                              uint64_t size, uint64_t offset) {
  ASSIGN_OR_RETURN(Stat stat, Find(sha256));
  if (size > limit_bytes_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a blob of ", size, " bytes; this scheduler takes at most ", limit_bytes_,
                     " (blob_bytes_max in its configuration)"));
  }
  if (stat.complete && Touch(sha256)) {
    return std::unique_ptr<BlobUpload>(new BlobUpload(stat.bytes));
  }
  if (stat.complete) stat.bytes = 0;  // it has just gone
  if (offset > stat.bytes || offset > size) {
    return absl::OutOfRangeError(
        absl::StrCat("upload starts at ", offset, ", but only ", stat.bytes, " bytes are here"));
  }
  // The directories may have been removed by hand.
  RETURN_IF_ERROR(AsOwnFault(MakeDirectories(root_ / "partial")));
  RETURN_IF_ERROR(AsOwnFault(CheckRoom(size - std::min(size, stat.bytes))));
  const MutexLock lock(mutex_);
  if (open_uploads_ >= kOpenUploadsMax) {
    return absl::UnavailableError("too many uploads are under way; try again in a moment");
  }
  // A check that failed half-way (a full disk) may have left the file read-only.
  ::chmod(PartialPath(sha256).c_str(), 0644);
  FileDescriptor fd(::open(PartialPath(sha256).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.valid()) return AsOwnFault(SystemError(errno, "open a partial blob"));
  const uint64_t ticket = next_ticket_++;
  uploads_[sha256] = ticket;
  ++open_uploads_;
  return std::unique_ptr<BlobUpload>(
      new BlobUpload(this, sha256, size, offset, ticket, std::move(fd)));
}

bool BlobStore::Touch(const std::string& sha256) const {
  const MutexLock lock(mutex_);
  return ::utimensat(AT_FDCWD, CompletePath(sha256).c_str(), nullptr, 0) == 0;
}

absl::Status BlobStore::CheckOwner(const std::string& sha256, uint64_t ticket) const {
  const auto it = uploads_.find(sha256);
  if (it != uploads_.end() && it->second == ticket) return absl::OkStatus();
  return absl::AbortedError("a later upload of this blob has taken over");
}

absl::Status BlobStore::CheckRoom(uint64_t bytes) const {
  if (reserve_bytes_ == 0) return absl::OkStatus();
  std::error_code error;
  const fs::space_info space = fs::space(root_, error);
  if (error) return SystemError(error.value(), absl::StrCat("look at ", root_.string()));
  if (space.available >= reserve_bytes_ && space.available - reserve_bytes_ >= bytes) {
    return absl::OkStatus();
  }
  constexpr uint64_t kMiB = 1 << 20;
  return absl::ResourceExhaustedError(absl::StrCat(
      "no room for an upload: the scheduler's disk has ", space.available / kMiB,
      " MiB free, of which ", reserve_bytes_ / kMiB,
      " stay so (disk_reserve_bytes in its configuration), and ", bytes / kMiB + 1,
      " are to come; make room on it, `mozgachctl gc --dry-run` shows what nobody needs"));
}

absl::Status BlobStore::Remove(const std::string& sha256) {
  RETURN_IF_ERROR(CheckDigest(sha256));
  return RemoveAll(CompletePath(sha256));
}

absl::StatusOr<std::vector<BlobStore::OldFile>> BlobStore::Old(WallTime before) const {
  std::vector<OldFile> old;
  ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(root_));
  for (const std::string& file : files) {
    const fs::path path = root_ / file;
    if (WrittenAt(path) >= before) continue;
    const std::string name = path.filename().string();
    const bool complete = IsSha256Hex(name) && path == CompletePath(name);
    old.push_back(
        {file, complete ? name : "", static_cast<uint64_t>(std::max<int64_t>(0, SizeOf(path)))});
  }
  return old;
}

absl::StatusOr<bool> BlobStore::RemoveOld(const OldFile& file, WallTime before) {
  // Who uploads a blob that is here takes it for granted from then on.
  const MutexLock lock(mutex_);
  if (WrittenAt(root_ / file.path) >= before) return false;
  RETURN_IF_ERROR(RemoveAll(root_ / file.path));
  return true;
}

}  // namespace mozgach
