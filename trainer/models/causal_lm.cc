#include "trainer/models/causal_lm.h"

#include <ATen/core/grad_mode.h>

#include "absl/strings/str_cat.h"
#include "common/base/quantization_format.h"
#include "common/log_line.h"
#include "trainer/checkpoint/base_digest.h"
#include "trainer/checkpoint/safetensors_dtype.h"
#include "trainer/checkpoint/word_tables.h"
#include "trainer/device/runtime.h"
#include "trainer/device/torch_status.h"
#include "trainer/models/decoder.h"
#include "trainer/models/layer_loader.h"
#include "trainer/models/weight_loader.h"
#include "trainer/quant/four_bit_checkpoint.h"
#include "trainer/quant/quantized_cache.h"

namespace mozgach {
namespace {

absl::Status LoadParts(const WeightLoader& loader, const WordTables& tables,
                       Decoder::Parts* parts) {
  const ModelConfig& config = loader.config();
  const std::vector<int64_t> table = {config.vocab_size, config.hidden_size};
  ASSIGN_OR_RETURN(at::Tensor embedding, loader.Stored(tables.embedding, table));
  parts->embedding =
      Embedding(std::move(embedding), parts->options.compute_dtype, parts->options.device);
  parts->layers.clear();
  for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer) {
    ASSIGN_OR_RETURN(parts->layers.emplace_back(), LoadLayer(loader, layer));
  }
  ASSIGN_OR_RETURN(parts->final_norm, loader.Norm("model.norm.weight", config.hidden_size));
  ASSIGN_OR_RETURN(parts->head, loader.Shared(tables.head, table));
  return absl::OkStatus();
}

// Reads the layers from the cache if it contains them; otherwise quantises them and stores them in
// the cache.
absl::Status LoadThroughCache(const WeightFiles& files, const WordTables& tables,
                              BaseDigest& digest, Decoder::Parts* parts) {
  const LoadOptions& options = parts->options;
  const QuantizedCache cache(options.cache_dir);
  QuantizedForm form;
  form.double_quant = options.double_quant;
  form.threads = Threads();
  if (digest.remembered()) {
    ASSIGN_OR_RETURN(form.base_digest, digest.Wait());
    if (const auto kept = cache.Find(form)) {
      WeightLoader loader(files, parts->config, options);
      loader.ReadQuantizedFrom(&*kept);
      const absl::Status status = LoadParts(loader, tables, parts);
      if (status.ok()) {
        parts->digest = form.base_digest;
        return status;
      }
      LogInfo(absl::StrCat("the base is quantised again: ", status.message()));
      cache.Drop(form);
    }
  }
  const auto draft = cache.Begin(files);
  WeightLoader loader(files, parts->config, options);
  loader.WriteQuantizedTo(draft.get());
  RETURN_IF_ERROR(LoadParts(loader, tables, parts));
  if (form.base_digest.empty()) {
    ASSIGN_OR_RETURN(form.base_digest, digest.Wait());
  }
  if (draft != nullptr) cache.Keep(*draft, form);
  parts->digest = form.base_digest;
  return absl::OkStatus();
}

// Rejects quantised weights that config.json does not declare.
absl::Status CheckFormat(const std::filesystem::path& base_dir, const WeightFiles& files) {
  TensorTypes tensors;
  for (const auto& file : files.files()) {
    for (const auto& [name, stored] : file->tensors()) {
      tensors.emplace_back(name, SafetensorsName(stored.dtype).value_or(""));
    }
  }
  return Annotate(CheckTensorFormat(tensors), base_dir.string());
}

absl::StatusOr<std::unique_ptr<CausalLm>> LoadUnguarded(const std::filesystem::path& base_dir,
                                                        const LoadOptions& options) {
  at::NoGradGuard no_gradients;
  Decoder::Parts parts;
  parts.options = options;
  ASSIGN_OR_RETURN(parts.config, ModelConfig::Load(base_dir));
  ASSIGN_OR_RETURN(const WeightFiles files, WeightFiles::Open(base_dir));
  RETURN_IF_ERROR(CheckFormat(base_dir, files));
  const WordTables tables = FindWordTables(files, parts.config, options.compute_dtype);
  parts.config.tie_word_embeddings = tables.head == tables.embedding;
  if (!tables.notice.empty()) parts.notices.push_back(tables.notice);
  BaseDigest digest(base_dir, files, options.cache_dir);
  if (options.quantize && !HasFourBit(files)) {
    RETURN_IF_ERROR(LoadThroughCache(files, tables, digest, &parts));
  } else {
    RETURN_IF_ERROR(LoadParts(WeightLoader(files, parts.config, parts.options), tables, &parts));
    ASSIGN_OR_RETURN(parts.digest, digest.Wait());
  }
  return std::make_unique<Decoder>(std::move(parts));
}

}  // namespace

absl::StatusOr<std::unique_ptr<CausalLm>> CausalLm::Load(const std::filesystem::path& base_dir,
                                                         const LoadOptions& options) {
  return CatchTorch([&] { return LoadUnguarded(base_dir, options); });
}

}  // namespace mozgach
