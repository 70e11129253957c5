// A Base is what jobs share: a model in memory and its tokenizer.  It never changes once loaded;
// when its files do, it has to be loaded again.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/base_stamps.h"
#include "common/domain/domain_spec.h"
#include "common/status.h"
#include "trainer/models/causal_lm.h"
#include "trainer/tokenizer/tokenizer.h"

namespace mozgach {

// Where a base's surroundings are.
struct BasePlaces {
  std::filesystem::path cache;                 // see LoadOptions::cache_dir
  std::vector<std::filesystem::path> folders;  // where its links may lead (base_links.h)
};

struct Base {
  std::filesystem::path dir;
  QuantizationSpec quantization;
  at::ScalarType compute_type = at::kFloat;
  std::unique_ptr<CausalLm> model;
  std::shared_ptr<const Tokenizer> tokenizer;
  BaseStamps stamps;        // of its files when they were read
  std::string text_digest;  // SHA-256 of its tokenizer, templates and configuration

  // True when a job that asks for these can use this base as it lies in memory.
  bool Serves(const std::filesystem::path& base_dir, const QuantizationSpec& asked,
              std::optional<at::ScalarType> pinned_type) const;

  // The name of a file that has changed since the base was loaded; "" when none has.
  std::string ChangedFile() const;

  // INFRASTRUCTURE class: a file was changed in place, so that weights in its mapping changed while
  // they were in use.
  absl::Status CheckUnchangedInPlace() const;
};

// Loads the base below `dir` in the type that `pinned_type` or `quantization` says, "auto" being
// the faster one here.  Errors as those of CheckBaseFormat, CheckBaseLinks, CausalLm::Load and
// Tokenizer::Load, of class data: the files are at fault.  Of class infrastructure when the files
// changed meanwhile.
absl::StatusOr<std::unique_ptr<Base>> LoadBase(const std::filesystem::path& dir,
                                               const QuantizationSpec& quantization,
                                               std::optional<at::ScalarType> pinned_type,
                                               const BasePlaces& places = {});

}  // namespace mozgach
