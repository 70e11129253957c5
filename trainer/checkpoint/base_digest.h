// The BaseDigest names a base by its contents: SHA-256 over "<digest>  <file name>\n" of
// config.json and the weight files, in name order.
//
// Hashing gigabytes takes seconds, so a file's digest is remembered, beside what the file looked
// like (FileStamp), in one record per directory: <folder>/digests/<name>.json.  A record that is
// damaged, or of another version, is passed over; one that cannot be written is no error.
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
  // Looks up what is remembered of the base in `directory`, whose weights are `files`, and starts
  // to hash the others on a thread of its own.  `folder` is made when it is written to; empty:
  // nothing is remembered.  `files` outlives the digest.
  BaseDigest(const std::filesystem::path& directory, const WeightFiles& files,
             const std::filesystem::path& folder);
  // Waits for the thread.
  ~BaseDigest();
  BaseDigest(const BaseDigest&) = delete;
  BaseDigest& operator=(const BaseDigest&) = delete;

  // True where no weights have to be hashed: Wait() does not wait.
  bool remembered() const { return remembered_; }

  // 64 hex digits.  Called once; remembers what was hashed.  DATA_LOSS where a file was changed
  // while it was read.
  absl::StatusOr<std::string> Wait();

 private:
  using Digests = std::map<std::string, std::string>;  // canonical path → SHA-256

  void Remember(const Digests& digests) const;

  const std::filesystem::path directory_;
  const WeightFiles& files_;
  std::filesystem::path record_;  // empty: none
  bool remembered_ = false;
  std::future<absl::StatusOr<Digests>> digests_;
};

}  // namespace mozgach
