// The rows that retention removes, a short range at a time.  What goes is asked and removed in one
// transaction.  One thread at a time.
#pragma once

#include <string>
#include <vector>

#include "scheduler/upkeep/retention.h"

namespace mozgach {

class RowCollector {
 public:
  // All outlive it.
  RowCollector(const SchedulerConfig& rules, WallTime now, Collection& collection)
      : rules_(rules), now_(now), collection_(collection) {}

  // Returns some domains after `after`; empty at the end.
  absl::StatusOr<std::vector<std::string>> SomeDomains(Database& database,
                                                       const std::string& after);
  // Some versions of a domain that others have superseded; true: there may be more.  Their
  // directories are FileCollector's.
  absl::StatusOr<bool> RemoveVersions(Database& database, const std::string& domain);

  // Removes some jobs after `after`. Returns where to continue; 0 at the end.
  absl::StatusOr<int64_t> RemoveJobs(Database& database, int64_t after);
  // The same with events.
  absl::StatusOr<int64_t> RemoveEvents(Database& database, int64_t after);

 private:
  int64_t Before(int64_t days) const;  // milliseconds since 1970

  const SchedulerConfig& rules_;
  const WallTime now_;
  Collection& collection_;
};

}  // namespace mozgach
