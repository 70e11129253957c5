#include "worker/transfer/checkpoint_handover.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/files.h"
#include "failpoint/failpoint.h"
#include "proto/checkpoint.h"
#include "worker/transfer/blob_fetch.h"
#include "worker/transfer/upload.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "step-";

std::string NameOf(int64_t step) { return absl::StrFormat("%s%06d", kPrefix, step); }

absl::Status LinkFiles(const fs::path& from, const fs::path& to) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFiles(from));
  if (names.empty()) return absl::NotFoundError(absl::StrCat("there is no ", from.string()));
  for (const std::string& name : names) {
    if (::link((from / name).c_str(), (to / name).c_str()) != 0) {
      return SystemError(errno, absl::StrCat("link ", (from / name).string()));
    }
  }
  return absl::OkStatus();
}

// Returns the step of the newest complete checkpoint; 0 without one.
int64_t NewestStep(const fs::path& checkpoints) {
  int64_t newest = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(checkpoints, error)) {
    const std::string name = entry.path().filename().string();
    int64_t step = 0;
    if (name.rfind(kPrefix, 0) == 0 && absl::SimpleAtoi(name.substr(kPrefix.size()), &step)) {
      newest = std::max(newest, step);
    }
  }
  return newest;
}

}  // namespace

absl::StatusOr<v1::Checkpoint> UploadCheckpoint(SchedulerClient& client,
                                                const fs::path& checkpoints, int64_t step,
                                                const fs::path& scratch,
                                                const std::function<void(uint64_t)>& sent,
                                                std::stop_token stop) {
  if (stop.stop_requested()) return absl::CancelledError("nobody wants it any more");
  RETURN_IF_ERROR(RemoveAll(scratch));
  RETURN_IF_ERROR(MakeDirectories(scratch));
  RETURN_IF_ERROR(LinkFiles(checkpoints / NameOf(step), scratch));
  absl::StatusOr<std::vector<v1::File>> files = UploadDirectory(client, scratch, sent, stop);
  RETURN_IF_ERROR(RemoveAll(scratch));
  RETURN_IF_ERROR(files.status());
  v1::Checkpoint checkpoint;
  checkpoint.set_step(step);
  for (v1::File& file : *files) *checkpoint.add_files() = std::move(file);
  RETURN_IF_ERROR(CheckCheckpoint(checkpoint));
  return checkpoint;
}

absl::Status FetchCheckpoint(SchedulerClient& client, const v1::Checkpoint& checkpoint,
                             const fs::path& checkpoints, std::stop_token stop) {
  RETURN_IF_ERROR(CheckCheckpoint(checkpoint));
  if (NewestStep(checkpoints) >= checkpoint.step()) return absl::OkStatus();
  const fs::path staging = checkpoints / ".fetched.partial";
  RETURN_IF_ERROR(RemoveAll(staging));
  RETURN_IF_ERROR(MakeDirectories(staging));
  for (const v1::File& file : checkpoint.files()) {
    const fs::path path = staging / file.path();
    fs::path part = path;
    part += ".part";
    RETURN_IF_ERROR(FetchBlob(
        client, {file.sha256(), file.size()}, absl::StrCat("the checkpoint's ", file.path()), part,
        path, [](uint64_t) {}, stop));
  }
  return DURABLE("worker.checkpoint.complete",
                 RenameDurably(staging, checkpoints / NameOf(checkpoint.step())));
}

}  // namespace mozgach
