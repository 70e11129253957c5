#include "ctl/client/adapter_pull.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/domain/spec_value.h"
#include "common/files.h"
#include "common/write_all.h"
#include "ctl/local/interrupt.h"

namespace mozgach {
namespace {
namespace fs = std::filesystem;

// A directory that is removed unless it was kept.
class PartialDirectory {
 public:
  static absl::StatusOr<std::unique_ptr<PartialDirectory>> Make(const fs::path& target) {
    RETURN_IF_ERROR(MakeDirectories(target.parent_path()));
    std::string pattern =
        (target.parent_path() / absl::StrCat(".", target.filename().string(), ".partial-XXXXXX"))
            .string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      return SystemError(errno,
                         absl::StrCat("make a directory in ", target.parent_path().string()));
    }
    return std::unique_ptr<PartialDirectory>(new PartialDirectory(pattern));
  }
  ~PartialDirectory() {
    if (!path_.empty()) (void)RemoveAll(path_);
  }

  const fs::path& path() const { return path_; }

  absl::Status MoveTo(const fs::path& target) {
    if (::chmod(path_.c_str(), 0755) != 0) {
      return SystemError(errno, absl::StrCat("chmod ", path_.string()));
    }
    RETURN_IF_ERROR(RenameDurably(path_, target));
    path_.clear();
    return absl::OkStatus();
  }

 private:
  explicit PartialDirectory(fs::path path) : path_(std::move(path)) {}

  fs::path path_;
};

absl::Status CheckTarget(const fs::path& target) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(target, error);
  if (!fs::exists(status)) return absl::OkStatus();
  if (fs::is_directory(status) && fs::is_empty(target, error) && !error) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(target.string(), " is there already and not an empty directory; name another"));
}

// A registry is trusted with bytes, not with where they are written.
bool StaysInside(const std::string& path) {
  if (path.empty() || path.find('\0') != std::string::npos) return false;
  const fs::path parts(path);
  if (parts.is_absolute()) return false;
  for (const fs::path& part : parts) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

absl::Status Differs(const v1::Version& version, const v1::File& file) {
  return absl::InternalError(absl::StrCat(
      version.domain(), "@", version.version(), ": ", file.path(),
      " is not what was published; mozgachctl adapters verify ", version.domain(), " says more"));
}

absl::Status DownloadFile(Connection& connection, const v1::Version& version, const v1::File& file,
                          const fs::path& path) {
  FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd.valid()) return SystemError(errno, absl::StrCat("create ", path.string()));
  grpc::ClientContext context;
  context.set_deadline(Connection::DeadlineOfTransfer(file.size()));
  v1::DownloadFileRequest request;
  request.set_domain(version.domain());
  request.set_version(version.version());
  request.set_path(file.path());
  const auto stream = connection.registry().DownloadFile(&context, request);
  Sha256 digest;
  uint64_t received = 0;
  absl::Status status;
  for (v1::DownloadFileResponse piece; status.ok() && stream->Read(&piece);) {
    received += piece.data().size();
    digest.Update(piece.data());
    status = Interrupted()            ? absl::CancelledError("interrupted")
             : received > file.size() ? Differs(version, file)
                                      : WriteAll(fd.get(), piece.data(), path);
  }
  if (!status.ok()) context.TryCancel();
  const grpc::Status ended = stream->Finish();
  RETURN_IF_ERROR(status);
  if (!ended.ok()) return Annotate(connection.Explain(ended), file.path());
  if (received != file.size() || digest.Finish() != file.sha256()) return Differs(version, file);
  return SyncFile(path);
}

}  // namespace

absl::Status PullVersion(Connection& connection, const v1::Version& version,
                         const fs::path& target) {
  // Without the slash that completion leaves behind, the last part is a name.
  fs::path whole = fs::absolute(target).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  RETURN_IF_ERROR(CheckTarget(whole));
  ASSIGN_OR_RETURN(const auto partial, PartialDirectory::Make(whole));
  for (const v1::File& file : version.files()) {
    if (!StaysInside(file.path())) {
      return absl::InternalError(
          absl::StrCat("the registry names a file ", Quoted(file.path()), "; refused"));
    }
    const fs::path path = partial->path() / file.path();
    RETURN_IF_ERROR(MakeDirectories(path.parent_path()));
    RETURN_IF_ERROR(DownloadFile(connection, version, file, path));
  }
  return partial->MoveTo(whole);
}

}  // namespace mozgach
