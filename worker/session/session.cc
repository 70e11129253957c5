#include "worker/session/session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace mozgach {
namespace {

// A trainer that dies before it said a word of an attempt gets it again, this often.
constexpr int kSendsMax = 3;
// Trainers that may die at their start before the attempts that wait for one are given back.
constexpr int kFruitlessStartsMax = 3;
// A silence that is this many times as long as the longest before it does not end.
constexpr int kSilencesOfPace = 10;
// Memory that is worth a call when it comes or goes.
constexpr uint64_t kWorthACall = 64 << 20;
// Between two looks at a trainer that works.
constexpr Milliseconds kWatchGap{30'000};

}  // namespace

Session::Session(SessionOptions options)
    : options_(std::move(options)),
      calls_(options_.calls, options_.seed),
      resident_bytes_(static_cast<size_t>(options_.devices), 0),
      mapped_bytes_(static_cast<size_t>(options_.devices), 0),
      quiet_(static_cast<size_t>(options_.devices), Milliseconds(0)) {
  for (int i = 0; i < options_.devices; ++i) {
    devices_.emplace_back(options_.device, options_.seed + 1 + static_cast<uint64_t>(i));
  }
}

WorkerAttempt* Session::Find(const AttemptId& id) {
  const auto found = attempts_.find(id);
  return found == attempts_.end() ? nullptr : &found->second;
}

void Session::DatasetsFetched(const AttemptId& id, absl::StatusOr<DatasetPaths> paths) {
  WorkerAttempt* attempt = Find(id);
  if (attempt == nullptr || attempt->state != AttemptState::kFetching) return;
  if (!paths.ok()) {
    Fail(*attempt, v1::Failure::INFRASTRUCTURE, std::string(paths.status().message()));
    return;
  }
  attempt->data = *std::move(paths);
  attempt->data_here = true;
  WaitWhenProvided(*attempt);
}

void Session::WaitWhenProvided(WorkerAttempt& attempt) {
  if (attempt.data_here && attempt.checkpoint_here && !attempt.base_dir.empty()) {
    attempt.state = AttemptState::kWaiting;
  }
}

void Session::Uploaded(const AttemptId& id, absl::StatusOr<std::vector<v1::File>> files) {
  WorkerAttempt* attempt = Find(id);
  if (attempt == nullptr || attempt->state != AttemptState::kUploading) return;
  if (!files.ok()) {
    Fail(*attempt, v1::Failure::INFRASTRUCTURE, std::string(files.status().message()));
    return;
  }
  attempt->result.clear_files();
  for (v1::File& file : *files) *attempt->result.add_files() = std::move(file);
  attempt->state = AttemptState::kFinished;
  Log(*attempt, absl::StrCat("uploaded ", files->size(), " files"));
  calls_.UrgentNews();
}

void Session::TrainerUses(int device, uint64_t resident_bytes, uint64_t mapped_bytes) {
  resident_bytes_[static_cast<size_t>(device)] = resident_bytes;
  mapped_bytes_[static_cast<size_t>(device)] = std::min(mapped_bytes, resident_bytes);
}

void Session::HostHas(const HostMemory& memory) {
  host_ = memory;
  LookAtMemory();
}

void Session::LookAtMemory() {
  // A held call would go on with what is no longer so: another program took memory, or gave it
  // back.
  const uint64_t free = FreeBytes();
  const uint64_t moved = free > free_told_ ? free - free_told_ : free_told_ - free;
  if (moved > std::max(kWorthACall, free_told_ / 16)) calls_.UrgentNews();
}

void Session::TrainerWrote(int device, const std::string& line) {
  if (const WorkerAttempt* attempt = RunningOn(device)) Log(*attempt, line);
}

void Session::TrainerExited(int device, const std::string& how_it_died, Milliseconds now,
                            bool for_memory) {
  const std::string condemned_why = devices_[static_cast<size_t>(device)].condemned_why();
  const std::string& how = condemned_why.empty() ? how_it_died : condemned_why;
  quiet_[static_cast<size_t>(device)] = Milliseconds(0);
  const Milliseconds wait = devices_[static_cast<size_t>(device)].Exited(now);
  const bool hopeless =
      devices_[static_cast<size_t>(device)].fruitless_starts() >= kFruitlessStartsMax;
  resident_bytes_[static_cast<size_t>(device)] = mapped_bytes_[static_cast<size_t>(device)] = 0;
  std::vector<AttemptId> settled;
  for (auto& [id, attempt] : attempts_) {
    if (attempt.device != device) continue;
    if (attempt.state == AttemptState::kStopping) settled.push_back(id);
    if (attempt.state == AttemptState::kWaiting && hopeless) {
      Fail(attempt, v1::Failure::INFRASTRUCTURE, absl::StrCat("no trainer starts: it ", how));
    }
    if (attempt.state != AttemptState::kInTrainer) continue;
    // A hung trainer is killed by this worker, whatever the system did meanwhile.
    if (attempt.heard_of && for_memory && condemned_why.empty()) {
      attempt.work.pinned_json = OneRungLower(attempt.work.pinned_json);
      attempt.stepped_down =
          "the system killed the trainer for lack of memory: the next attempt needs less";
      Fail(attempt, v1::Failure::OUT_OF_MEMORY,
           absl::StrCat("the system ran out of memory: the trainer ", how,
                        "; give the worker a --memory that the host has"));
    } else if (attempt.heard_of || attempt.sends >= kSendsMax) {
      Fail(attempt, v1::Failure::INFRASTRUCTURE, absl::StrCat("the trainer ", how));
    } else {
      attempt.state = AttemptState::kWaiting;
      Log(attempt, absl::StrCat("the trainer ", how, "; waits for the next one, started in ",
                                wait.count(), " ms"));
    }
  }
  for (const AttemptId& id : settled) Settle(attempts_.at(id));
  calls_.UrgentNews();
}

void Session::Fail(WorkerAttempt& attempt, v1::Failure::Class failure_class,
                   const std::string& message) {
  // What is still on its way to it serves nobody.
  if (attempt.state == AttemptState::kFetching) {
    actions_.push_back(AbortTransfers{attempt.work.id});
  }
  attempt.state = AttemptState::kFailed;
  attempt.failure.set_class_(failure_class);
  attempt.failure.set_message(message);
  Log(attempt, absl::StrCat("failed: ", message));
  calls_.UrgentNews();
}

void Session::Settle(WorkerAttempt& attempt) {
  if (attempt.reported && attempt.hands_back && attempt.checkpoint_uploads) {
    attempt.let_go = true;
    calls_.UrgentNews();  // its device is free
    return;
  }
  if (attempt.reported) {
    attempt.state = AttemptState::kStopped;
    calls_.UrgentNews();
    return;
  }
  Forget(attempt);
  calls_.UrgentNews();
}

void Session::Forget(const WorkerAttempt& attempt) {
  const AttemptId id = attempt.work.id;
  actions_.push_back(ForgetAttempt{id, attempt.job_over});
  base_fetches_.erase(id);
  attempts_.erase(id);
}

void Session::Log(const WorkerAttempt& attempt, std::string line) {
  actions_.push_back(WriteLog{attempt.work.id, std::move(line)});
}

bool Session::CanStart(const WorkerAttempt& attempt, Milliseconds now) const {
  if (attempt.state != AttemptState::kWaiting || now >= attempt.lease_ends) return false;
  if (!devices_[static_cast<size_t>(attempt.device)].up()) return false;
  // Two attempts of a job share its checkpoints: the old one has to be gone.
  return std::none_of(attempts_.begin(), attempts_.end(), [&](const auto& each) {
    const WorkerAttempt& other = each.second;
    return other.work.id.job == attempt.work.id.job && other.work.id != attempt.work.id &&
           (other.state == AttemptState::kInTrainer || other.state == AttemptState::kStopping);
  });
}

void Session::StartWaiting(Milliseconds now) {
  std::vector<WorkerAttempt*> waiting;
  for (auto& [id, attempt] : attempts_) {
    if (CanStart(attempt, now)) waiting.push_back(&attempt);
  }
  std::sort(waiting.begin(), waiting.end(),
            [](const WorkerAttempt* a, const WorkerAttempt* b) { return a->arrival < b->arrival; });
  for (WorkerAttempt* attempt : waiting) {
    attempt->state = AttemptState::kInTrainer;
    attempt->phase = v1::AttemptReport::PREPARING;
    ++attempt->sends;
    actions_.push_back(SendTraining{attempt->device, attempt->work.id, attempt->work.spec_json,
                                    attempt->base_dir, attempt->data, attempt->work.pinned_json});
  }
}

Milliseconds Session::QuietLimit(const WorkerAttempt& attempt) const {
  if (options_.trainer_silence == Milliseconds(0)) return Milliseconds::max();
  return std::max(options_.trainer_silence, kSilencesOfPace * attempt.longest_silence);
}

Milliseconds Session::WatchGap() const {
  if (options_.trainer_silence == Milliseconds(0)) return kWatchGap;
  return std::clamp(options_.trainer_silence / 4, Milliseconds(100), kWatchGap);
}

void Session::EndSilence(int device, Milliseconds now) {
  Milliseconds& quiet = quiet_[static_cast<size_t>(device)];
  const WorkerAttempt* worked_on = WorkedOn(device);
  if (worked_on != nullptr && last_poll_ >= Milliseconds(0)) {
    WorkerAttempt& attempt = attempts_.at(worked_on->work.id);
    const Milliseconds silence = quiet + std::clamp(now - last_poll_, Milliseconds(0), kWatchGap);
    attempt.longest_silence = std::max(attempt.longest_silence, silence);
  }
  quiet = Milliseconds(0);
}

void Session::CountSilence(Milliseconds now) {
  const Milliseconds passed =
      last_poll_ < Milliseconds(0) ? Milliseconds(0) : std::min(now - last_poll_, kWatchGap);
  last_poll_ = now;
  for (int i = 0; i < options_.devices; ++i) {
    Milliseconds& quiet = quiet_[static_cast<size_t>(i)];
    const WorkerAttempt* attempt = WorkedOn(i);
    quiet = attempt == nullptr ? Milliseconds(0) : quiet + passed;
    if (attempt == nullptr || quiet < QuietLimit(*attempt)) continue;
    devices_[static_cast<size_t>(i)].Condemn(
        absl::StrCat("said nothing for ", quiet.count() / 1000,
                     " s and was killed (the worker's --trainer-silence)"));
  }
}

void Session::KillWhatHangs(Milliseconds now) {
  CountSilence(now);
  for (const auto& [id, attempt] : attempts_) {
    if (attempt.state == AttemptState::kStopping && !attempt.let_go &&
        now >= attempt.stop_deadline) {
      devices_[static_cast<size_t>(attempt.device)].Condemn();
    }
  }
  for (int i = 0; i < options_.devices; ++i) {
    if (devices_[static_cast<size_t>(i)].ShouldKill(now)) actions_.push_back(KillTrainer{i});
  }
}

void Session::Stop(Milliseconds now) {
  if (stopping()) return;
  stop_at_ = now;
  std::vector<AttemptId> ids;
  for (const auto& [id, attempt] : attempts_) ids.push_back(id);
  for (const AttemptId& id : ids) {
    WorkerAttempt& attempt = attempts_.at(id);
    const bool over =
        attempt.state == AttemptState::kFinished || attempt.state == AttemptState::kFailed;
    if (over) continue;
    if (attempt.state == AttemptState::kUploading) {
      EndWork(attempt, "stopped: the worker ends", now);
    } else {
      HandBack(attempt, "stopped: the worker ends", now);
    }
  }
  for (int i = 0; i < options_.devices; ++i) {
    Device& device = devices_[static_cast<size_t>(i)];
    if (!device.down()) actions_.push_back(EndTrainer{i});
    device.Retire();
  }
  calls_.UrgentNews();
}

bool Session::Over(Milliseconds now) const {
  if (!stopping()) return false;
  const bool uploads = std::any_of(attempts_.begin(), attempts_.end(), [](const auto& each) {
    return each.second.hands_back && each.second.checkpoint_uploads;
  });
  if (now >= stop_at_ + (uploads ? options_.handover_within : options_.stop_within)) return true;
  return attempts_.empty() && std::all_of(devices_.begin(), devices_.end(),
                                          [](const Device& device) { return device.down(); });
}

std::vector<Action> Session::Poll(Milliseconds now) {
  KillWhatHangs(now);
  StartWaiting(now);
  for (int i = 0; i < options_.devices; ++i) {
    if (devices_[static_cast<size_t>(i)].ShouldStart(now)) actions_.push_back(StartTrainer{i});
  }
  if (FreeSlots() > slots_told_) calls_.UrgentNews();
  // With nothing more to report, a worker that ends does not call.
  const bool silent = stopping() && attempts_.empty();
  if (CallSchedule::Call call; !silent && calls_.Start(now, &call)) {
    slots_told_ = FreeSlots();
    free_told_ = FreeBytes();
    told_.clear();
    for (const auto& [id, attempt] : attempts_) {
      if (attempt.reported) told_.push_back(id);
    }
    actions_.push_back(MakeCall{call, Request(call)});
  }
  return std::exchange(actions_, {});
}

Milliseconds Session::NextDue(Milliseconds now) const {
  Milliseconds due = stopping() ? stop_at_ + options_.stop_within : Milliseconds::max();
  if (!(stopping() && attempts_.empty())) due = std::min(due, calls_.NextDue(now));
  for (const Device& device : devices_) due = std::min(due, device.NextDue());
  for (const auto& [id, attempt] : attempts_) {
    if (attempt.state == AttemptState::kStopping && !attempt.let_go) {
      const Device& device = devices_[static_cast<size_t>(attempt.device)];
      if (now < attempt.stop_deadline && !device.down()) due = std::min(due, attempt.stop_deadline);
    }
    if (attempt.state == AttemptState::kInTrainer) due = std::min(due, last_poll_ + WatchGap());
  }
  return actions_.empty() ? std::max(due, now) : now;
}

uint64_t Session::base_loads() const {
  uint64_t sum = 0;
  for (const Device& device : devices_) sum += device.base_loads();
  return sum;
}

uint64_t Session::trainer_restarts() const {
  uint64_t sum = 0;
  for (const Device& device : devices_) sum += device.restarts();
  return sum;
}

uint64_t Session::memory_bytes() const {
  uint64_t sum = 0;
  for (uint64_t bytes : resident_bytes_) sum += bytes;
  return sum;
}

const WorkerAttempt* Session::WorkedOn(int device) const {
  const WorkerAttempt* first = nullptr;
  for (const auto& [id, attempt] : attempts_) {
    if (attempt.device != device || attempt.state != AttemptState::kInTrainer) continue;
    if (first == nullptr || attempt.arrival < first->arrival) first = &attempt;
  }
  return first;
}

const WorkerAttempt* Session::RunningOn(int device) const {
  const WorkerAttempt* running = nullptr;
  for (const auto& [id, attempt] : attempts_) {
    if (attempt.device != device || !attempt.heard_of || attempt.let_go) continue;
    if (attempt.state != AttemptState::kInTrainer && attempt.state != AttemptState::kStopping) {
      continue;
    }
    if (running == nullptr || attempt.arrival < running->arrival) running = &attempt;
  }
  return running;
}

}  // namespace mozgach
