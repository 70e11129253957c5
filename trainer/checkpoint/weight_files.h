// WeightFiles are all the tensors of a base or an adapter, wherever they lie: one file, or shards
// named by an index.  Immutable after Open(); safe from any thread.
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

// Names are those of a plain decoder ("model.layers.0.…", "lm_head.weight"): the prefixes of a
// multimodal model ("language_model.model.", "model.language_model.", …) are left out, and "model."
// is added where a bare model was saved without it, as transformers 5 does.
class WeightFiles {
 public:
  // `directory`/model.safetensors, or the shards of model.safetensors.index.json.  NOT_FOUND where
  // there is neither; DATA_LOSS for a shard that is damaged, or for a tensor that two shards hold
  // with different values; INVALID_ARGUMENT for an index that points outside `directory`.  A tensor
  // that the index names and no shard holds is reported when it is read: a tied head often is not
  // stored.
  static absl::StatusOr<WeightFiles> Open(const std::filesystem::path& directory);
  // The same with the names that the files use; only a missing "model." is added.
  static absl::StatusOr<WeightFiles> OpenAsStored(const std::filesystem::path& directory);

  // The one file `path`.
  static absl::StatusOr<WeightFiles> OpenFile(const std::filesystem::path& path);
  // The same for one that is open.
  static WeightFiles Of(const std::shared_ptr<const SafetensorsFile>& file);

  bool Contains(const std::string& name) const { return places_.count(name) != 0; }
  std::vector<std::string> Names() const;

  using NamedTensor = std::pair<std::string, const StoredTensor*>;
  // The tensors in one of files(), in the order in which they are stored.
  std::vector<NamedTensor> InFileOrder(const SafetensorsFile& file) const;

  // Tensors that the index names and no shard holds, with the shard it names.
  const std::map<std::string, std::filesystem::path>& absent() const { return absent_; }

  // The tensor as stored, on the CPU, to be read only.  NOT_FOUND names it and the directory;
  // DATA_LOSS where its shape is not `shape`, or where the index promises it.
  absl::StatusOr<at::Tensor> Read(const std::string& name, const std::vector<int64_t>& shape) const;
  // The same for whatever shape it has.
  absl::StatusOr<at::Tensor> Read(const std::string& name) const;

  // Says that `name` is not needed again soon: its pages go back to the system.
  void Release(const std::string& name) const;

  // Where `name` lies; it must be there.
  const std::filesystem::path& PathOf(const std::string& name) const;

  // The files, in the order of their paths.
  const std::vector<std::shared_ptr<const SafetensorsFile>>& files() const { return files_; }

  // The stored bytes of all tensors.
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
