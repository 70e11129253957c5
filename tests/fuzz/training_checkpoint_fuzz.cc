// Any bytes as a training checkpoint: checkpoint.json, a line "----", state.safetensors. The
// digest that stands in the one is made that of the other, which no mutation would hit.
#include <ATen/ops/zeros.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/digest.h"
#include "nlohmann/json.hpp"
#include "tests/trainer/checkpoint/temporary_directory.h"
#include "trainer/train/training_checkpoint.h"

namespace {

constexpr char kLine[] = "\n----\n";

std::string WithDigest(const std::string& text, const std::string& tensors) {
  auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return text;
  json["state_sha256"] = mozgach::Sha256Hex(tensors);
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const mozgach::TemporaryDirectory dir;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const size_t line = bytes.find(kLine);
  if (line == std::string::npos) return 0;
  const std::string tensors = bytes.substr(line + sizeof(kLine) - 1);
  std::filesystem::create_directories(dir.path() / "step-000002");
  dir.Write("step-000002/state.safetensors", tensors);
  dir.Write("step-000002/checkpoint.json", WithDigest(bytes.substr(0, line), tensors));

  mozgach::PinnedInCheckpoints(dir.path());
  const mozgach::TrainingCheckpoints checkpoints(dir.path(), {"s", "d", "b"}, {}, 2);
  const mozgach::NamedTensorList state = {{"lora_A", at::zeros({2, 3})},
                                          {"lora_B", at::zeros({3, 2})}};
  std::vector<std::string> notices;
  const auto totals = checkpoints.Restore(state, &notices);
  checkpoints.OnlyForeign();
  // It was taken, or passed over with the reason.
  if (totals.ok() && !totals->has_value() && notices.empty()) abort();
  return 0;
}
