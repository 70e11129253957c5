// The QuantizedCache keeps quantised bases on disk, so that the next start maps one instead of
// making it again:
//
//   <folder>/quantized/<base digest>-nf4[-double]-<threads>t.safetensors
//
// A file holds the linear layers as a bitsandbytes checkpoint does (four_bit_checkpoint.h).  It
// appears by a rename, whole and synced, and is checked (header, what it says it is, a checksum
// over every byte) before it is used; one that fails is removed.  Nothing here is ever an error:
// where a file cannot be read or kept, the log says why and the base is quantised.
//
// Any number of processes may share a folder.  Two that make the same base at once both do the
// work. A file in use may be dropped: who has it mapped keeps it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "trainer/checkpoint/safetensors_stream.h"
#include "trainer/checkpoint/weight_files.h"
#include "trainer/quant/nf4.h"

namespace mozgach {

// What decides the bytes of a quantised base.
struct QuantizedForm {
  std::string base_digest;
  bool double_quant = true;
  int threads = 1;  // see QuantizeNf4()

  std::string Name() const;
};

// A quantised base on its way to the cache.  One thread at a time.
class QuantizedDraft {
 public:
  // Removes what was not kept.
  ~QuantizedDraft();

  void Add(const std::string& name, const QuantizedWeight& weight);

 private:
  friend class QuantizedCache;
  QuantizedDraft(std::filesystem::path path, SafetensorsStream stream)
      : path_(std::move(path)), stream_(std::move(stream)) {}
  void Fail(const absl::Status& status);

  std::filesystem::path path_;
  std::optional<SafetensorsStream> stream_;  // nothing once it has failed
  uint64_t checksum_ = 0;
};

class QuantizedCache {
 public:
  // `folder` is made when it is written to; empty: nothing is kept.  Above `limit_bytes` the least
  // recently used files are dropped; 0: a fifth of the file system.
  explicit QuantizedCache(std::filesystem::path folder, int64_t limit_bytes = 0);

  // The base in this form, if it is kept; notes that it was used.
  std::optional<WeightFiles> Find(const QuantizedForm& form) const;

  // Takes it out, as one that turned out to be wrong.
  void Drop(const QuantizedForm& form) const;

  // A place to write a base that is made of `weights` (they say how much room it needs).  Null
  // where nothing can be kept.
  std::unique_ptr<QuantizedDraft> Begin(const WeightFiles& weights) const;

  // Makes the draft what Find() gives.
  void Keep(QuantizedDraft& draft, const QuantizedForm& form) const;

 private:
  std::filesystem::path FileOf(const QuantizedForm& form) const;
  int64_t Limit() const;
  void MakeRoom(const std::filesystem::path& kept) const;

  std::filesystem::path folder_;
  int64_t limit_bytes_;
};

}  // namespace mozgach
