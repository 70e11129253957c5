#include "proto/checkpoint.h"

#include <algorithm>
#include <array>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/digest.h"

namespace mozgach {
namespace {

constexpr std::array kFiles = {"checkpoint.json", "state.safetensors"};

}  // namespace

absl::Status CheckCheckpoint(const v1::Checkpoint& checkpoint) {
  if (checkpoint.step() < 1)
    return absl::InvalidArgumentError("a checkpoint before the first step");
  std::set<std::string> seen;
  for (const v1::File& file : checkpoint.files()) {
    if (std::find(kFiles.begin(), kFiles.end(), file.path()) == kFiles.end() ||
        !seen.insert(file.path()).second || !IsSha256Hex(file.sha256())) {
      return absl::InvalidArgumentError(absl::StrCat("a checkpoint has ", kFiles[0], " and ",
                                                     kFiles[1], ", each once and with its digest"));
    }
  }
  if (seen.size() != kFiles.size()) {
    return absl::InvalidArgumentError("a checkpoint that lacks one of its files");
  }
  return absl::OkStatus();
}

}  // namespace mozgach
