// JobEvents reports the progress of a job as events for the worker, and asks the inbox whether to
// continue. Used only by the working thread.
#pragma once

#include <optional>
#include <string>

#include "nlohmann/json_fwd.hpp"
#include "trainer/adapter/adapter_job.h"
#include "trainer/serve/event_writer.h"
#include "trainer/serve/inbox.h"

namespace mozgach {

class JobEvents : public JobObserver {
 public:
  // References must outlive this. `pinned`: the choices of this job.
  JobEvents(const AttemptId& id, const PinnedChoices& pinned, EventWriter& events,
            const Inbox& inbox);

  // Writes {"phase": "preparing"}, the first event of a job.
  void Preparing();
  // Writes an event of this attempt: `fields` with "event", "job" and "attempt".
  void Write(const char* event, nlohmann::json fields);

  void OnPrepared(const PreparedJob& prepared) override;
  void OnStarted(int64_t step, int64_t steps, std::optional<double> mean_loss) override;
  void OnSteppedDown(int64_t step, int64_t rung, const std::string& what) override;
  void OnStep(const StepReport& report) override;
  void OnCheckpoint(int64_t step, const std::filesystem::path& path) override;
  void OnEvaluation(int64_t step, const nlohmann::json& metrics, bool final) override;
  void OnEvaluating() override;
  void OnNotice(const std::string& text) override;  // writes to stderr, the log
  Interruption Poll() override;

 private:
  AttemptId id_;
  PinnedChoices pinned_;
  EventWriter& events_;
  const Inbox& inbox_;
  PreparedJob prepared_;
};

// Returns {"compute_dtype", "threads", "rung"}, without those that are not set.
nlohmann::json PinnedJson(const PinnedChoices& pinned);

}  // namespace mozgach
