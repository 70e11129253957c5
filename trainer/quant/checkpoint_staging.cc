#include "trainer/quant/checkpoint_staging.h"

#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "failpoint/failpoint.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

constexpr char kLock[] = "quantize.lock";
constexpr char kAdvice[] = "; name a folder that does not exist yet";

// Why a checkpoint cannot be written to `place`; null if it can.
const char* FaultOf(const fs::path& place) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(place, error);
  if (!fs::exists(status)) return nullptr;
  if (fs::is_symlink(status)) return ": is a link";
  if (!fs::is_directory(status)) return ": is a file";
  return fs::is_empty(place, error) ? nullptr : ": is not empty";
}

}  // namespace

absl::StatusOr<fs::path> CheckpointPlace(const fs::path& output) {
  if (output.empty()) return absl::InvalidArgumentError(absl::StrCat("no output", kAdvice));
  std::error_code error;
  fs::path place = fs::absolute(output, error).lexically_normal();
  if (!place.has_filename()) place = place.parent_path();
  if (!fs::is_directory(place.parent_path(), error)) {
    return absl::InvalidArgumentError(
        absl::StrCat(place.parent_path().string(),
                     ": not a directory; create it, or correct the output's path"));
  }
  const char* fault = FaultOf(place);
  if (fault == nullptr) return place;
  return absl::InvalidArgumentError(absl::StrCat(place.string(), fault, kAdvice));
}

absl::StatusOr<CheckpointStaging> CheckpointStaging::Claim(const fs::path& place) {
  fs::path folder = place;
  folder += ".mozgach-partial";
  std::error_code error;
  const bool made = fs::create_directory(folder, error);
  if (error) return SystemError(error.value(), absl::StrCat("make ", folder.string()));
  if (!made && !fs::is_empty(folder, error) && !fs::exists(folder / kLock, error)) {
    return absl::InvalidArgumentError(absl::StrCat(
        folder.string(),
        ": exists and was not made by this command; remove it, or name another output"));
  }
  ASSIGN_OR_RETURN(FileDescriptor lock, LockFile(folder / kLock, folder.string()));
  CheckpointStaging staging(folder, std::move(lock));
  RETURN_IF_ERROR(staging.Clear());
  return staging;
}

absl::Status CheckpointStaging::Clear() {
  std::error_code error;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename() != kLock) RETURN_IF_ERROR(RemoveAll(it->path()));
  }
  return error ? SystemError(error.value(), absl::StrCat("clear ", folder_.string()))
               : absl::OkStatus();
}

absl::Status CheckpointStaging::MoveTo(const fs::path& place) {
  RETURN_IF_ERROR(DURABLE("trainer.quantized_base.sync_names", SyncDirectory(folder_)));
  RETURN_IF_ERROR(DURABLE("trainer.quantized_base.complete", RenameDurably(folder_, place)));
  // Removes the lock last: a half-written folder without a lock would be taken for a folder of
  // another origin.
  std::error_code ignored;
  fs::remove(place / kLock, ignored);
  return absl::OkStatus();
}

absl::Status CheckpointStaging::Remove() { return RemoveAll(folder_); }

}  // namespace mozgach
