#include "trainer/serve/parent_death.h"

#include <unistd.h>

#include <csignal>
#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace mozgach {
namespace {

volatile sig_atomic_t timeout = 0;

// The default action of SIGALRM ends the process.
void StartTheClock(int) { ::alarm(static_cast<unsigned>(timeout)); }

}  // namespace

void EndWithParent(unsigned timeout_seconds) {
#ifdef __linux__
  timeout = static_cast<sig_atomic_t>(timeout_seconds);
  struct sigaction action = {};
  action.sa_handler = StartTheClock;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGUSR1, &action, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGUSR1);
#endif
}

}  // namespace mozgach
