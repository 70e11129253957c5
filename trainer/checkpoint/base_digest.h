// A BaseDigest identifies a base by its contents: SHA-256 over "<digest> <file name>\n" of
// config.json and the weight files, in name order.
//
// Hashing gigabytes takes seconds, so the digest of each file is remembered together with the
// file's FileStamp, in one record per directory: <folder>/digests/<name>.json. A record that is
// damaged or of another version is ignored. Failing to write a record is not an error.
#pragma once

#include <filesystem>
#include <future>
#include <map>
#include <string>

#include "common/status.h"
#include "trainer/checkpoint/weight_files.h"

namespace mozgach {

class BaseDigest {
 public:
  // Looks up the remembered digests of the base in `directory`, whose weights are `files`, and
  // starts a thread that hashes the other files. `folder` is created when it is written to; empty:
  // nothing is remembered. `files` must outlive the digest.
  BaseDigest(const std::filesystem::path& directory, const WeightFiles& files,
             const std::filesystem::path& folder);
  // Waits for the thread.
  ~BaseDigest();
  BaseDigest(const BaseDigest&) = delete;
  BaseDigest& operator=(const BaseDigest&) = delete;

  // True if all weights' digests were remembered: Wait() then returns at once.
  bool remembered() const { return remembered_; }

  // Returns 64 hex digits and remembers the digests. Call it once. DATA_LOSS if a file changed
  // while it was read.
  absl::StatusOr<std::string> Wait();

 private:
  using Digests = std::map<std::string, std::string>;  // canonical path → SHA-256

  void Remember(const Digests& digests) const;

  const std::filesystem::path directory_;
  const WeightFiles& files_;
  std::filesystem::path record_;  // empty: nothing is remembered
  bool remembered_ = false;
  std::future<absl::StatusOr<Digests>> digests_;
};

}  // namespace mozgach
