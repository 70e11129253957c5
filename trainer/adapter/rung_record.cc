#include "trainer/adapter/rung_record.h"

#include <chrono>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/log_line.h"
#include "failpoint/failpoint.h"
#include "nlohmann/json.hpp"
#include "trainer/device/compute_device.h"
#include "trainer/device/runtime.h"
#include "trainer/train/compute_type.h"

namespace mozgach {
namespace {

constexpr auto kCountsFor = std::chrono::hours(24);
constexpr uint64_t kLimitBytes = 64;

// Returns a digest of everything that determines the memory of a step and the available memory.
std::string ShapeKey(const DomainSpec& spec, const Base& base) {
  const nlohmann::json json = ToJson(spec);
  const nlohmann::json shape = {{"base", base.model->digest()},
                                {"quantization", json.at("quantization")},
                                {"compute_type", ComputeTypeName(base.compute_type)},
                                {"lora", json.at("lora")},
                                {"max_length", spec.data.max_length},
                                {"packing", spec.data.packing},
                                {"batch", spec.training.per_device_train_batch_size},
                                {"checkpointing", spec.training.gradient_checkpointing},
                                {"optim", spec.training.optim},
                                {"device", DeviceKind(base.model->device())},
                                {"memory", MemoryTotalBytes()}};
  return Sha256Hex(shape.dump());
}

}  // namespace

RungRecord::RungRecord(const std::filesystem::path& cache_dir, const DomainSpec& spec,
                       const Base& base) {
  if (cache_dir.empty()) return;
  file_ = cache_dir / absl::StrCat("rung-", ShapeKey(spec, base).substr(0, 32));
}

int64_t RungRecord::Find() const {
  if (file_.empty()) return 0;
  std::error_code error;
  const auto written = std::filesystem::last_write_time(file_, error);
  if (error || std::filesystem::file_time_type::clock::now() - written > kCountsFor) return 0;
  const auto text = ReadFile(file_, kLimitBytes);
  int64_t rung = 0;
  return text.ok() && absl::SimpleAtoi(*text, &rung) && rung > 0 ? rung : 0;
}

void RungRecord::Keep(int64_t rung) const {
  if (file_.empty() || rung == Find()) return;
  absl::Status status = MakeDirectories(file_.parent_path());
  if (status.ok()) {
    status = DURABLE("trainer.rung.keep", WriteFileAtomically(file_, absl::StrCat(rung, "\n")));
  }
  if (!status.ok()) LogInfo(std::string(status.message()));
}

}  // namespace mozgach
