// The session and the scheduler: what it is told, and the orders it obeys.
#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/chat_facts.h"
#include "worker/session/session.h"

namespace mozgach {
namespace {

// Attempts of one device beyond which no more are taken: one that runs, one that waits its turn.
constexpr int kAttemptsPerDevice = 2;

}  // namespace

void Session::Answered(int64_t call, const v1::SynchronizeResponse& answer, Milliseconds now) {
  const Milliseconds sent_at = calls_.sent_at();
  if (!calls_.Answered(call, now, Milliseconds(answer.lease_ms()),
                       Milliseconds(answer.call_again_ms()))) {
    return;
  }
  last_answer_at_ = now;
  draining_ = answer.drain();
  configs_wanted_ = {answer.wanted_configs().begin(), answer.wanted_configs().end()};
  if (!configs_wanted_.empty()) calls_.UrgentNews();
  const Milliseconds lease_ends = sent_at + Milliseconds(answer.lease_ms());
  const bool restored = answer.scheduler_incarnation() != scheduler_incarnation_;
  scheduler_incarnation_ = answer.scheduler_incarnation();
  for (const AttemptId& id : std::exchange(told_, {})) {
    const bool named =
        !restored && std::any_of(answer.assignments().begin(), answer.assignments().end(),
                                 [&](const auto& each) {
                                   return AttemptId{each.job(), each.attempt()} == id;
                                 });
    WorkerAttempt* attempt = Find(id);
    if (!named && attempt != nullptr && attempt->reported) Drop(*attempt, now);
  }
  for (const v1::Assignment& assignment : answer.assignments()) Obey(assignment, lease_ends, now);
  if (answer.replaced()) GiveWay(now);
}

void Session::GiveWay(Milliseconds now) {
  replaced_ = true;
  std::vector<AttemptId> ids;
  for (const auto& [id, attempt] : attempts_) ids.push_back(id);
  for (const AttemptId& id : ids) {
    WorkerAttempt& attempt = attempts_.at(id);
    if (attempt.reported) Drop(attempt, now);
  }
  Stop(now);
}

void Session::CallFailed(int64_t call, const absl::Status& status, Milliseconds now) {
  if (calls_.Failed(call, now)) told_.clear();
}

void Session::Obey(const v1::Assignment& assignment, Milliseconds lease_ends, Milliseconds now) {
  WorkerAttempt* attempt = Find({assignment.job(), assignment.attempt()});
  const bool wanted = assignment.desired() == v1::Assignment::RUN ||
                      assignment.desired() == v1::Assignment::DESIRED_UNSPECIFIED;
  if (attempt == nullptr) {
    if (wanted && !assignment.spec_json().empty() && !stopping()) Accept(assignment, lease_ends);
    return;
  }
  if (!attempt->reported) return;  // it is on its way out
  attempt->lease_ends = lease_ends;
  switch (assignment.desired()) {
    case v1::Assignment::PUBLISHED:
      Log(*attempt, "published");
      attempt->job_over = true;
      Drop(*attempt, now);
      return;
    case v1::Assignment::UPLOAD_AGAIN:
      UploadAgain(*attempt);
      return;
    case v1::Assignment::STOP:
      if (std::exchange(attempt->job_over, true)) return;
      EndWork(*attempt, "stopped: it was cancelled", now);
      return;
    case v1::Assignment::HAND_BACK:
      HandBack(*attempt, "stopped: this worker drains; another goes on from its checkpoint", now);
      return;
    default:
      return;
  }
}

void Session::Accept(const v1::Assignment& assignment, Milliseconds lease_ends) {
  const AttemptId id{assignment.job(), assignment.attempt()};
  WorkerAttempt& attempt = attempts_[id];
  attempt.work.id = id;
  attempt.work.domain = assignment.domain();
  attempt.lease_ends = lease_ends;
  attempt.arrival = ++arrivals_;
  calls_.UrgentNews();
  absl::StatusOr<Work> work = ReadWork(assignment);
  if (!work.ok()) {
    Fail(attempt, v1::Failure::USER, std::string(work.status().message()));
    return;
  }
  attempt.work = *std::move(work);
  attempt.device = ChooseDevice(attempt.work.base, assignment.device());
  Log(attempt, absl::StrCat("attempt ", id.attempt, " of job ", id.job, " (", attempt.work.domain,
                            ", base ", attempt.work.base, ") on worker ", options_.name));
  if (assignment.has_checkpoint()) {
    attempt.checkpoint = assignment.checkpoint();
    attempt.checkpoint_here = false;
    actions_.push_back(FetchHandover{id, assignment.checkpoint()});
  }
  Provide(attempt, assignment);
}

void Session::UploadAgain(WorkerAttempt& attempt) {
  if (attempt.state != AttemptState::kFinished) return;
  attempt.state = AttemptState::kUploading;
  Log(attempt, "the scheduler misses files of the adapter: uploading them again");
  actions_.push_back(UploadAdapter{attempt.work.id});
  calls_.UrgentNews();
}

void Session::EndWork(WorkerAttempt& attempt, const std::string& why, Milliseconds now) {
  const bool at_work = attempt.OccupiesDevice() || attempt.state == AttemptState::kUploading;
  if (at_work && attempt.state != AttemptState::kStopping) Log(attempt, why);
  calls_.UrgentNews();
  switch (attempt.state) {
    case AttemptState::kInTrainer:
      attempt.state = AttemptState::kStopping;
      attempt.stop_deadline =
          now + (attempt.hands_back ? options_.hand_back_within : options_.cancel_within);
      // A worker that ends asks its trainers to exit.
      if (!stopping()) {
        actions_.push_back(CancelTraining{attempt.device, attempt.work.id, attempt.hands_back});
      }
      return;
    case AttemptState::kStopping:
      if (attempt.reported && !attempt.job_over) return;
      // Nobody waits for its checkpoint any more.
      if (std::exchange(attempt.hands_back, false) && !attempt.let_go) {
        attempt.stop_deadline = now + options_.cancel_within;
        if (!stopping()) actions_.push_back(CancelTraining{attempt.device, attempt.work.id});
      }
      if (!attempt.let_go) return;
      actions_.push_back(AbortTransfers{attempt.work.id});
      break;
    case AttemptState::kFetching:
    case AttemptState::kUploading:
      actions_.push_back(AbortTransfers{attempt.work.id});
      break;
    default:
      break;
  }
  Settle(attempt);
}

void Session::Drop(WorkerAttempt& attempt, Milliseconds now) {
  attempt.reported = false;
  EndWork(attempt, "stopped: the scheduler wants no more of this attempt", now);
}

int Session::ChooseDevice(const std::string& base, const std::string& wanted) const {
  for (int i = 0; i < options_.devices && !wanted.empty(); ++i) {
    if (devices_[static_cast<size_t>(i)].info().device_name == wanted) return i;
  }
  std::vector<int> load(devices_.size(), 0);
  for (const auto& [id, attempt] : attempts_) {
    if (attempt.OccupiesDevice()) ++load[static_cast<size_t>(attempt.device)];
  }
  const auto cost = [&](int i) {
    const Device& device = devices_[static_cast<size_t>(i)];
    return std::tuple(!device.up(), load[static_cast<size_t>(i)], device.loaded_base() != base);
  };
  int best = 0;
  for (int i = 1; i < options_.devices; ++i) {
    if (cost(i) < cost(best)) best = i;
  }
  return best;
}

v1::Device Session::Describe(int index) const {
  const Device& device = devices_[static_cast<size_t>(index)];
  const TrainerReady& info = device.info();
  v1::Device out;
  out.set_name(info.device_name);
  out.set_kind(info.device_kind);
  const uint64_t bound = options_.memory_bytes > 0 ? options_.memory_bytes : UINT64_MAX;
  uint64_t free = info.memory_free_bytes;
  if (info.device_name == "cpu" && host_.available_bytes > 0) {
    const auto place = static_cast<size_t>(index);
    free = host_.available_bytes + resident_bytes_[place] - mapped_bytes_[place];
    out.set_memory_pool(host_.pool);
    out.set_memory_pool_free_bytes(free);
  }
  out.set_memory_total_bytes(std::min(bound, info.memory_total_bytes));
  out.set_memory_free_bytes(std::min({bound, info.memory_total_bytes, free}));
  out.set_loaded_base(device.loaded_base());
  out.set_free_slots(FreeSlotsOf(index));
  return out;
}

uint64_t Session::FreeBytes() const {
  uint64_t sum = 0;
  for (int i = 0; i < options_.devices; ++i) {
    if (FreeSlotsOf(i) > 0) sum += Describe(i).memory_free_bytes();
  }
  return sum;
}

v1::SynchronizeRequest Session::Request(const CallSchedule::Call& call) const {
  v1::SynchronizeRequest request;
  request.set_worker(options_.name);
  request.set_incarnation(options_.incarnation);
  request.set_version(options_.version);
  for (int i = 0; i < options_.devices; ++i) {
    if (devices_[static_cast<size_t>(i)].up()) *request.add_devices() = Describe(i);
  }
  for (const auto& [name, base] : bases_.all()) {
    v1::Base* out = request.add_bases();
    out->set_name(name);
    for (const auto& [revision, directory] : base.revisions) out->add_revisions(revision);
    out->set_size_bytes(base.size_bytes);
    out->set_digest(base.digest);
    out->set_problem(base.problem);
    out->set_config_digest(base.config_digest);
    if (configs_wanted_.contains(name)) out->set_config_json(base.config_json);
    if (base.chat.has_value()) *out->mutable_chat() = ToChatFacts(*base.chat);
  }
  for (const auto& [id, fetch] : base_fetches_) *request.add_base_fetches() = fetch;
  request.set_base_room_bytes(base_room_bytes_);
  request.set_base_bytes_fetched(base_bytes_fetched_);
  for (const auto& [id, attempt] : attempts_) {
    if (!attempt.reported) continue;
    const Device& device = devices_[static_cast<size_t>(attempt.device)];
    *request.add_attempts() = ReportOf(attempt, device.info().device_name);
  }
  request.set_free_slots(FreeSlots());
  request.set_wait_ms(static_cast<uint64_t>(call.hold.count()));
  request.set_sequence(static_cast<uint64_t>(call.number));
  request.set_draining(draining_ || stopping());
  request.set_scheduler_incarnation(scheduler_incarnation_);
  request.set_base_loads(base_loads());
  request.set_trainer_restarts(trainer_restarts());
  request.set_memory_bytes(memory_bytes());
  return request;
}

bool Session::NearsItsEnd(const WorkerAttempt& attempt) const {
  if (attempt.state != AttemptState::kInTrainer) return false;
  if (attempt.phase == v1::AttemptReport::EVALUATING) return true;
  if (attempt.phase != v1::AttemptReport::TRAINING || attempt.step_seconds <= 0) return false;
  const double left = static_cast<double>(attempt.progress.steps() - attempt.progress.step());
  return left * attempt.step_seconds * 1000 <= static_cast<double>(options_.prefetch.count());
}

uint32_t Session::FreeSlots() const {
  uint32_t slots = 0;
  for (int i = 0; i < options_.devices; ++i) slots += FreeSlotsOf(i);
  return slots;
}

uint32_t Session::FreeSlotsOf(int device) const {
  if (stopping() || draining_ || !devices_[static_cast<size_t>(device)].up()) return 0;
  int occupants = 0;
  bool room = true;  // behind those that are there
  for (const auto& [id, attempt] : attempts_) {
    if (attempt.device != device || !attempt.OccupiesDevice()) continue;
    ++occupants;
    room = room && NearsItsEnd(attempt);
  }
  return occupants == 0 || (room && occupants < kAttemptsPerDevice) ? 1 : 0;
}

}  // namespace mozgach
