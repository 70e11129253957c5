// The session and its checkpoints: on their way to the scheduler and from it.
#include "absl/strings/str_cat.h"
#include "worker/session/session.h"

namespace mozgach {

void Session::On(WorkerAttempt& attempt, const TrainerCheckpoint& event, Milliseconds now) {
  Log(attempt, absl::StrCat("checkpoint at step ", event.step));
  attempt.checkpoint_written = event.step;
  SendCheckpoint(attempt);
}

void Session::CheckpointFetched(const AttemptId& id, const absl::Status& status) {
  WorkerAttempt* attempt = Find(id);
  if (attempt == nullptr || attempt->state != AttemptState::kFetching) return;
  attempt->checkpoint_here = true;
  Log(*attempt, status.ok() ? absl::StrCat("goes on from a checkpoint at step ",
                                           attempt->checkpoint.step(), " of an earlier attempt")
                            : absl::StrCat("without the checkpoint of an earlier attempt: ",
                                           status.message()));
  WaitWhenProvided(*attempt);
}

void Session::SendCheckpoint(WorkerAttempt& attempt) {
  if (attempt.checkpoint_uploads || attempt.checkpoint_written <= attempt.checkpoint.step()) return;
  // After the last step the adapter itself follows.
  const bool last = attempt.checkpoint_written >= attempt.progress.steps();
  if (last && !attempt.hands_back) return;
  attempt.checkpoint_uploads = true;
  actions_.push_back(UploadHandover{attempt.work.id, attempt.checkpoint_written});
}

void Session::CheckpointUploaded(const AttemptId& id,
                                 const absl::StatusOr<v1::Checkpoint>& checkpoint) {
  WorkerAttempt* attempt = Find(id);
  if (attempt == nullptr || !attempt->checkpoint_uploads) return;
  attempt->checkpoint_uploads = false;
  if (checkpoint.ok()) {
    attempt->checkpoint = *checkpoint;
    Log(*attempt,
        absl::StrCat("the checkpoint at step ", checkpoint->step(), " is with the scheduler"));
    calls_.UrgentNews();
  } else {
    Log(*attempt, absl::StrCat("a checkpoint stays here: ", checkpoint.status().message()));
    attempt->checkpoint_written = attempt->checkpoint.step();  // the next one is tried
  }
  SendCheckpoint(*attempt);
  if (attempt->let_go && !attempt->checkpoint_uploads) Settle(*attempt);
}

void Session::HandBack(WorkerAttempt& attempt, const std::string& why, Milliseconds now) {
  // What is on its way already ends by itself.
  if (!attempt.OccupiesDevice() || attempt.state == AttemptState::kStopping) return;
  attempt.hands_back = true;
  SendCheckpoint(attempt);
  EndWork(attempt, why, now);
}

}  // namespace mozgach
