// What has failed on a worker since anything last went well there (quarantine.h).  Plain values.
#pragma once

#include <set>
#include <string>

#include "common/clock.h"

namespace mozgach {

struct WorkerHealth {
  std::set<std::string> failed_domains;
  int quarantines = 0;               // in a row
  Milliseconds quarantined_until{};  // since boot: the last of them ends
  bool told_it_is_over = true;       // the end of the quarantine is in the event log
  std::string reason;                // why it is quarantined, for people
};

}  // namespace mozgach
