// FoundBases are the bases on this host, by their names on the hub: those below the folders of
// --bases, and those fetched from the scheduler (base_cache.h).
//
//   DIR/Qwen/Qwen2.5-3B/config.json                               a plain directory
//   DIR/models--Qwen--Qwen2.5-3B/snapshots/<commit>/config.json   the cache of huggingface_hub;
//   DIR/models--Qwen--Qwen2.5-3B/refs/main                        the commit of each revision
//
// A directory with a config.json is a base. Names that are not hub names, such as `..`, are
// skipped. A scan lists two levels of directories and reads the header of one weight file. An
// adapter, a GPTQ or GGUF checkpoint and the like have a problem (common/base/base_format.h).
//
// Symbolic links are followed as long as they end below the --bases folder they are in, or in the
// model's own folder of a Hugging Face cache; a base with one that leaves both, or whose index
// names a shard that is not there, has a problem and cannot be used (common/base/base_files.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/chat_report.h"
#include "common/status.h"

namespace mozgach {

// One base on this host.  Absolute paths.
struct FoundBase {
  std::string name;
  std::filesystem::path plain;                             // empty: only in the cache
  std::map<std::string, std::filesystem::path> revisions;  // refs and commits of the cache
  uint64_t size_bytes = 0;                                 // sum over the files that are here
  std::string digest;   // digest of a base fetched from the scheduler; empty: below --bases
  std::string problem;  // why it cannot be used; then nothing above but the name is set
  // Of one below --bases, from which the scheduler plans jobs; empty: it is none that can be told.
  std::string config_json;
  std::string config_digest;       // SHA-256 of it
  std::optional<ChatReport> chat;  // what its chat template does; nullopt: not inspected

  bool operator==(const FoundBase&) const = default;
};

// What a scan found, by name.  A plain value.
class FoundBases {
 public:
  FoundBases() = default;
  // Folders that come first win where two hold the same name.
  static FoundBases Scan(const std::vector<std::filesystem::path>& folders);

  // Adds a base fetched from the scheduler, whose files are in `fetched.plain`: what lies below
  // --bases comes first.
  void AddFetched(const FoundBase& fetched);

  // Notes what the chat template of the base `name`, which was found, does.
  void SetChat(const std::string& name, ChatReport chat);

  // The directory of a base.  A plain directory has no revisions and serves those who ask for none;
  // the cache serves the revision asked for, `main` otherwise.
  // NOT_FOUND says what there is instead; FAILED_PRECONDITION what is wrong with it.
  absl::StatusOr<std::filesystem::path> Find(const std::string& name,
                                             const std::string& revision) const;

  const std::map<std::string, FoundBase>& all() const { return bases_; }
  bool operator==(const FoundBases&) const = default;

 private:
  // `folder`, canonical, is that of --bases.
  void AddPlain(const std::filesystem::path& folder, const std::string& name,
                const std::filesystem::path& directory);
  void AddCached(const std::filesystem::path& folder, const std::filesystem::path& directory);
  // `folder`/`entry` holds bases called entry/name, or is something that only looks like a base.
  void AddOrganisation(const std::filesystem::path& folder, const std::string& entry);
  // Notes what is wrong with a base of which nothing better has been found; nothing for an OK
  // status.
  void AddProblem(const std::string& name, const absl::Status& status);

  std::map<std::string, FoundBase> bases_;
};

}  // namespace mozgach
