// A Base is shared by jobs: a model in memory and its tokenizer. It never changes after loading; if
// its files change, it must be loaded again.
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

// Directories that a base depends on.
struct BasePlaces {
  std::filesystem::path cache;                 // LoadOptions::cache_dir
  std::vector<std::filesystem::path> folders;  // folders that its links may lead to (base_links.h)
};

struct Base {
  std::filesystem::path dir;
  QuantizationSpec quantization;
  at::ScalarType compute_type = at::kFloat;
  std::unique_ptr<CausalLm> model;
  std::shared_ptr<const Tokenizer> tokenizer;
  BaseStamps stamps;        // stamps of its files when they were read
  std::string text_digest;  // SHA-256 of its tokenizer, templates and configuration

  // True if a job with these settings can use this base as it is in memory.
  bool Serves(const std::filesystem::path& base_dir, const QuantizationSpec& asked,
              std::optional<at::ScalarType> pinned_type) const;

  // The name of a file that has changed since the base was loaded; "" if none has.
  std::string ChangedFile() const;

  // Error of class infrastructure if a file was changed in place, so that mapped weights changed
  // while they were in use.
  absl::Status CheckUnchangedInPlace() const;
};

// Loads the base below `dir` in the type given by `pinned_type` or `quantization`; "auto" selects
// the faster type on this device. Errors are those of CheckBaseFormat, CheckBaseLinks,
// CausalLm::Load and Tokenizer::Load, with class data because the files are at fault. Class
// infrastructure if the files changed during loading.
absl::StatusOr<std::unique_ptr<Base>> LoadBase(const std::filesystem::path& dir,
                                               const QuantizationSpec& quantization,
                                               std::optional<at::ScalarType> pinned_type,
                                               const BasePlaces& places = {});

}  // namespace mozgach
