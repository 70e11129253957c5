// A session's life from one seed: a scheduler, a trainer and a disk that do things late, wrong, or
// not at all, and then heal.  Whatever happened, every job ends published, and nothing is left
// behind.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>
#include <set>

#include "tests/worker/session/session_fixture.h"

namespace mozgach {
namespace {

constexpr Milliseconds kLeaseTime{30'000};

class World {
 public:
  World(uint64_t seed, FoundBases bases)
      : random_(seed), session_(SessionOptions{.name = "host", .incarnation = "1", .seed = seed}) {
    session_.BasesFound(std::move(bases));
    for (int64_t job = 1; job <= 4; ++job) jobs_[job] = Job{};
  }

  void Live() {
    for (int i = 0; i < 300; ++i) Turn();
    healed_ = true;
    for (int i = 0; i < 3'000 && !AllDone(); ++i) Turn();
  }

  bool AllDone() const {
    return session_.attempts().empty() &&
           std::all_of(jobs_.begin(), jobs_.end(), [](const auto& job) {
             return job.second.published == 1 || job.second.cancelled;
           });
  }
  const std::string& wrong() const { return wrong_; }

 private:
  struct Job {
    int64_t attempt = 0;
    bool running = false;
    bool cancelled = false;
    int published = 0;
    Milliseconds lease_ends{0};
  };

  bool Chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
  bool Fault(int percent) { return !healed_ && Chance(percent); }
  void Check(bool holds, const char* what) {
    if (!holds && wrong_.empty()) wrong_ = what;
  }

  // Time passes, something happens, and the session acts on it.
  void Turn() {
    const Milliseconds due = session_.NextDue(now_);
    Check(due >= now_, "due in the past");
    now_ = std::min(due, now_ + Milliseconds(random_() % 400));
    if (Fault(1)) now_ += kLeaseTime * 2;  // a laptop that slept
    AnswerCall();
    TrainerActs();
    FinishTransfers();
    if (Fault(1)) jobs_.at(1 + static_cast<int64_t>(random_() % 4)).cancelled = true;
    bool killed = false;
    for (const Action& action : session_.Poll(now_)) {
      std::visit([this](const auto& each) { Do(each); }, action);
      killed = killed || std::holds_alternative<KillTrainer>(action);
    }
    for (const Action& action : session_.Poll(now_)) {
      // A trainer that was killed is news.
      const bool is_news = killed && std::holds_alternative<MakeCall>(action);
      Check(is_news || std::holds_alternative<WriteLog>(action), "it is never done at one time");
      std::visit([this](const auto& each) { Do(each); }, action);
    }
  }

  void AnswerCall() {
    if (!call_.has_value() || Fault(70)) return;
    if (Fault(20)) {
      session_.CallFailed(call_->call.number, absl::UnavailableError("down"), now_);
    } else {
      const v1::SynchronizeResponse response = Decide(call_->request);
      if (Fault(10)) return;  // the answer is lost, what it did is not
      session_.Answered(call_->call.number, response, now_);
    }
    call_.reset();
  }

  v1::SynchronizeResponse Decide(const v1::SynchronizeRequest& request) {
    v1::SynchronizeResponse response;
    response.set_lease_ms(kLeaseTime.count());
    std::set<int64_t> named;
    for (auto& [id, job] : jobs_) {
      if (job.running && now_ > job.lease_ends) job.running = false;
    }
    for (const auto& report : request.attempts()) {
      Check(named.insert(report.job()).second, "two attempts of one job are reported");
      Hear(report, jobs_.at(report.job()), response);
    }
    int slots = static_cast<int>(request.free_slots());
    for (auto& [id, job] : jobs_) {
      if (named.contains(id) || job.published > 0 || job.cancelled) continue;
      if (!job.running && slots <= 0) continue;
      if (!job.running) ++job.attempt;
      --slots;
      job.running = true;
      job.lease_ends = now_ + kLeaseTime;
      v1::Assignment* assignment = response.add_assignments();
      assignment->set_job(id);
      assignment->set_attempt(job.attempt);
      assignment->set_desired(v1::Assignment::RUN);
      // Every other job wants a base that has to come from the scheduler.
      const bool comes = id % 2 == 0;
      assignment->set_spec_json(comes ? R"({"base": "big/one"})" : R"({"base": "mozgach/tiny"})");
      if (comes) assignment->mutable_base()->set_base("big/one");
      if (job.attempt > 1 && Chance(50)) assignment->mutable_checkpoint()->set_step(2);
    }
    return response;
  }

  void Hear(const v1::AttemptReport& report, Job& job, v1::SynchronizeResponse& response) {
    const bool current = job.running && report.attempt() == job.attempt;
    const bool again = job.published > 0 && report.attempt() == job.attempt;
    if (!current && !again) return;
    const bool over =
        report.phase() == v1::AttemptReport::FAILED || report.phase() == v1::AttemptReport::STOPPED;
    if (over) {
      job.running = false;
      return;
    }
    v1::Assignment* assignment = response.add_assignments();
    assignment->set_job(report.job());
    assignment->set_attempt(report.attempt());
    job.lease_ends = now_ + kLeaseTime;
    const bool finished = report.phase() == v1::AttemptReport::FINISHED;
    assignment->set_desired(v1::Assignment::RUN);
    if (job.cancelled && !again) {
      assignment->set_desired(v1::Assignment::STOP);
    } else if (!finished && Fault(3)) {
      assignment->set_desired(v1::Assignment::HAND_BACK);
    } else if (finished && Fault(20)) {
      assignment->set_desired(v1::Assignment::UPLOAD_AGAIN);
    } else if (finished) {
      assignment->set_desired(v1::Assignment::PUBLISHED);
      job.published = 1;
      job.running = false;
    }
  }

  void TrainerActs() {
    if (starting_ && Chance(50)) {
      starting_ = false;
      if (Fault(30)) return Die();
      up_ = true;
      session_.TrainerSaid(0, TrainerReady{.device_name = "cpu"}, now_);
    }
    if (!up_) return;
    if (Fault(2)) return Die();
    if (queue_.empty() || Fault(40)) return;
    const AttemptId id = queue_.front();
    if (cancelled_.contains(id)) {
      queue_.pop_front();
      if (step_ > 0) session_.TrainerSaid(0, TrainerCheckpoint{id, step_}, now_);
      step_ = 0;
      session_.TrainerSaid(0, TrainerCancelled{id}, now_);
      return;
    }
    step_ += 5;
    session_.TrainerSaid(0, TrainerPhase{id, v1::AttemptReport::TRAINING, ""}, now_);
    session_.TrainerSaid(0, TrainerStep{.id = id, .step = step_, .steps = 20}, now_);
    if (step_ % 10 == 0) session_.TrainerSaid(0, TrainerCheckpoint{id, step_}, now_);
    if (step_ < 20) return;
    step_ = 0;
    queue_.pop_front();
    if (Fault(10)) {
      session_.TrainerSaid(0, TrainerFailed{id, {}}, now_);
    } else {
      session_.TrainerSaid(0, TrainerDone{.id = id}, now_);
    }
  }

  void Die() {
    up_ = starting_ = false;
    step_ = 0;
    queue_.clear();
    cancelled_.clear();
    session_.TrainerExited(0, "died", now_);
  }

  void FinishTransfers() {
    std::vector<AttemptId> fetched, uploaded;
    for (const AttemptId& id : fetches_) {
      if (!Fault(60)) fetched.push_back(id);
    }
    for (const AttemptId& id : uploads_) {
      if (!Fault(60)) uploaded.push_back(id);
    }
    for (const AttemptId& id : fetched) {
      fetches_.erase(id);
      absl::StatusOr<DatasetPaths> paths = DatasetPaths{};
      if (Fault(5)) paths = absl::ResourceExhaustedError("disk full");
      session_.DatasetsFetched(id, paths);
    }
    for (const AttemptId& id : std::set<AttemptId>(base_fetches_)) {
      if (Fault(60)) {
        session_.BaseProgress(id, v1::BaseFetch());
        continue;
      }
      base_fetches_.erase(id);
      absl::StatusOr<std::string> directory = std::string("/bases/big");
      if (Fault(5)) directory = absl::ResourceExhaustedError("no room");
      session_.BaseFetched(id, directory);
    }
    for (const auto& [id, step] : std::exchange(uploading_, {})) {
      v1::Checkpoint checkpoint;
      checkpoint.set_step(step);
      session_.CheckpointUploaded(
          id, Fault(20) ? absl::StatusOr<v1::Checkpoint>(absl::InternalError("disk full"))
                        : checkpoint);
    }
    for (const AttemptId& id : std::exchange(fetching_, {})) {
      session_.CheckpointFetched(id, Fault(20) ? absl::NotFoundError("gone") : absl::OkStatus());
    }
    for (const AttemptId& id : uploaded) {
      uploads_.erase(id);
      session_.Uploaded(id, std::vector<v1::File>(1));
    }
  }

  void Do(const StartTrainer&) {
    Check(!up_ && !starting_, "two trainers on one device");
    starting_ = true;
  }
  void Do(const KillTrainer&) { Die(); }
  void Do(const EndTrainer&) {}
  void Do(const SendTraining& action) {
    for (const AttemptId& id : queue_) Check(id.job != action.id.job, "one job twice in a trainer");
    Check(!action.base_dir.empty(), "a training without a base");
    Check(!fetches_.contains(action.id) && !base_fetches_.contains(action.id),
          "a training before all of it is here");
    Check(!fetching_.contains(action.id), "a training before its checkpoint is here");
    queue_.push_back(action.id);
    Check(queue_.size() <= 4, "more than the trainer queues");
  }
  void Do(const CancelTraining& action) {
    if (!Fault(10)) cancelled_.insert(action.id);  // or it is deaf
  }
  void Do(const FetchDatasets& action) { fetches_.insert(action.id); }
  void Do(const FetchBase& action) { base_fetches_.insert(action.id); }
  void Do(const FetchHandover& action) { fetching_.insert(action.id); }
  void Do(const UploadHandover& action) {
    Check(uploading_.emplace(action.id, action.step).second, "two uploads of one attempt at once");
  }
  void Do(const UploadAdapter& action) { uploads_.insert(action.id); }
  void Do(const AbortTransfers& action) {
    fetches_.erase(action.id);
    base_fetches_.erase(action.id);
    uploads_.erase(action.id);
    fetching_.erase(action.id);
    uploading_.erase(action.id);
  }
  void Do(const ForgetAttempt& action) {
    for (const AttemptId& id : queue_) Check(id != action.id, "forgotten while the trainer has it");
  }
  void Do(const WriteLog&) {}
  void Do(const RescanBases&) {}
  void Do(const MakeCall& action) { call_ = action; }

  std::mt19937_64 random_;
  Session session_;
  Milliseconds now_{1'000};
  bool healed_ = false;
  std::string wrong_;
  std::map<int64_t, Job> jobs_;
  std::optional<MakeCall> call_;
  bool starting_ = false;
  bool up_ = false;
  int64_t step_ = 0;
  std::deque<AttemptId> queue_;
  std::set<AttemptId> cancelled_;
  std::set<AttemptId> fetches_;
  std::set<AttemptId> base_fetches_;
  std::set<AttemptId> uploads_;
  std::set<AttemptId> fetching_;
  std::map<AttemptId, int64_t> uploading_;  // and the step
};

class SessionLifeTest : public SessionFixture {};

TEST_F(SessionLifeTest, EveryJobEndsOnceWhateverHappenedBefore) {
  const FoundBases bases = TinyBase();
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    World world(seed, bases);
    world.Live();
    ASSERT_EQ(world.wrong(), "") << "seed " << seed;
    ASSERT_TRUE(world.AllDone()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace mozgach
