// manifest.json says what a version is and what every file of it must be, byte for byte.
#pragma once

#include <string>
#include <vector>

#include "common/status.h"
#include "registry/version.h"

namespace mozgach {

inline constexpr size_t kVersionFilesMax = 1000;
inline constexpr char kManifestName[] = "manifest.json";
inline constexpr char kMetricsName[] = "metrics.json";

// OK when `files` can lie side by side, and with those two, in one directory of any disk: checked
// names, none twice (whatever the case of its letters), none below another, at most
// kVersionFilesMax, digests well-formed, and at least one.
absl::Status CheckVersionFiles(const std::vector<VersionFile>& files);

// The text of manifest.json; `version.files` are all the files but the manifest itself.
std::string ManifestJson(const Version& version);

}  // namespace mozgach
