#include "trainer/train/training_checkpoint.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/json_text.h"
#include "failpoint/failpoint.h"
#include "nlohmann/json.hpp"
#include "trainer/checkpoint/safetensors.h"

namespace mozgach {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr char kTensors[] = "state.safetensors";
constexpr char kFacts[] = "checkpoint.json";
constexpr char kPrefix[] = "step-";
constexpr int kFormat = 1;
constexpr uint64_t kFactsLimit = 1 << 20;

// step-NNNNNN directories, newest first.
std::vector<fs::path> NewestFirst(const fs::path& dir) {
  std::map<int64_t, fs::path, std::greater<>> by_step;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(dir, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind(kPrefix, 0) != 0) continue;
    const std::string digits = name.substr(sizeof(kPrefix) - 1);
    if (digits.empty() || digits.size() > 12) continue;
    if (digits.find_first_not_of("0123456789") != std::string::npos) continue;
    by_step[std::stoll(digits)] = entry.path();
  }
  std::vector<fs::path> paths;
  for (const auto& [step, path] : by_step) paths.push_back(path);
  return paths;
}

absl::Status Damaged(const fs::path& path, std::string_view what) {
  return absl::DataLossError(absl::StrCat(path.string(), ": ", std::string(what)));
}

// The contents of checkpoint.json.
struct Facts {
  TrainingIdentity identity;
  PinnedChoices pinned;
  TrainingTotals totals;
  std::string tensors_sha256;
};

Json ToJson(const LossMean& mean) {
  return {{"sum", mean.sum},
          {"weight", mean.weight},
          {"interval_sum", mean.interval_sum},
          {"interval_tokens", mean.interval_tokens}};
}

// Checkpoints of older versions do not have a mean; it then starts with the next step.
LossMean LossMeanFrom(const Json& facts) {
  if (!facts.contains("loss_mean")) return {};
  const Json& mean = facts.at("loss_mean");
  return {mean.at("sum"), mean.at("weight"), mean.at("interval_sum"), mean.at("interval_tokens")};
}

Json ToJson(const Facts& facts) {
  Json pinned = Json::object();
  if (facts.pinned.compute_dtype) pinned["compute_dtype"] = *facts.pinned.compute_dtype;
  if (facts.pinned.threads) pinned["threads"] = *facts.pinned.threads;
  if (facts.pinned.rung) pinned["rung"] = *facts.pinned.rung;
  return {{"format", kFormat},
          {"spec_digest", facts.identity.spec_digest},
          {"dataset_digest", facts.identity.dataset_digest},
          {"base_digest", facts.identity.base_digest},
          {"pinned", pinned},
          {"step", facts.totals.step},
          {"tokens", facts.totals.tokens},
          {"seconds", facts.totals.seconds},
          {"loss", facts.totals.loss},
          {"loss_mean", ToJson(facts.totals.mean)},
          {"state_sha256", facts.tensors_sha256}};
}

Facts FromJson(const Json& json) {
  if (json.at("format") != kFormat) throw std::invalid_argument("an unknown format");
  Facts facts;
  facts.identity = {json.at("spec_digest"), json.at("dataset_digest"), json.at("base_digest")};
  const Json& pinned = json.at("pinned");
  if (pinned.contains("compute_dtype")) facts.pinned.compute_dtype = pinned.at("compute_dtype");
  if (pinned.contains("threads")) facts.pinned.threads = WholeNumber(pinned.at("threads"));
  if (pinned.contains("rung")) facts.pinned.rung = WholeNumber(pinned.at("rung"));
  facts.totals = {WholeNumber(json.at("step"), 0), WholeNumber(json.at("tokens"), 0),
                  json.at("seconds"), json.at("loss"), LossMeanFrom(json)};
  facts.tensors_sha256 = json.at("state_sha256");
  return facts;
}

// Reads the facts of a complete checkpoint and checks the digest of its tensors. DATA_LOSS if it is
// damaged.
absl::StatusOr<Facts> ReadWhole(const fs::path& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path / kFacts, kFactsLimit));
  const absl::StatusOr<Json> json = ParseJson(text);
  if (!json.ok()) return Damaged(path / kFacts, std::string(json.status().message()));
  Facts facts;
  try {
    facts = FromJson(*json);
  } catch (const std::exception& error) {
    return Damaged(path / kFacts, error.what());
  }
  ASSIGN_OR_RETURN(const std::string digest, Sha256OfFile(path / kTensors));
  if (digest != facts.tensors_sha256) {
    return Damaged(path / kTensors, "the bytes do not match their digest");
  }
  return facts;
}

absl::Status CopyInto(const SafetensorsFile& file, const NamedTensorList& tensors) {
  std::vector<const StoredTensor*> stored;
  for (const auto& [name, tensor] : tensors) {
    const auto found = file.tensors().find(name);
    if (found == file.tensors().end() || tensor.sizes() != found->second.shape) {
      return Damaged(file.path(), absl::StrCat(name, " is missing or has another shape"));
    }
    stored.push_back(&found->second);
  }
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < tensors.size(); ++i) tensors[i].second.copy_(file.Tensor(*stored[i]));
  return absl::OkStatus();
}

}  // namespace

TrainingCheckpoints::TrainingCheckpoints(fs::path dir, TrainingIdentity identity,
                                         PinnedChoices pinned, int64_t limit)
    : dir_(std::move(dir)),
      identity_(std::move(identity)),
      pinned_(std::move(pinned)),
      limit_(std::max<int64_t>(1, limit)) {}

absl::StatusOr<fs::path> TrainingCheckpoints::Save(const TrainingTotals& totals,
                                                   const NamedTensorList& tensors) const {
  const std::string name = absl::StrFormat("%s%06d", kPrefix, totals.step);
  const fs::path staging = dir_ / absl::StrCat(".", name, ".partial"), path = dir_ / name;
  RETURN_IF_ERROR(SettleDirectory(dir_));
  RETURN_IF_ERROR(RemoveAll(staging));
  RETURN_IF_ERROR(MakeDirectories(staging));
  RETURN_IF_ERROR(DURABLE("trainer.checkpoint.write_tensors",
                          WriteSafetensors(staging / kTensors, tensors, {})));
  ASSIGN_OR_RETURN(std::string digest, Sha256OfFile(staging / kTensors));
  const Facts facts{identity_, pinned_, totals, std::move(digest)};
  RETURN_IF_ERROR(DURABLE("trainer.checkpoint.write_facts",
                          WriteFileAtomically(staging / kFacts, ToJson(facts).dump(2) + "\n")));
  RETURN_IF_ERROR(RemoveAll(path));
  RETURN_IF_ERROR(DURABLE("trainer.checkpoint.complete", RenameDurably(staging, path)));
  RETURN_IF_ERROR(RemoveOldest());
  return path;
}

absl::Status TrainingCheckpoints::RemoveOldest() const {
  const std::vector<fs::path> paths = NewestFirst(dir_);
  for (size_t i = static_cast<size_t>(limit_); i < paths.size(); ++i) {
    RETURN_IF_ERROR(RemoveAll(paths[i]));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<TrainingTotals>> TrainingCheckpoints::Restore(
    const NamedTensorList& tensors, std::vector<std::string>* notices) const {
  for (const fs::path& path : NewestFirst(dir_)) {
    const auto totals = RestoreFrom(path, tensors);
    if (totals.ok()) return *totals;
    notices->push_back(absl::StrCat("checkpoint skipped: ", totals.status().message()));
  }
  return std::nullopt;
}

absl::StatusOr<TrainingTotals> TrainingCheckpoints::RestoreFrom(
    const fs::path& path, const NamedTensorList& tensors) const {
  ASSIGN_OR_RETURN(const Facts facts, ReadWhole(path));
  if (!(facts.identity == identity_)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path.string(), " belongs to another domain file, dataset or base"));
  }
  ASSIGN_OR_RETURN(const auto file, SafetensorsFile::Open(path / kTensors));
  RETURN_IF_ERROR(CopyInto(*file, tensors));
  return facts.totals;
}

bool TrainingCheckpoints::OnlyForeign() const {
  bool foreign = false;
  for (const fs::path& path : NewestFirst(dir_)) {
    const auto facts = ReadWhole(path);
    if (!facts.ok()) continue;
    if (facts->identity == identity_) return false;
    foreign = true;
  }
  return foreign;
}

PinnedChoices PinnedInCheckpoints(const fs::path& dir) {
  for (const fs::path& path : NewestFirst(dir)) {
    if (const auto facts = ReadWhole(path); facts.ok()) return facts->pinned;
  }
  return {};
}

}  // namespace mozgach
