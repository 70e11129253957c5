#include "trainer/models/causal_lm.h"

#include <ATen/core/grad_mode.h>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "trainer/models/decoder.h"
#include "trainer/models/families.h"
#include "trainer/models/torch_status.h"
#include "trainer/models/weight_loader.h"

namespace mozgach {
namespace {

// "<digest>  <file name>" per file, as sha256sum prints it.
absl::StatusOr<std::string> DigestOf(const std::filesystem::path& base_dir,
                                     const WeightFiles& files) {
  std::vector<std::filesystem::path> paths = files.Paths();
  paths.insert(paths.begin(), base_dir / "config.json");
  std::string lines;
  for (const auto& path : paths) {
    ASSIGN_OR_RETURN(const std::string digest, Sha256OfFile(path));
    absl::StrAppend(&lines, digest, "  ", path.filename().string(), "\n");
  }
  return Sha256Hex(lines);
}

absl::Status LoadParts(const WeightLoader& loader, Decoder::Parts* parts) {
  const ModelConfig& config = loader.config();
  ASSIGN_OR_RETURN(const LayerLoader load_layer, FindFamily(config.model_type));
  ASSIGN_OR_RETURN(parts->embedding, loader.Dense("model.embed_tokens.weight",
                                                  {config.vocab_size, config.hidden_size}));
  for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer) {
    ASSIGN_OR_RETURN(parts->layers.emplace_back(), load_layer(loader, layer));
  }
  ASSIGN_OR_RETURN(parts->final_norm, loader.Norm("model.norm.weight", config.hidden_size));
  if (config.tie_word_embeddings) {
    parts->head = parts->embedding;
  } else {
    ASSIGN_OR_RETURN(parts->head,
                     loader.Dense("lm_head.weight", {config.vocab_size, config.hidden_size}));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<CausalLm>> LoadUnguarded(const std::filesystem::path& base_dir,
                                                        const LoadOptions& options) {
  at::NoGradGuard no_gradients;
  Decoder::Parts parts;
  parts.options = options;
  ASSIGN_OR_RETURN(parts.config, ModelConfig::Load(base_dir));
  ASSIGN_OR_RETURN(const WeightFiles files, WeightFiles::Open(base_dir));
  ASSIGN_OR_RETURN(parts.digest, DigestOf(base_dir, files));
  const WeightLoader loader(files, parts.config, parts.options);
  RETURN_IF_ERROR(LoadParts(loader, &parts));
  return std::make_unique<Decoder>(std::move(parts));
}

}  // namespace

absl::StatusOr<std::unique_ptr<CausalLm>> CausalLm::Load(const std::filesystem::path& base_dir,
                                                         const LoadOptions& options) {
  return CatchTorch([&] { return LoadUnguarded(base_dir, options); });
}

}  // namespace mozgach
