#include "scheduler/state/base_config.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/base_files.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/log.h"
#include "registry/query.h"
#include "scheduler/queries.h"

namespace mozgach {
namespace sql = scheduler_sql;
namespace {

constexpr size_t kConfigsMax = 4096;

absl::StatusOr<std::string> ReadHeldConfig(const v1::BaseManifest& manifest,
                                           const BlobStore& blobs) {
  for (const v1::File& file : manifest.files()) {
    if (file.path() != kBaseConfig) continue;
    ASSIGN_OR_RETURN(const std::filesystem::path path, blobs.Path(file.sha256()));
    return ReadFile(path, kConfigBytesMax);
  }
  return absl::NotFoundError("it has no config.json");
}

}  // namespace

absl::Status BaseConfigs::Recover(const BaseCatalog& catalog, const BlobStore& blobs) {
  known_.clear();
  behind_.clear();
  Query rows(database_, sql::kEveryBaseConfig);
  while (rows.Next()) Take(rows.Text(0), rows.Text(2), rows.Text(3));
  RETURN_IF_ERROR(rows.status());
  for (const auto& [name, entry] : catalog.all()) AddHeld(entry.manifest, blobs);
  return absl::OkStatus();
}

const BaseConfig* BaseConfigs::Find(const std::string& base) const {
  const auto found = known_.find(base);
  return found == known_.end() ? nullptr : &found->second.config;
}

bool BaseConfigs::Wants(const WorkerTable& worker_table, const std::string& worker,
                        const v1::Base& base) const {
  if (base.config_digest().empty()) return false;
  const auto found = known_.find(base.name());
  if (found == known_.end()) return known_.size() < kConfigsMax;
  const Known& known = found->second;
  if (known.config.digest == base.config_digest() || known.worker.empty()) return false;
  if (known.worker == worker) return true;
  const WorkerState* teller = worker_table.Find(known.worker);
  return teller == nullptr ||
         std::none_of(teller->bases.begin(), teller->bases.end(), [&](const v1::Base& its) {
           return its.name() == base.name() && its.config_digest() == known.config.digest;
         });
}

absl::Status BaseConfigs::Save(const std::string& worker, const v1::Base& base) {
  return Run(database_, sql::kSaveBaseConfig, base.name(), base.config_digest(), worker,
             base.config_json());
}

void BaseConfigs::Add(const std::string& worker, const v1::Base& base) {
  Take(base.name(), worker, base.config_json());
}

void BaseConfigs::AddHeld(const v1::BaseManifest& manifest, const BlobStore& blobs) {
  const absl::StatusOr<std::string> text = ReadHeldConfig(manifest, blobs);
  if (text.ok()) return Take(manifest.base(), "", *text);
  spdlog::warn("jobs of base {} are not planned: {}", manifest.base(),
               std::string(text.status().message()));
}

void BaseConfigs::Take(const std::string& base, const std::string& worker,
                       const std::string& text) {
  Known known{.worker = worker,
              .config = {.digest = Sha256Hex(text), .config = ModelConfig::Parse(text)}};
  known_.insert_or_assign(base, std::move(known));
  behind_.insert(base);
}

}  // namespace mozgach
