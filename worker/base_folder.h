// A BaseFolder finds the bases below the folders given with --bases, by their names on the hub.
//
//   DIR/Qwen/Qwen2.5-3B/config.json                               a plain directory
//   DIR/models--Qwen--Qwen2.5-3B/snapshots/<commit>/config.json   the cache of huggingface_hub;
//   DIR/models--Qwen--Qwen2.5-3B/refs/main                        the commit of each revision
//
// A directory is a base when it has a config.json.  Names that are no hub names, `..` among them,
// are passed over.  Scanning lists two levels of directories and reads no weights.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "common/status.h"

namespace mozgach {

// One base on this host.  Absolute paths.
struct FoundBase {
  std::string name;
  std::filesystem::path plain;                             // empty: only in the cache
  std::map<std::string, std::filesystem::path> revisions;  // refs and commits of the cache
};

// What a scan found, by name.  A plain value.
class FoundBases {
 public:
  FoundBases() = default;
  // Folders that come first win where two hold the same name.
  static FoundBases Scan(const std::vector<std::filesystem::path>& folders);

  // The directory of a base.  A plain directory has no revisions and serves those who ask for none;
  // the cache serves the revision asked for, `main` otherwise.
  // NOT_FOUND says what there is instead.
  absl::StatusOr<std::filesystem::path> Find(const std::string& name,
                                             const std::string& revision) const;

  const std::map<std::string, FoundBase>& all() const { return bases_; }
  bool operator==(const FoundBases& other) const;

 private:
  void AddPlain(const std::string& name, const std::filesystem::path& directory);
  void AddCached(const std::string& entry, const std::filesystem::path& directory);

  std::map<std::string, FoundBase> bases_;
};

}  // namespace mozgach
