// The flags that several commands share: which base, which adapter, how many threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "CLI/CLI.hpp"
#include "common/status.h"
#include "trainer/lora/lora_adapter.h"
#include "trainer/train/base.h"

namespace mozgach {

struct ModelFlags {
  std::string base;
  std::string adapter;                // empty: the bare base
  std::string quantization = "none";  // nf4 (with double quantisation) | none
  std::string dtype = "float32";      // float32 | bfloat16
  int threads = 0;                    // 0: as many as there are cores
  std::string cache;                  // empty: nothing is kept
};

// --threads N.
void AddThreadsFlag(CLI::App& app, int* threads);
// --base DIR.
void AddBaseFlag(CLI::App& app, std::string* base);
// --cache DIR, where what is made of bases is kept from start to start: by default mozgach/ in the
// user's cache folder ($XDG_CACHE_HOME, or ~/.cache).
void AddCacheFlag(CLI::App& app, std::string* cache);
// --memory SIZE ("4GiB"), what this process may use on a CPU.
void AddMemoryFlag(CLI::App& app, uint64_t* memory);
// Keeps this process within `memory` bytes from here on, beside what it has already; 0: no bound.
void BoundMemory(int64_t memory);
// --base, --adapter, --quantization, --dtype, --threads and --cache.
void AddModelFlags(CLI::App& app, ModelFlags* flags);

// Sets the threads of this process: `threads`, or one per core. Returns how many.
int UseThreads(int threads);

// A base as the flags say, with the adapter where one is named.
struct LoadedModel {
  std::unique_ptr<Base> base;
  std::optional<LoraAdapter> adapter;

  const LoraAdapter* Adapter() const { return adapter ? &*adapter : nullptr; }
};
absl::StatusOr<LoadedModel> LoadModel(const ModelFlags& flags);

}  // namespace mozgach
