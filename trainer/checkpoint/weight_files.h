// WeightFiles are all tensors of a base or an adapter, in one file or in shards that an index
// lists. Immutable after Open(); safe from any thread.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "trainer/checkpoint/safetensors.h"

namespace mozgach {

// Tensors have the names of a plain decoder ("model.layers.0.…", "lm_head.weight"): the prefixes of
// a multimodal model ("language_model.model.", "model.language_model.", …) are removed, and a
// missing "model." is added for a bare model that was saved without it, as transformers 5 does.
class WeightFiles {
 public:
  // Opens `directory`/model.safetensors, or the shards of model.safetensors.index.json. NOT_FOUND
  // if neither file exists; DATA_LOSS for a damaged shard, or for a tensor that two shards hold
  // with different values; INVALID_ARGUMENT for an index that points outside `directory`. A tensor
  // that the index names but no shard holds is reported when it is read, because a tied head is
  // often not stored.
  static absl::StatusOr<WeightFiles> Open(const std::filesystem::path& directory);
  // Like Open(), but keeps the names in the files and adds only a missing "model.".
  static absl::StatusOr<WeightFiles> OpenAsStored(const std::filesystem::path& directory);

  // Opens the single file `path`.
  static absl::StatusOr<WeightFiles> OpenFile(const std::filesystem::path& path);
  // Wraps an open file.
  static WeightFiles Of(const std::shared_ptr<const SafetensorsFile>& file);

  bool Contains(const std::string& name) const { return places_.count(name) != 0; }
  std::vector<std::string> Names() const;

  using NamedTensor = std::pair<std::string, const StoredTensor*>;
  // The tensors of one of files(), in storage order.
  std::vector<NamedTensor> InFileOrder(const SafetensorsFile& file) const;

  // Tensors that the index names but no shard holds, with the shard that the index gives.
  const std::map<std::string, std::filesystem::path>& absent() const { return absent_; }

  // The tensor as stored, on the CPU, read-only. NOT_FOUND names the tensor and the directory.
  // DATA_LOSS if its shape is not `shape`, or if it is missing although the index names it.
  absl::StatusOr<at::Tensor> Read(const std::string& name, const std::vector<int64_t>& shape) const;
  // The same without a check of the shape.
  absl::StatusOr<at::Tensor> Read(const std::string& name) const;

  // Releases the pages of `name`, which is not needed again soon.
  void Release(const std::string& name) const;

  // The file that contains `name`, which must exist.
  const std::filesystem::path& PathOf(const std::string& name) const;

  // The files, sorted by path.
  const std::vector<std::shared_ptr<const SafetensorsFile>>& files() const { return files_; }

  // The total size of all stored tensors.
  int64_t bytes() const;

 private:
  struct Place {
    std::shared_ptr<const SafetensorsFile> file;
    const StoredTensor* stored;
  };
  absl::Status AddPlace(const std::string& name, const Place& place);
  absl::Status Rename(std::string (*new_name)(const std::string&));
  static absl::StatusOr<WeightFiles> OpenShards(const std::filesystem::path& index);

  std::filesystem::path origin_;
  std::vector<std::shared_ptr<const SafetensorsFile>> files_;
  std::map<std::string, Place> places_;
  std::map<std::string, std::filesystem::path> absent_;
};

}  // namespace mozgach
