#include "proto/base_manifest.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/base_files.h"
#include "common/digest.h"
#include "common/domain/domain_spec.h"

namespace mozgach {
namespace {

constexpr size_t kNameBytesMax = 200;
constexpr int kRevisionsMax = 200;

absl::Status Refused(const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat("a base ", what));
}

std::string Shown(const std::string& text) {
  return absl::StrCat("'", absl::CHexEscape(text.substr(0, 80)), "'");
}

absl::Status CheckFiles(const v1::BaseManifest& manifest) {
  const auto& files = manifest.files();
  if (files.empty() || files.size() > static_cast<int>(kBaseFilesMax)) {
    return Refused(absl::StrCat("of ", files.size(), " files: one has 1 to ", kBaseFilesMax));
  }
  uint64_t size = 0;
  for (int i = 0; i < files.size(); ++i) {
    const v1::File& file = files[i];
    if (!IsBaseFileName(file.path())) {
      return Refused(absl::StrCat("with a file ", Shown(file.path()),
                                  ": names are one or two parts of letters, digits, '.', '_' and "
                                  "'-' that do not start with '.'"));
    }
    if (i > 0 && files[i - 1].path() >= file.path()) return Refused("whose files are not sorted");
    if (!IsSha256Hex(file.sha256())) return Refused("with a file without its SHA-256");
    if (file.size() > kBaseBytesMax - size) return Refused("of more than 16 TiB");
    size += file.size();
  }
  if (size != manifest.size_bytes()) return Refused("whose size is not the sum of its files'");
  return absl::OkStatus();
}

}  // namespace

std::string DigestOf(const v1::BaseManifest& manifest) {
  std::string text = absl::StrCat(manifest.base(), "\n");
  for (const v1::File& file : manifest.files()) {
    absl::StrAppend(&text, file.sha256(), " ", file.size(), " ", file.path(), "\n");
  }
  return Sha256Hex(text);
}

void Seal(v1::BaseManifest& manifest) {
  auto& files = *manifest.mutable_files();
  std::sort(files.begin(), files.end(),
            [](const v1::File& a, const v1::File& b) { return a.path() < b.path(); });
  uint64_t size = 0;
  for (const v1::File& file : files) size += file.size();
  manifest.set_size_bytes(size);
  manifest.set_digest(DigestOf(manifest));
}

absl::Status CheckManifest(const v1::BaseManifest& manifest) {
  if (!IsBaseName(manifest.base()) || manifest.base().size() > kNameBytesMax) {
    return Refused(absl::StrCat("called ", Shown(manifest.base()),
                                ": names are as on the hub, like Qwen/Qwen2.5-3B"));
  }
  const auto& revisions = manifest.revisions();
  if (revisions.size() > kRevisionsMax ||
      !std::all_of(revisions.begin(), revisions.end(), [](const std::string& revision) {
        return IsRevision(revision) && revision.size() <= kNameBytesMax;
      })) {
    return Refused("with more than 200 revisions, or one that is not a branch, tag or commit");
  }
  RETURN_IF_ERROR(CheckFiles(manifest));
  if (DigestOf(manifest) != manifest.digest()) {
    return Refused("whose digest is not that of its files");
  }
  return absl::OkStatus();
}

}  // namespace mozgach
