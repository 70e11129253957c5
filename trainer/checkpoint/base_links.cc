#include "trainer/checkpoint/base_links.h"

#include <algorithm>
#include <set>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/base/base_files.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

bool IsRead(const fs::path& path) {
  static const std::set<std::string> kRead = {".json", ".safetensors", ".jinja", ".model", ".txt"};
  return kRead.count(path.extension().string()) != 0;
}

std::vector<fs::path> Homes(const fs::path& directory, const std::vector<fs::path>& folders) {
  std::error_code error;
  std::vector<fs::path> homes = {fs::canonical(directory, error)};
  if (const fs::path model = HubModelFolder(homes[0]); !model.empty()) homes.push_back(model);
  for (const fs::path& folder : folders) {
    const fs::path home = fs::canonical(folder, error);
    if (!error) homes.push_back(home);
  }
  return homes;
}

}  // namespace

absl::Status CheckBaseLinks(const fs::path& directory, const std::vector<fs::path>& folders) {
  const std::vector<fs::path> homes = Homes(directory, folders);
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (!it->is_symlink(ignored) || !IsRead(it->path())) continue;
    const fs::path target = fs::weakly_canonical(it->path(), ignored);
    const auto holds = [&](const fs::path& home) { return IsBelow(target, home); };
    if (!ignored && std::any_of(homes.begin(), homes.end(), holds)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        it->path().string(),
        ": is a link that leaves the base's directory; put the file itself "
        "there (links within the directory, and into blobs/ of Hugging Face's cache, are read)"));
  }
  if (error) return SystemError(error.value(), absl::StrCat("read ", directory.string()));
  return absl::OkStatus();
}

}  // namespace mozgach
