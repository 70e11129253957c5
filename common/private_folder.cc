#include "common/private_folder.h"

#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/files.h"

namespace mozgach {
namespace {

constexpr mode_t kModeBits = 07777;
constexpr mode_t kOthersMay = S_IRWXG | S_IRWXO;

}  // namespace

absl::Status MakePrivateDirectory(const std::filesystem::path& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) == 0) return MakeDirectories(path);
  RETURN_IF_ERROR(MakeDirectories(path));
  if (::chmod(path.c_str(), S_IRWXU) == 0) return absl::OkStatus();
  return SystemError(errno, absl::StrCat("change the mode of ", path.string()));
}

mode_t ModeForOthers(const std::filesystem::path& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) return 0;
  return (info.st_mode & kOthersMay) == 0 ? 0 : info.st_mode & kModeBits;
}

}  // namespace mozgach
