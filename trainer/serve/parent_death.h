// Ends a trainer whose worker is gone, so that it does not keep the GPU.
#pragma once

namespace mozgach {

// Ends this process at most `timeout_seconds` after the parent's thread that started it ends.
// Usually stdin is closed then, and the trainer writes a checkpoint and exits; this is for a
// trainer that no longer reads stdin. Linux only; elsewhere the next worker finds the trainer
// (worker/trainer/trainer_lock.h). Uses SIGUSR1 and SIGALRM.
void EndWithParent(unsigned timeout_seconds = 30);

}  // namespace mozgach
