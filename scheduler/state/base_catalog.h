// The BaseCatalog is the bases that the scheduler holds: their names, digests and files.  The
// files' bytes are blobs.
//
// Rows, and all of them in memory as well: every claim asks.  One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "mozgach/v1/worker_service.pb.h"
#include "registry/database.h"
#include "scheduler/jobs/now.h"

namespace mozgach {

class BaseCatalog {
 public:
  struct Entry {
    v1::BaseManifest manifest;
    WallTime added{};
    std::vector<std::string> keys;      // placement.h: the jobs that it serves
    std::optional<v1::ChatFacts> chat;  // what its chat template does; none: not known
  };

  explicit BaseCatalog(Database& database) : database_(database) {}

  // Reads the rows.
  absl::Status Recover();

  // Writes `manifest` in place of any other of its name; joins the open transaction and leaves
  // memory alone.
  absl::Status Save(WallTime now, const v1::BaseManifest& manifest,
                    const std::optional<v1::ChatFacts>& chat);
  // The same in memory, once that is committed.
  void Add(WallTime now, v1::BaseManifest manifest, std::optional<v1::ChatFacts> chat);

  // Null where there is none; valid until the catalog changes.
  const Entry* Find(const std::string& base) const;
  // The manifest that serves a job with this key (name, name@revision); null: there is none.
  const v1::BaseManifest* Serving(const std::string& base_key) const;
  // Whether some base's file is this blob.
  bool Needs(const std::string& sha256) const { return blobs_.count(sha256) > 0; }

  const std::map<std::string, Entry>& all() const { return bases_; }
  uint64_t size_bytes() const;  // sum over all bases

 private:
  void CollectBlobs();

  Database& database_;
  std::map<std::string, Entry> bases_;     // by name
  std::unordered_set<std::string> blobs_;  // blobs of their files
};

}  // namespace mozgach
