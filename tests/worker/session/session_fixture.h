// SessionFixture: a session with one device, moved by hand through time, calls and trainer events.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "worker/session/session.h"

namespace mozgach {

class SessionFixture : public ::testing::Test {
 protected:
  static constexpr Milliseconds kLease{30'000};

  SessionFixture() { Begin({}); }

  // Starts over.  The base mozgach/tiny is here.
  void Begin(SessionOptions options) {
    options.name = "host";
    options.incarnation = "one";
    session_.emplace(options);
    actions_.clear();
    session_->BasesFound(TinyBase());
    Poll();
  }

  static FoundBases TinyBase() {
    const auto folder = std::filesystem::path(::testing::TempDir()) / "session_fixture_bases";
    std::filesystem::create_directories(folder / "mozgach/tiny");
    for (const char* name : {"config.json", "tokenizer.json", "model.safetensors"}) {
      std::ofstream(folder / "mozgach/tiny" / name) << "";
    }
    return FoundBases::Scan({folder});
  }

  void Poll() {
    for (Action& action : session_->Poll(now_)) actions_.push_back(std::move(action));
  }

  // Moves time and lets the session do what is due on the way.
  void Pass(Milliseconds time) {
    const Milliseconds end = now_ + time;
    for (int turns = 0; turns < 10'000; ++turns) {
      const Milliseconds due = session_->NextDue(now_);
      if (due > end) break;
      now_ = std::max(now_ + Milliseconds(1), due);
      Poll();
    }
    now_ = std::max(now_, end);
    Poll();
  }

  // The first action of this kind since it was last asked for; the others stay.
  template <typename Kind>
  std::optional<Kind> Take() {
    for (auto it = actions_.begin(); it != actions_.end(); ++it) {
      if (Kind* kind = std::get_if<Kind>(&*it)) {
        Kind taken = std::move(*kind);
        actions_.erase(it);
        return taken;
      }
    }
    return std::nullopt;
  }

  // The newest call, older ones forgotten.
  std::optional<MakeCall> TakeCall() {
    std::optional<MakeCall> last;
    while (auto call = Take<MakeCall>()) last = std::move(call);
    if (last.has_value()) call_ = last->call.number;
    return last;
  }

  static v1::Assignment Whole(int64_t job, int64_t attempt = 1) {
    v1::Assignment assignment = Named(job, attempt);
    assignment.set_domain("domain" + std::to_string(job));
    assignment.set_spec_json(R"({"base": "mozgach/tiny", "domain": "d"})");
    return assignment;
  }

  static v1::Assignment Named(int64_t job, int64_t attempt = 1,
                              v1::Assignment::Desired desired = v1::Assignment::RUN) {
    v1::Assignment assignment;
    assignment.set_job(job);
    assignment.set_attempt(attempt);
    assignment.set_desired(desired);
    return assignment;
  }

  // The scheduler answers the newest call.
  void Answer(const std::vector<v1::Assignment>& assignments) {
    TakeCall();
    v1::SynchronizeResponse response;
    for (const auto& each : assignments) *response.add_assignments() = each;
    response.set_lease_ms(static_cast<uint64_t>(kLease.count()));
    session_->Answered(call_, response, now_);
    Poll();
  }

  // …and all that follow at once.
  void Settle(const std::vector<v1::Assignment>& assignments) {
    do {
      Answer(assignments);
    } while (std::any_of(actions_.begin(), actions_.end(), [](const Action& action) {
      return std::holds_alternative<MakeCall>(action);
    }));
  }

  void FailCall() {
    TakeCall();
    session_->CallFailed(call_, absl::UnavailableError("nobody there"), now_);
    Poll();
  }

  template <typename Event>
  void Say(const Event& event) {
    session_->TrainerSaid(0, event, now_);
    Poll();
  }

  void TrainerUp() { Say(TrainerReady{.device_name = "cpu", .memory_total_bytes = 1000}); }

  // An attempt of `job` that is in the trainer.
  void GiveToTrainer(int64_t job, int64_t attempt = 1) {
    Answer({Whole(job, attempt)});
    session_->DatasetsFetched({job, attempt}, DatasetPaths{.train = {"/data"}});
    Poll();
  }

  // …and makes steps.
  void Train(int64_t job, int64_t step, int64_t steps, int64_t attempt = 1) {
    Say(TrainerPhase{{job, attempt}, v1::AttemptReport::TRAINING, ""});
    Say(TrainerStarted{.id = {job, attempt}, .steps = steps});
    now_ += Milliseconds(100) * step;
    Say(TrainerStep{
        .id = {job, attempt}, .step = step, .steps = steps, .loss = 1.5, .mean_loss = 1.5});
  }

  std::optional<v1::AttemptReport> Reported(const MakeCall& call, int64_t job) const {
    for (const auto& report : call.request.attempts()) {
      if (report.job() == job) return report;
    }
    return std::nullopt;
  }

  const WorkerAttempt& attempt(int64_t job, int64_t number = 1) {
    return session_->attempts().at({job, number});
  }

  std::optional<Session> session_;
  std::vector<Action> actions_;
  Milliseconds now_{1'000};
  int64_t call_ = 0;
};

}  // namespace mozgach
