// A base as files: which of a directory's files make it up, and which symbolic links may be
// followed.
//
// A base consists of config.json, generation_config.json, the tokenizer's and the chat template's
// files, and the weights: the shards that model.safetensors.index.json names, or model.safetensors.
// Other files there (.git, *.bin, *.gguf, READMEs) do not belong to the base.
//
// A link may lead anywhere below the folders its caller allows, as those of huggingface_hub's cache
// do (models--org--name/snapshots/<commit>/config.json → ../../blobs/<digest>); one that leaves
// them is refused.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/status.h"

namespace mozgach {

inline constexpr char kBaseConfig[] = "config.json";
inline constexpr char kBaseTokenizer[] = "tokenizer.json";
inline constexpr char kBaseWeights[] = "model.safetensors";
inline constexpr char kBaseIndex[] = "model.safetensors.index.json";
inline constexpr char kBaseMoreTemplates[] = "additional_chat_templates";  // a folder
inline constexpr size_t kBaseFilesMax = 2000;
inline constexpr uint64_t kBaseBytesMax = UINT64_C(1) << 44;  // the limit for one base: 16 TiB

struct BaseFile {
  std::string name;            // relative to the base's directory
  std::filesystem::path path;  // where its bytes lie: links resolved
  uint64_t size = 0;
};

// True for what a base's file may be called: one or two parts of [A-Za-z0-9._-]+ joined by '/',
// none of them starting with '.', at most 255 bytes each.
bool IsBaseFileName(const std::string& name);

// The models--org--name folder of huggingface_hub's cache around `directory`, which is one of its
// snapshots/<commit>; empty: `directory` is none.  Looks at the path only.
std::filesystem::path HubModelFolder(const std::filesystem::path& directory);

// "org/name" for a folder called "models--org--name"; empty for another.
std::string HubModelName(const std::filesystem::path& folder);

// True where `path` is `folder` or lies in it, part by part; looks at the paths only.
bool IsBelow(const std::filesystem::path& path, const std::filesystem::path& folder);

// Where `path` leads.  FAILED_PRECONDITION, with what to do, when that is not below one of
// `within`, which are canonical; NOT_FOUND when it leads nowhere.
absl::StatusOr<std::filesystem::path> ResolveWithin(
    const std::filesystem::path& path, const std::vector<std::filesystem::path>& within);

// The files of the base in `directory`, by name; each leads to a regular file below one of
// `within`, as above.  A directory without weights has none here.  INVALID_ARGUMENT for an index
// that is damaged or points elsewhere; NOT_FOUND names a shard of the index that is not there.
absl::StatusOr<std::vector<BaseFile>> ListBaseFiles(
    const std::filesystem::path& directory, const std::vector<std::filesystem::path>& within);

}  // namespace mozgach
