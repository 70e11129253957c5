#include "scheduler/state/base_catalog.h"

#include <algorithm>

#include "nlohmann/json.hpp"
#include "registry/query.h"
#include "scheduler/jobs/base_key.h"
#include "scheduler/queries.h"
#include "scheduler/state/chat_facts.h"

namespace mozgach {
namespace sql = scheduler_sql;
namespace {

std::string RevisionsJson(const v1::BaseManifest& manifest) {
  nlohmann::json list = nlohmann::json::array();
  for (const std::string& revision : manifest.revisions()) list.push_back(revision);
  return list.dump();
}

std::vector<std::string> KeysOf(const v1::BaseManifest& manifest) {
  std::vector<std::string> keys = {manifest.base()};
  for (const std::string& revision : manifest.revisions()) {
    keys.push_back(BaseKey(manifest.base(), revision));
  }
  return keys;
}

}  // namespace

absl::Status BaseCatalog::Recover() {
  bases_.clear();
  Query bases(database_, sql::kEveryBase);
  while (bases.Next()) {
    v1::BaseManifest manifest;
    manifest.set_base(bases.Text(0));
    manifest.set_digest(bases.Text(1));
    manifest.set_size_bytes(static_cast<uint64_t>(bases.Int(2)));
    const auto revisions = nlohmann::json::parse(bases.Text(3), nullptr, false);
    if (!revisions.is_array()) return absl::DataLossError("a base whose revisions are unreadable");
    for (const auto& revision : revisions) manifest.add_revisions(revision.get<std::string>());
    Entry entry{.added = FromMillis(bases.Int(4)), .keys = KeysOf(manifest)};
    v1::ChatFacts chat;
    if (ReadChatFacts(nlohmann::json::parse(bases.Text(5), nullptr, false), &chat))
      entry.chat = chat;
    entry.manifest = std::move(manifest);
    bases_.emplace(entry.manifest.base(), std::move(entry));
  }
  RETURN_IF_ERROR(bases.status());
  Query files(database_, sql::kEveryBaseFile);
  while (files.Next()) {
    v1::File& file = *bases_[files.Text(0)].manifest.add_files();
    file.set_path(files.Text(1));
    file.set_sha256(files.Text(2));
    file.set_size(static_cast<uint64_t>(files.Int(3)));
  }
  CollectBlobs();
  return files.status();
}

absl::Status BaseCatalog::Save(WallTime now, const v1::BaseManifest& manifest,
                               const std::optional<v1::ChatFacts>& chat) {
  RETURN_IF_ERROR(Run(database_, sql::kForgetBaseFiles, manifest.base()));
  RETURN_IF_ERROR(Run(database_, sql::kSaveBase, manifest.base(), manifest.digest(),
                      manifest.size_bytes(), RevisionsJson(manifest), ToMillis(now),
                      chat ? ChatFactsJson(*chat).dump() : std::string()));
  for (const v1::File& file : manifest.files()) {
    RETURN_IF_ERROR(Run(database_, sql::kInsertBaseFile, manifest.base(), file.path(),
                        file.sha256(), file.size()));
  }
  return absl::OkStatus();
}

void BaseCatalog::Add(WallTime now, v1::BaseManifest manifest, std::optional<v1::ChatFacts> chat) {
  Entry& entry = bases_[manifest.base()];
  entry.added = now;
  entry.keys = KeysOf(manifest);
  entry.chat = std::move(chat);
  entry.manifest = std::move(manifest);
  CollectBlobs();
}

void BaseCatalog::CollectBlobs() {
  blobs_.clear();
  for (const auto& [name, entry] : bases_) {
    for (const v1::File& file : entry.manifest.files()) blobs_.insert(file.sha256());
  }
}

const BaseCatalog::Entry* BaseCatalog::Find(const std::string& base) const {
  const auto found = bases_.find(base);
  return found == bases_.end() ? nullptr : &found->second;
}

const v1::BaseManifest* BaseCatalog::Serving(const std::string& base_key) const {
  const Entry* entry = Find(base_key.substr(0, base_key.find('@')));
  if (entry == nullptr) return nullptr;
  const bool serves =
      std::find(entry->keys.begin(), entry->keys.end(), base_key) != entry->keys.end();
  return serves ? &entry->manifest : nullptr;
}

uint64_t BaseCatalog::size_bytes() const {
  uint64_t size = 0;
  for (const auto& [name, entry] : bases_) size += entry.manifest.size_bytes();
  return size;
}

}  // namespace mozgach
