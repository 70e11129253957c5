// Publication: how an attempt's result becomes a version and its job succeeds, exactly once.  The
// steps are those of registry/adapter_store.h; each may be done again, and a scheduler that starts
// goes on where the last one stopped.
#pragma once

#include <string>
#include <vector>

#include "registry/version.h"
#include "scheduler/jobs/now.h"
#include "scheduler/state/scheduler_state.h"

namespace mozgach {

// The version that `result` of `attempt` would be.  `attempt` is the number of the lease under
// which the result was reported, never the number in the job's row: RecordIntent compares the two.
// INVALID_ARGUMENT: the result is not valid.  The version's number and the registry's own files
// come with AdapterStore::Stage.
absl::StatusOr<Version> VersionOf(const Now& now, const Job& job, int64_t attempt,
                                  const v1::Result& result);

// Takes the sizes of the version's files from their blobs; returns those blobs that are not here.
std::vector<std::string> FindBlobs(const SchedulerState& state, Version& version);

// Whether its files, whose blobs are here, are an adapter of its base that readers can load: see
// CheckAdapterFiles.
absl::Status CheckWeights(const SchedulerState& state, const Version& version);

// Transaction 1, fenced by the attempt: the version is a row, the attempt takes no more reports.
// ABORTED, with nothing written, if the version's attempt is not the one that runs.
absl::Status RecordIntent(SchedulerState& state, const Now& now, const Version& version,
                          const v1::Result& result);

// Reveal, transaction 2, alias links, and the blobs that nobody needs any more.  When the staged
// files are gone the version is abandoned and the job queued again.
absl::Status Conclude(SchedulerState& state, const Now& now, const Version& version);

// All of it.  On an error nothing has been half-done: the same call, or ConcludeUnfinished, goes
// on.
absl::Status Publish(SchedulerState& state, const Now& now, Version version,
                     const v1::Result& result);

// Concludes what a crash or a full disk has left between the two transactions.
absl::Status ConcludeUnfinished(SchedulerState& state, const Now& now);

}  // namespace mozgach
