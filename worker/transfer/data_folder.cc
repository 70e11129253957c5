#include "worker/transfer/data_folder.h"

#include "common/private_folder.h"

namespace mozgach {

namespace fs = std::filesystem;

absl::StatusOr<DataFolder> DataFolder::Open(const fs::path& root, const DataRules& rules) {
  std::error_code error;
  const fs::path absolute = fs::absolute(root, error).lexically_normal();
  if (error) return SystemError(error.value(), "find " + root.string());
  RETURN_IF_ERROR(MakePrivateDirectory(absolute));
  ASSIGN_OR_RETURN(FileDescriptor lock,
                   LockFile(absolute / "lock", "the data folder " + absolute.string()));
  RETURN_IF_ERROR(RemoveAll(absolute / "attempts"));
  for (const char* folder :
       {"bases", "datasets", "attempts", "checkpoints", "cache", "logs", "trainers"}) {
    RETURN_IF_ERROR(MakeDirectories(absolute / folder));
  }
  DataFolder folder(absolute, std::move(lock));
  folder.Sweep(rules, {});
  return folder;
}

void DataFolder::Sweep(const DataRules& rules, const std::set<int64_t>& busy) const {
  DropOldCheckpoints(rules, root_ / "checkpoints", busy);
  TrimTrainerCache(rules, cache());
}

}  // namespace mozgach
