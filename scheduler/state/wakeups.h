// Wakeups say whom a change may concern that waits in a held call: the core collects them, whoever
// holds the calls takes them.
#pragma once

#include <set>
#include <string>

namespace mozgach {

struct Wakeups {
  std::set<std::string> base_keys;  // there is a job to claim that wants this
  std::set<std::string> workers;    // this worker has something to hear

  bool empty() const { return base_keys.empty() && workers.empty(); }
};

}  // namespace mozgach
