// A Job is one training of one domain, as its row says it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "mozgach/v1/worker_service.pb.h"
#include "scheduler/jobs/job_shape.h"
#include "scheduler/jobs/job_state.h"

namespace mozgach {

struct Job {
  int64_t job = 0;
  std::string domain;
  JobState state = JobState::kQueued;
  std::string base;
  std::string base_key;  // BaseKey(base, revision): what a worker must offer
  int64_t priority = 0;
  bool ready = true;  // false: backs off until not_before
  WallTime not_before{};
  int64_t attempt = 0;       // the latest, which alone may write
  int64_t failures = 0;      // those that count against the limit
  int64_t disturbances = 0;  // infrastructure failures and lost leases
  bool cancel_requested = false;
  std::string failure_class;  // class of the last failed attempt
  std::string reason;
  int64_t retry_of = 0;  // 0: none
  int64_t version = 0;   // 0: none
  std::string spec_digest;
  std::string dataset_digest;
  WallTime created{};
  WallTime queued{};          // when it last became claimable
  WallTime started{};         // epoch: not yet
  WallTime finished{};        // epoch: not yet
  int64_t shape = 0;          // what it needs (job_shape.h)
  Milliseconds time_limit{};  // limit for one attempt; 0: unlimited
};

// What a submission puts into the queue.
struct NewJob {
  std::string domain;
  std::string base;
  std::string revision;
  int64_t priority = 0;
  Milliseconds time_limit{};  // limit for one attempt; 0: unlimited
  std::string spec_json;
  std::string spec_digest;
  std::string dataset_digest;
  std::vector<v1::Dataset> datasets;
  int64_t retry_of = 0;
  std::string memory_settings;      // MemorySettings() of its spec and rows (job_shape.h)
  std::string notices_json = "[]";  // what the reader of its rows noticed (job_notices.h)
  bool conversations = false;       // at least one row is a conversation
  std::optional<ShapePlan> plan;    // made in advance; empty: it is planned when it is queued
};

}  // namespace mozgach
