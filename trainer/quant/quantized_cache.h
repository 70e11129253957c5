// The QuantizedCache keeps quantised bases on disk, so that the next start maps the file instead of
// quantising again:
//
//   <folder>/quantized/<base digest>-nf4[-double]-<threads>t.safetensors
//
// A file stores the linear layers in the format of a bitsandbytes checkpoint
// (four_bit_checkpoint.h). It appears by a rename, complete and synced, and is checked (header,
// metadata, a checksum over every byte) before use; a file that fails the check is removed. The
// cache never returns an error: if a file cannot be read or kept, the reason is logged and the base
// is quantised.
//
// Several processes may share a folder. If two of them need the same base at the same time, both
// quantise it. A file in use may be removed; processes that have mapped it keep it.
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

// Everything that determines the bytes of a quantised base.
struct QuantizedForm {
  std::string base_digest;
  bool double_quant = true;
  int threads = 1;  // see QuantizeNf4()

  std::string Name() const;
};

// A quantised base that is being written to the cache. One thread at a time.
class QuantizedDraft {
 public:
  // Removes the file unless it was kept.
  ~QuantizedDraft();

  void Add(const std::string& name, const QuantizedWeight& weight);

 private:
  friend class QuantizedCache;
  QuantizedDraft(std::filesystem::path path, SafetensorsStream stream)
      : path_(std::move(path)), stream_(std::move(stream)) {}
  void Fail(const absl::Status& status);

  std::filesystem::path path_;
  std::optional<SafetensorsStream> stream_;  // nullopt after a failure
  uint64_t checksum_ = 0;
};

class QuantizedCache {
 public:
  // `folder` is created when it is written to; empty: nothing is kept. If the files take more than
  // `limit_bytes`, the least recently used are removed; 0: a fifth of the file system.
  explicit QuantizedCache(std::filesystem::path folder, int64_t limit_bytes = 0);

  // Returns the base in this form if it is kept, and marks it as used.
  std::optional<WeightFiles> Find(const QuantizedForm& form) const;

  // Removes a base that turned out to be wrong.
  void Drop(const QuantizedForm& form) const;

  // Starts writing a base that is made from `weights`, which determine the space it needs. Null if
  // nothing can be kept.
  std::unique_ptr<QuantizedDraft> Begin(const WeightFiles& weights) const;

  // Publishes the draft, so that Find() returns it.
  void Keep(QuantizedDraft& draft, const QuantizedForm& form) const;

 private:
  std::filesystem::path FileOf(const QuantizedForm& form) const;
  int64_t Limit() const;
  void MakeRoom(const std::filesystem::path& kept) const;

  std::filesystem::path folder_;
  int64_t limit_bytes_;
};

}  // namespace mozgach
