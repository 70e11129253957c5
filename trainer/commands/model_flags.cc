#include "trainer/commands/model_flags.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "trainer/device/runtime.h"
#include "trainer/memory/counted_memory.h"
#include "trainer/train/compute_type.h"

namespace mozgach {
namespace {

// Empty where the user has no home.
std::string UserCacheFolder() {
  const char* caches = std::getenv("XDG_CACHE_HOME");
  if (caches != nullptr && *caches == '/') return std::string(caches) + "/mozgach";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::string(home) + "/.cache/mozgach";
  return "";
}

}  // namespace

void AddThreadsFlag(CLI::App& app, int* threads) {
  app.add_option("--threads", *threads, "threads to compute with (default: one per core)")
      ->check(CLI::Range(1, 1024));
}

void AddBaseFlag(CLI::App& app, std::string* base) {
  app.add_option("--base", *base,
                 "directory of the base: config.json, *.safetensors, tokenizer.json")
      ->required();
}

void AddCacheFlag(CLI::App& app, std::string* cache) {
  *cache = UserCacheFolder();
  app.add_option("--cache", *cache,
                 "where quantised bases are kept for the next start; `none` keeps nothing")
      ->transform([](const std::string& folder) { return folder == "none" ? "" : folder; })
      ->capture_default_str();
}

void AddMemoryFlag(CLI::App& app, uint64_t* memory) {
  app.add_option("--memory", *memory,
                 "what this process may use on a CPU, such as 4GiB (default: what there is)")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false));
}

void BoundMemory(int64_t memory) {
  if (memory > 0) BoundTensors(std::max<int64_t>(1, memory - MemoryUsedBytes()));
}

void AddModelFlags(CLI::App& app, ModelFlags* flags) {
  AddBaseFlag(app, &flags->base);
  app.add_option("--adapter", flags->adapter, "PEFT directory of an adapter");
  app.add_option("--quantization", flags->quantization, "linear layers: nf4 or none (default)")
      ->check(CLI::IsMember({"nf4", "none"}));
  app.add_option("--dtype", flags->dtype, "type to compute in: float32 (default) or bfloat16")
      ->check(CLI::IsMember({"float32", "bfloat16"}));
  AddThreadsFlag(app, &flags->threads);
  AddCacheFlag(app, &flags->cache);
}

int UseThreads(int threads) {
  SetThreads(threads);
  return Threads();
}

absl::StatusOr<LoadedModel> LoadModel(const ModelFlags& flags) {
  UseThreads(flags.threads);
  QuantizationSpec quantization;
  quantization.load_in_4bit = flags.quantization == "nf4";
  ASSIGN_OR_RETURN(const at::ScalarType type, ParseComputeType(flags.dtype));
  LoadedModel loaded;
  ASSIGN_OR_RETURN(loaded.base, LoadBase(flags.base, quantization, type, {.cache = flags.cache}));
  for (const std::string& notice : loaded.base->model->notices()) {
    std::cerr << "note: " << notice << "\n";
  }
  if (flags.adapter.empty()) return loaded;
  ASSIGN_OR_RETURN(loaded.adapter, LoraAdapter::Load(flags.adapter, loaded.base->model->config(),
                                                     loaded.base->model->device()));
  return loaded;
}

}  // namespace mozgach
