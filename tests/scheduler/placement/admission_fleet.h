// An AdmissionFleet is a Fleet whose workers say what memory they have, and what their base is.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "nlohmann/json.hpp"
#include "tests/scheduler/fleet.h"

namespace mozgach {

inline constexpr uint64_t kMiB = 1 << 20;
inline constexpr uint64_t kGiB = 1 << 30;
inline constexpr char kModelConfig[] =
    R"({"model_type": "qwen2", "vocab_size": 151936, "hidden_size": 2048,
    "intermediate_size": 11008, "num_hidden_layers": 36, "num_attention_heads": 16,
    "num_key_value_heads": 2, "max_position_embeddings": 32768, "tie_word_embeddings": true,
    "torch_dtype": "bfloat16"})";

class AdmissionFleet : public Fleet {
 protected:
  // A worker with one GPU that has the base and has told its config.
  static TestWorker Gpu(const std::string& name, uint64_t free, uint64_t total = 0) {
    TestWorker worker(name, {kQwen});
    SetMemory(worker, free, total == 0 ? free : total);
    worker.request.mutable_devices(0)->set_name("cuda:0");
    worker.request.mutable_devices(0)->set_kind("RTX 5060 Ti");
    Tells(worker, kModelConfig);
    return worker;
  }
  // A worker on the CPU of a host that it shares.
  static TestWorker OnHost(const std::string& name, uint64_t free) {
    TestWorker worker = Gpu(name, free, 64 * kGiB);
    v1::Device& device = *worker.request.mutable_devices(0);
    device.set_name("cpu");
    device.set_kind("AMD EPYC");
    device.set_memory_pool("host");
    device.set_memory_pool_free_bytes(free);
    return worker;
  }
  static void SetMemory(TestWorker& worker, uint64_t free, uint64_t total) {
    worker.request.mutable_devices(0)->set_memory_free_bytes(free);
    worker.request.mutable_devices(0)->set_memory_total_bytes(total);
    worker.request.mutable_devices(0)->set_memory_pool_free_bytes(free);
  }
  static void Tells(TestWorker& worker, const std::string& config) {
    worker.request.mutable_bases(0)->set_config_json(config);
    worker.request.mutable_bases(0)->set_config_digest(Sha256Hex(config));
  }

  int64_t Ask(const std::string& name, const nlohmann::json& patch, int64_t priority = 50) {
    v1::Submission submission = Domain(name, kQwen, priority);
    auto spec = nlohmann::json::parse(submission.spec_json());
    spec.merge_patch(patch);
    submission.set_spec_json(spec.dump());
    return Submit({submission}).outcomes(0).job();
  }
  int64_t Small(const std::string& name, int64_t priority = 50) {
    return Ask(name, {{"data", {{"max_length", 64}}}}, priority);
  }
  int64_t Big(const std::string& name, int64_t priority = 50) {
    return Ask(name, {{"data", {{"max_length", 32768}}}}, priority);
  }
  uint64_t Needs(int64_t job) { return Get(job).memory_needed_bytes(); }
  uint64_t NeedsOnCpu(int64_t job) { return Get(job).memory_needed_on_cpu_bytes(); }

  // Attempts that end well, with these peaks against a plan of 1 GiB.
  void Observe(TestWorker& worker, const std::vector<double>& ratios) {
    for (size_t i = 0; i < ratios.size(); ++i) {
      Small(absl::StrCat("seen", observed_++));
      const v1::Assignment assignment = Claim(worker);
      ASSERT_NE(assignment.job(), 0);
      v1::AttemptReport& report = worker.Reports(assignment, v1::AttemptReport::FINISHED);
      report.set_device(worker.request.devices(0).name());
      report.mutable_progress()->set_step(1);
      report.mutable_progress()->set_memory_planned_bytes(kGiB);
      report.mutable_progress()->set_memory_peak_bytes(static_cast<uint64_t>(kGiB * ratios[i]));
      *report.mutable_result() = Result(absl::StrCat("tensors", observed_), kQwen);
      Call(worker);
      worker.Forgets();
    }
  }
  int observed_ = 0;
};

}  // namespace mozgach
