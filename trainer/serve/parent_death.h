// No trainer keeps a GPU without a worker.
#pragma once

namespace mozgach {

// From now on: when the parent's thread that started this process ends, this process ends too, at
// the latest `timeout_seconds` later. A closed stdin is how it hears of it and leaves a
// checkpoint; this is for one that no longer listens. Linux; elsewhere the next worker finds it
// (worker/trainer/trainer_lock.h). Uses SIGUSR1 and SIGALRM.
void EndWithParent(unsigned timeout_seconds = 30);

}  // namespace mozgach
