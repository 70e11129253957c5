#include "common/end_signals.h"

#include <signal.h>

namespace mozgach {

std::vector<int> SignalsThatEnd() {
  std::vector<int> signals = {SIGTERM, SIGINT};
  struct sigaction hang_up {};
  const bool known = ::sigaction(SIGHUP, nullptr, &hang_up) == 0;
  if (!known || hang_up.sa_handler != SIG_IGN) signals.push_back(SIGHUP);
  return signals;
}

}  // namespace mozgach
