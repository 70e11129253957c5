// A count of the units of work that one thread has done: a micro-batch, a layer, a tensor that was
// read, a row that was tokenised.  While it grows, the thread does not hang, however long its
// present task takes.  Safe from any thread.
#pragma once

#include <cstdint>

namespace mozgach {

// From now on this thread's work counts: it trains, or the thread that trains waits for it.  Other
// threads' work does not count, so that none of them can hide a hang.
void CountWorkOfThisThread();

// One unit is done.  Cheap.
void NoteWork();

uint64_t WorkCount();

}  // namespace mozgach
