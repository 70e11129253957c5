// A JobShape is what a job needs: a base, and the least memory that it can make do with there
// (planner/least_plan.h).  Jobs of one shape wait in one range of the queue, so that a claim looks
// at shapes, however many jobs there are, and a plan that changes is changed in a few rows.
//
// Methods that write join the open transaction.  One thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/domain/domain_spec.h"
#include "planner/least_plan.h"
#include "planner/model_config.h"
#include "planner/token_estimate.h"
#include "registry/database.h"

namespace mozgach {

// The least memory of a job, bytes, as planned; 0: no plan, and no bound.
struct Needs {
  int64_t cpu_bytes = 0;
  int64_t gpu_bytes = 0;
  bool checkpoints = false;  // the least memory needs layers to be recomputed in backward

  int64_t On(DeviceClass device) const {
    return device == DeviceClass::kCpu ? cpu_bytes : gpu_bytes;
  }
};

// Needs that were planned in advance, with the config of this digest.
struct ShapePlan {
  std::string config_digest;
  Needs needs;
};

struct JobShape {
  int64_t shape = 0;
  std::string base;
  std::string base_key;
  std::string settings;       // empty: of a job from before there were shapes
  bool stepped_down = false;  // memory ran out in an earlier attempt
  Needs needs;
};

// What decides about memory in a domain and its rows, as text: equal where it is.
std::string MemorySettings(const DomainSpec& spec, const DomainRows& rows);

// What that text says.
struct MemoryWish {
  DomainSpec spec;
  DomainRows rows;
};
absl::StatusOr<MemoryWish> ReadMemorySettings(const std::string& settings);

// True when a job with these pins has stepped down the trainer's ladder.
bool HasSteppedDown(const std::string& pinned_json);

// A base's config.json, as the scheduler knows it.
struct BaseConfig {
  std::string digest;
  absl::StatusOr<ModelConfig> config;  // INVALID_ARGUMENT: it cannot be planned, and why
};

// No plan where the base cannot be planned, or the settings do not go with it.
Needs PlanNeeds(const BaseConfig& config, const std::string& settings, bool stepped_down);

class Shapes {
 public:
  explicit Shapes(Database& database) : database_(database) {}

  // NOT_FOUND where there is none.
  absl::StatusOr<JobShape> Get(int64_t shape);
  // Empty: no job had these settings yet.
  absl::StatusOr<std::optional<int64_t>> Find(const std::string& base_key,
                                              const std::string& settings, bool stepped_down);
  // The shape of jobs with these settings: it is made, and planned with `config` (null: not known),
  // where there is none.  A `plan` that was made with `config` saves planning it here.
  absl::StatusOr<int64_t> FindOrAdd(const std::string& base, const std::string& base_key,
                                    const std::string& settings, bool stepped_down,
                                    const BaseConfig* config,
                                    const std::optional<ShapePlan>& plan = std::nullopt);
  // Plans again the shapes of `base` that were planned with another config, at most `limit`.
  // Returns the number of such shapes.
  absl::StatusOr<int64_t> Plan(const std::string& base, const BaseConfig& config, int64_t limit);

 private:
  Database& database_;
};

}  // namespace mozgach
