// Wakeups name the held calls that a change may concern. The core collects them; the executor,
// which holds the calls, takes them.
#pragma once

#include <set>
#include <string>

namespace mozgach {

struct Wakeups {
  std::set<std::string> base_keys;  // bases for which a job can be claimed
  std::set<std::string> workers;    // workers with something to hear

  bool empty() const { return base_keys.empty() && workers.empty(); }
};

}  // namespace mozgach
