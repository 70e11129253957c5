#include "trainer/checkpoint/weight_files.h"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/files.h"
#include "common/json_text.h"
#include "common/utf8.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

constexpr uint64_t kIndexLimitBytes = uint64_t{64} << 20;

std::string ShapeText(const std::vector<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

// Shards are safetensors files beside the index. An untrusted index must not name a file outside
// the directory or a file that CheckBaseLinks() does not check.
bool IsShardName(const std::string& name) {
  constexpr std::string_view kEnding = ".safetensors";
  return name.ends_with(kEnding) && name.size() > kEnding.size() &&
         name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

using Prefixes = std::initializer_list<std::pair<std::string_view, std::string_view>>;

std::string WithPrefix(const std::string& stored, Prefixes prefixes) {
  for (const auto& [prefix, plain] : prefixes) {
    if (stored.starts_with(prefix)) return std::string(plain) + stored.substr(prefix.size());
  }
  return stored;
}

// Adds "model.", which is missing in the names of a bare model (AutoModel.save_pretrained).
std::string WholeName(const std::string& stored) {
  return WithPrefix(stored, {{"layers.", "model.layers."},
                             {"embed_tokens.", "model.embed_tokens."},
                             {"norm.", "model.norm."}});
}

// Removes the prefix of a multimodal model. Longer prefixes come first.
std::string PlainName(const std::string& stored) {
  return WholeName(WithPrefix(stored, {{"model.language_model.model.", "model."},
                                       {"language_model.model.", "model."},
                                       {"language_model.lm_head.", "lm_head."},
                                       {"model.language_model.", "model."},
                                       {"language_model.", "model."},
                                       {"model.lm_head.", "lm_head."}}));
}

// Returns tensor → shard, from {"weight_map": {…}}.
absl::StatusOr<std::map<std::string, std::string>> ReadIndex(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kIndexLimitBytes));
  const auto parsed = ParseJson(text);
  const auto index = parsed.ok() ? *parsed : nlohmann::json();
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
    return absl::DataLossError(
        absl::StrCat(path.string(), ": not a JSON object with a weight_map"));
  }
  std::map<std::string, std::string> shards;
  for (const auto& [tensor, shard] : index["weight_map"].items()) {
    if (!shard.is_string() || !IsShardName(shard.get<std::string>())) {
      return absl::InvalidArgumentError(
          absl::StrCat(path.string(), ": tensor '", tensor, "' is mapped to ", shard.dump(),
                       ", which is not the name of a .safetensors file in the same directory"));
    }
    shards[tensor] = shard.get<std::string>();
  }
  return shards;
}

}  // namespace

absl::StatusOr<WeightFiles> WeightFiles::OpenAsStored(const std::filesystem::path& directory) {
  const auto single = directory / "model.safetensors";
  const auto index = directory / "model.safetensors.index.json";
  std::error_code ignored;
  const bool is_single = std::filesystem::exists(single, ignored);
  if (is_single || std::filesystem::exists(index, ignored)) {
    ASSIGN_OR_RETURN(WeightFiles weights, is_single ? OpenFile(single) : OpenShards(index));
    RETURN_IF_ERROR(weights.Rename(WholeName));
    return weights;
  }
  return absl::NotFoundError(
      absl::StrCat(directory.string(), ": neither model.safetensors nor ",
                   "model.safetensors.index.json exists (weights in other formats can be saved as "
                   "safetensors with transformers' save_pretrained)"));
}

absl::StatusOr<WeightFiles> WeightFiles::Open(const std::filesystem::path& directory) {
  ASSIGN_OR_RETURN(WeightFiles weights, OpenAsStored(directory));
  RETURN_IF_ERROR(weights.Rename(PlainName));
  return weights;
}

absl::StatusOr<WeightFiles> WeightFiles::OpenFile(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(auto file, SafetensorsFile::Open(path));
  return Of(file);
}

WeightFiles WeightFiles::Of(const std::shared_ptr<const SafetensorsFile>& file) {
  WeightFiles weights;
  weights.origin_ = file->path();
  for (const auto& [name, stored] : file->tensors()) weights.places_[name] = {file, &stored};
  weights.files_.push_back(file);
  return weights;
}

absl::StatusOr<WeightFiles> WeightFiles::OpenShards(const std::filesystem::path& index) {
  ASSIGN_OR_RETURN(const auto shards, ReadIndex(index));
  std::set<std::string> names;
  for (const auto& [tensor, shard] : shards) names.insert(shard);
  WeightFiles weights;
  weights.origin_ = index;
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(auto file, SafetensorsFile::Open(index.parent_path() / name));
    // Includes every tensor of the listed files, as transformers does.
    for (const auto& [tensor, stored] : file->tensors()) {
      RETURN_IF_ERROR(weights.AddPlace(tensor, {file, &stored}));
    }
    weights.files_.push_back(file);
  }
  for (const auto& [tensor, shard] : shards) {
    if (!weights.Contains(tensor)) weights.absent_[tensor] = index.parent_path() / shard;
  }
  return weights;
}

absl::Status WeightFiles::AddPlace(const std::string& name, const Place& place) {
  const auto [known, is_new] = places_.emplace(name, place);
  const StoredTensor &stored = *place.stored, &before = *known->second.stored;
  if (is_new || (stored.dtype == before.dtype && stored.shape == before.shape &&
                 stored.bytes == before.bytes)) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(place.file->path().string(), ": tensor '",
                                          Abbreviate(name, 200), "' is in ",
                                          known->second.file->path().filename().string(),
                                          " too, with a different value; fetch the base "
                                          "again"));
}

absl::Status WeightFiles::Rename(std::string (*new_name)(const std::string&)) {
  std::map<std::string, Place> renamed;
  for (auto& [name, place] : places_) {
    if (renamed.emplace(new_name(name), place).second) continue;
    return absl::DataLossError(
        absl::StrCat(origin_.string(), ": tensor '", Abbreviate(name, 200),
                     "' exists twice, with and without a prefix (model., language_model.)"));
  }
  places_ = std::move(renamed);
  std::map<std::string, std::filesystem::path> absent;
  for (auto& [name, shard] : absent_) absent.emplace(new_name(name), shard);
  absent_ = std::move(absent);
  return absl::OkStatus();
}

std::vector<WeightFiles::NamedTensor> WeightFiles::InFileOrder(const SafetensorsFile& file) const {
  std::vector<NamedTensor> order;
  for (const auto& [name, place] : places_) {
    if (place.file.get() == &file) order.emplace_back(name, place.stored);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.second->bytes.data() < b.second->bytes.data();
  });
  return order;
}

std::vector<std::string> WeightFiles::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, place] : places_) names.push_back(name);
  return names;
}

absl::StatusOr<at::Tensor> WeightFiles::Read(const std::string& name) const {
  auto place = places_.find(name);
  if (place == places_.end()) {
    if (const auto absent = absent_.find(name); absent != absent_.end()) {
      return absl::DataLossError(absl::StrCat(absent->second.string(), ": tensor '", name,
                                              "' is missing, although the index names it"));
    }
    return absl::NotFoundError(absl::StrCat(origin_.string(), ": tensor '", name, "' is missing"));
  }
  return place->second.file->Tensor(*place->second.stored);
}

absl::StatusOr<at::Tensor> WeightFiles::Read(const std::string& name,
                                             const std::vector<int64_t>& shape) const {
  ASSIGN_OR_RETURN(at::Tensor tensor, Read(name));
  if (tensor.sizes() != at::IntArrayRef(shape)) {
    return absl::DataLossError(absl::StrCat(PathOf(name).string(), ": tensor '", name,
                                            "' has shape ", ShapeText(tensor.sizes().vec()),
                                            ", config.json asks for ", ShapeText(shape)));
  }
  return tensor;
}

void WeightFiles::Release(const std::string& name) const {
  auto place = places_.find(name);
  if (place != places_.end()) place->second.file->Release(*place->second.stored);
}

const std::filesystem::path& WeightFiles::PathOf(const std::string& name) const {
  return places_.at(name).file->path();
}

int64_t WeightFiles::bytes() const {
  int64_t total = 0;
  for (const auto& [name, place] : places_) {
    total += static_cast<int64_t>(place.stored->bytes.size());
  }
  return total;
}

}  // namespace mozgach
