// Ctrl-C, for the commands that have something to say or to clean up before they end.
#pragma once

namespace mozgach {

// From now on the first SIGINT (Ctrl-C), SIGTERM or SIGHUP is noted and a second one ends the
// process.  Once per process.
void NoteInterrupts();

// True since the first of them.  Any thread.
bool Interrupted();

// What a shell expects of a process that this signal ended: 130 after Ctrl-C.
int InterruptedExitCode();

}  // namespace mozgach
