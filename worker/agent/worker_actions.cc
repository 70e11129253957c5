// How a worker does what its session wants.
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "worker/agent/worker.h"
#include "worker/trainer/trainer_requests.h"
#include "worker/transfer/checkpoint_handover.h"
#include "worker/transfer/upload.h"

namespace mozgach {
namespace {

constexpr Milliseconds kExitGrace{4'000};  // less than a stopping session waits
constexpr Milliseconds kBaseProgressEvery{250};

}  // namespace

void Worker::Do(StartTrainer& action) {
  auto started = TrainerProcess::Start(TrainerCommandOf(action.device), Listen(action.device));
  if (started.ok()) {
    memory_kills_.Started((*started)->pid());
    trainers_[static_cast<size_t>(action.device)] = *std::move(started);
    return;
  }
  const std::string how =
      absl::StrCat("could not be started: ", std::string(started.status().message()));
  spdlog::error("the trainer {}", how);
  session_.TrainerExited(action.device, how, Clock::System().SinceBoot());
}

void Worker::Do(KillTrainer& action) {
  spdlog::warn("the trainer of device {} hangs: killing it", action.device);
  if (auto& trainer = trainers_[static_cast<size_t>(action.device)]) trainer->Kill();
}

void Worker::Do(EndTrainer& action) {
  if (auto& trainer = trainers_[static_cast<size_t>(action.device)]) trainer->End(kExitGrace);
}

void Worker::Do(SendTraining& action) {
  auto& trainer = trainers_[static_cast<size_t>(action.device)];
  if (trainer == nullptr) return;  // its end is on the way to the session
  trainer->Send(TrainLine({.id = action.id,
                           .spec_json = std::move(action.spec_json),
                           .base_dir = std::move(action.base_dir),
                           .data = std::move(action.data),
                           .output_dir = data_.adapter(action.id).string(),
                           .checkpoint_dir = data_.checkpoints(action.id.job).string(),
                           .cache_dir = data_.cache().string(),
                           .pinned_json = std::move(action.pinned_json)}));
}

void Worker::Do(CancelTraining& action) {
  if (auto& trainer = trainers_[static_cast<size_t>(action.device)]) {
    trainer->Send(CancelLine(action.id, action.save));
  }
}

void Worker::Do(FetchDatasets& action) {
  const std::stop_token stop = NewTransfer(action.id);
  fetches_.Add([this, id = action.id, datasets = std::move(action.datasets), stop] {
    // The trainer makes its adapter's folder by a rename; the place for it is ours to make.
    const absl::Status made = MakeDirectories(data_.attempt(id));
    auto paths = made.ok() ? datasets_.Fetch(id, datasets, stop) : made;
    inbox_.Post([this, id, paths = std::move(paths)](Milliseconds) {
      session_.DatasetsFetched(id, paths);
    });
  });
}

void Worker::Do(FetchBase& action) {
  const std::stop_token stop = NewTransfer(action.id);
  base_fetches_.Add([this, id = action.id, base = std::move(action.base), stop] {
    Milliseconds told{0};
    const auto progress = [&](const v1::BaseFetch& fetch, uint64_t bytes) {
      base_bytes_fetched_ += bytes;
      const Milliseconds now = Clock::System().SinceBoot();
      if (now < told + kBaseProgressEvery) return;
      told = now;
      inbox_.Post([this, id, fetch](Milliseconds) { session_.BaseProgress(id, fetch); });
    };
    const auto fetched = bases_.Fetch(base, progress, stop);
    const auto directory = fetched.ok() ? absl::StatusOr<std::string>(fetched->string())
                                        : absl::StatusOr<std::string>(fetched.status());
    inbox_.Post([this, id, directory, found = FindBasesAndChats()](Milliseconds) {
      TakeBases(found);
      LookAtBaseDisk();
      session_.BaseFetched(id, directory);
    });
  });
}

void Worker::Do(FetchHandover& action) {
  const std::stop_token stop = NewTransfer(action.id);
  fetches_.Add([this, id = action.id, checkpoint = std::move(action.checkpoint), stop] {
    const absl::Status fetched =
        FetchCheckpoint(client_, checkpoint, data_.checkpoints(id.job), stop);
    inbox_.Post([this, id, fetched](Milliseconds) { session_.CheckpointFetched(id, fetched); });
  });
}

void Worker::Do(UploadHandover& action) {
  const std::stop_token stop = NewTransfer(action.id);
  checkpoint_uploads_.Add([this, id = action.id, step = action.step, stop] {
    auto checkpoint = UploadCheckpoint(
        client_, data_.checkpoints(id.job), step, data_.attempt(id) / "checkpoint",
        [this](uint64_t bytes) { metrics_.Uploaded(bytes); }, stop);
    inbox_.Post([this, id, checkpoint = std::move(checkpoint)](Milliseconds) {
      session_.CheckpointUploaded(id, checkpoint);
    });
  });
}

void Worker::Do(UploadAdapter& action) {
  const std::stop_token stop = NewTransfer(action.id);
  uploads_.Add([this, id = action.id, stop] {
    auto files = UploadDirectory(
        client_, data_.adapter(id), [this](uint64_t bytes) { metrics_.Uploaded(bytes); }, stop);
    inbox_.Post(
        [this, id, files = std::move(files)](Milliseconds) { session_.Uploaded(id, files); });
  });
}

std::stop_token Worker::NewTransfer(const AttemptId& id) {
  std::stop_source& source = transfers_[id];
  if (source.stop_requested()) source = std::stop_source();
  return source.get_token();
}

void Worker::Do(AbortTransfers& action) {
  const auto found = transfers_.find(action.id);
  if (found != transfers_.end()) found->second.request_stop();
}

void Worker::Do(ForgetAttempt& action) {
  AbortTransfers abort{action.id};
  Do(abort);
  transfers_.erase(action.id);
  logs_.Close(action.id);
  fetches_.Add([this, id = action.id] { datasets_.Release(id); });
  absl::Status removed = RemoveAll(data_.attempt(action.id));
  if (removed.ok() && action.job_over) removed = RemoveAll(data_.checkpoints(action.id.job));
  if (!removed.ok()) spdlog::warn("{}", std::string(removed.message()));
}

void Worker::Do(WriteLog& action) {
  spdlog::info("job {}: {}", action.id.Name(), action.line);
  logs_.Append(action.id, Clock::System().Now(), action.line);
}

void Worker::Do(RescanBases&) {
  fetches_.Add([this] {
    inbox_.Post([this, found = FindBasesAndChats()](Milliseconds) { TakeBases(found); });
  });
}

void Worker::Do(MakeCall& action) {
  client_.Synchronize(action.request, action.call.deadline,
                      [this, call = action.call.number](SchedulerClient::Answer answer) {
                        inbox_.Post([this, call, answer = std::move(answer)](Milliseconds now) {
                          HearAnswer(call, answer, now);
                        });
                      });
}

}  // namespace mozgach
