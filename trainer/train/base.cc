#include "trainer/train/base.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/base_format.h"
#include "trainer/checkpoint/base_links.h"
#include "trainer/device/compute_device.h"
#include "trainer/train/compute_type.h"
#include "trainer/train/failure.h"

namespace mozgach {
namespace {

absl::StatusOr<at::ScalarType> ChooseType(const std::filesystem::path& dir,
                                          const QuantizationSpec& quantization) {
  if (quantization.bnb_4bit_compute_dtype != "auto") {
    return ParseComputeType(quantization.bnb_4bit_compute_dtype);
  }
  ASSIGN_OR_RETURN(const ModelConfig config, ModelConfig::Load(dir));
  return MeasureComputeType(config, ComputeDevice());
}

absl::Status Load(const std::optional<at::ScalarType>& pinned_type, const BasePlaces& places,
                  Base* base) {
  RETURN_IF_ERROR(CheckBaseLinks(base->dir, places.folders));
  RETURN_IF_ERROR(CheckBaseFormat(base->dir));
  if (pinned_type) {
    base->compute_type = *pinned_type;
  } else {
    ASSIGN_OR_RETURN(base->compute_type, ChooseType(base->dir, base->quantization));
  }
  LoadOptions options;
  options.quantize = base->quantization.load_in_4bit;
  options.double_quant = base->quantization.bnb_4bit_use_double_quant;
  options.compute_dtype = base->compute_type;
  options.cache_dir = places.cache;
  options.device = ComputeDevice();
  ASSIGN_OR_RETURN(base->tokenizer, Tokenizer::Load(base->dir));
  ASSIGN_OR_RETURN(base->model, CausalLm::Load(base->dir, options));
  ASSIGN_OR_RETURN(base->text_digest, base->stamps.TextDigest());
  return absl::OkStatus();
}

// The error for files that another program was writing. `status` is the result of reading them.
absl::Status ChangedWhileLoaded(const std::string& file, const absl::Status& status) {
  return WithClass(
      absl::UnavailableError(absl::StrCat(
          file, " changed while the base was loaded", status.ok() ? "" : " (", status.message(),
          status.ok() ? "" : ")", "; the next attempt loads it again")),
      FailureClass::kInfrastructure);
}

}  // namespace

bool Base::Serves(const std::filesystem::path& base_dir, const QuantizationSpec& asked,
                  std::optional<at::ScalarType> pinned_type) const {
  if (dir != base_dir || asked.load_in_4bit != quantization.load_in_4bit) return false;
  if (asked.load_in_4bit &&
      asked.bnb_4bit_use_double_quant != quantization.bnb_4bit_use_double_quant) {
    return false;
  }
  if (pinned_type) return *pinned_type == compute_type;
  return asked.bnb_4bit_compute_dtype == "auto" ||
         asked.bnb_4bit_compute_dtype == ComputeTypeName(compute_type);
}

std::string Base::ChangedFile() const { return stamps.FirstChange(BaseStamps::Of(dir)); }

absl::Status Base::CheckUnchangedInPlace() const {
  const std::string file = stamps.FirstChangeInPlace(BaseStamps::Of(dir));
  if (file.empty()) return absl::OkStatus();
  return WithClass(absl::UnavailableError(absl::StrCat(
                       "base ", dir.string(), ": ", file,
                       " was overwritten while the job used it; the next attempt loads it again "
                       "(replace a base's files by renaming new ones into place)")),
                   FailureClass::kInfrastructure);
}

absl::StatusOr<std::unique_ptr<Base>> LoadBase(const std::filesystem::path& dir,
                                               const QuantizationSpec& quantization,
                                               std::optional<at::ScalarType> pinned_type,
                                               const BasePlaces& places) {
  auto base = std::make_unique<Base>();
  base->dir = dir;
  base->quantization = quantization;
  base->stamps = BaseStamps::Of(dir);
  absl::Status status = CatchingExceptions([&] { return Load(pinned_type, places, base.get()); });
  if (const std::string file = base->ChangedFile(); !file.empty()) {
    status = ChangedWhileLoaded(file, status);
  }
  if (status.ok()) return base;
  status = Annotate(status, absl::StrCat("base ", dir.string()));
  if (ClassOf(status) == FailureClass::kUser) return WithClass(status, FailureClass::kData);
  return status;
}

}  // namespace mozgach
