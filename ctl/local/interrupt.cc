#include "ctl/local/interrupt.h"

#include <csignal>

#include "common/end_signals.h"

namespace mozgach {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void Note(int signal) { interrupted = signal; }

}  // namespace

void NoteInterrupts() {
  struct sigaction action {};
  action.sa_handler = Note;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (const int signal : SignalsThatEnd()) sigaction(signal, &action, nullptr);
}

bool Interrupted() { return interrupted != 0; }

int InterruptedExitCode() { return 128 + interrupted; }

}  // namespace mozgach
