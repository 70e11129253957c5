// Flags shared by several commands: base, adapter, number of threads.
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
  int threads = 0;                    // 0: one per core
  std::string cache;                  // empty: no cache
};

// --threads N.
void AddThreadsFlag(CLI::App& app, int* threads);
// --base DIR.
void AddBaseFlag(CLI::App& app, std::string* base);
// --cache DIR, which keeps data computed from bases between starts. Default: mozgach/ in the user's
// cache folder ($XDG_CACHE_HOME, or ~/.cache).
void AddCacheFlag(CLI::App& app, std::string* cache);
// --memory SIZE ("4GiB"), the memory that this process may use on a CPU.
void AddMemoryFlag(CLI::App& app, uint64_t* memory);
// Limits the CPU tensors to `memory` minus the bytes that this process uses now; 0: no limit.
void BoundMemory(int64_t memory);
// --base, --adapter, --quantization, --dtype, --threads and --cache.
void AddModelFlags(CLI::App& app, ModelFlags* flags);

// Sets the number of threads of this process to `threads`, or to one per core if 0. Returns the
// number.
int UseThreads(int threads);

// The base that the flags name, and the adapter if there is one.
struct LoadedModel {
  std::unique_ptr<Base> base;
  std::optional<LoraAdapter> adapter;

  const LoraAdapter* Adapter() const { return adapter ? &*adapter : nullptr; }
};
absl::StatusOr<LoadedModel> LoadModel(const ModelFlags& flags);

}  // namespace mozgach
