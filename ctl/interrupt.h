// Ctrl-C, for the commands that have something to say or to clean up before they end.
#pragma once

namespace mozgach {

// From now on the first Ctrl-C is noted and the second ends the process.  Once per process.
void NoteInterrupts();

// True since the first Ctrl-C.  Any thread.
bool Interrupted();

// What a shell expects of a process that Ctrl-C ended.
inline constexpr int kInterruptedExitCode = 130;

}  // namespace mozgach
