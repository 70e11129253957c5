// Handles Ctrl-C for commands that print or clean up something before they end.
#pragma once

namespace mozgach {

// After this call the first SIGINT (Ctrl-C), SIGTERM or SIGHUP is recorded, and a second one ends
// the process. Call it once per process.
void NoteInterrupts();

// Returns true after the first signal. Thread-safe.
bool Interrupted();

// Returns the exit code that shells expect after the signal: 130 after Ctrl-C.
int InterruptedExitCode();

}  // namespace mozgach
