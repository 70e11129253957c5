// A look at the directory of a published version, as a reader finds it: without the registry's rows
// and without its code.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace mozgach {

struct ManifestFile {
  std::string path;
  std::string sha256;
  int64_t size = 0;

  auto operator<=>(const ManifestFile&) const = default;
};

// What manifest.json says, and the manifest itself as a file.
struct VersionDirectory {
  std::string domain;
  std::string version;
  int64_t job = 0;
  int64_t attempt = 0;
  std::string spec_digest;
  std::string dataset_digest;
  std::vector<ManifestFile> files;  // sorted, manifest.json among them
};

// What is wrong with `directory`: no manifest, files that are missing, changed or not named; empty
// when it is whole.  `*found` is set when the manifest can be read.
std::vector<std::string> LookAt(const std::filesystem::path& directory, VersionDirectory* found);

}  // namespace mozgach
