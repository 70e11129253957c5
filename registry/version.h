// A Version is one published adapter of a domain: v0001, v0002…, immutable, its number never
// reused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"

namespace mozgach {

struct VersionFile {
  std::string path;  // relative, CheckRelativePath
  std::string sha256;
  uint64_t size = 0;  // bytes
};

struct Version {
  std::string domain;
  int64_t number = 0;
  int64_t job = 0;
  int64_t attempt = 0;
  std::string base;
  std::string base_digest;
  std::string spec_digest;
  std::string dataset_digest;
  std::string code_version;
  std::string metrics_json;
  WallTime published_at{};
  uint64_t size_bytes = 0;  // sum over all files
  // Every file of the directory, manifest.json and metrics.json among them; sorted by path.
  std::vector<VersionFile> files;
  std::vector<std::string> aliases;
};

// "v0007"; from v10000 on as many digits as it takes.
std::string VersionName(int64_t number);

// 7 for "v0007", "v7" and "7"; empty for anything else.
std::optional<int64_t> ParseVersionName(std::string_view text);

}  // namespace mozgach
