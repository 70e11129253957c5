#include "tests/sim/trainer.h"

#include <algorithm>
#include <utility>

#include "nlohmann/json.hpp"

namespace mozgach::sim {
namespace {

// The chance that a training goes wrong in a sick hour, at each moment at which it may.
constexpr double kSickness = 0.12;
// One domain in so many can never be trained.
constexpr uint64_t kOneInHopeless = 40;

}  // namespace

void Trainer::Later(Milliseconds wait, std::function<void()> next) {
  agenda_.After(wait, [self = shared_from_this(), next = std::move(next)] {
    if (!self->alive_) return;
    const Milliseconds until = self->listener_.frozen_until();
    if (until > self->agenda_.now()) {
      self->Later(until - self->agenda_.now(), next);
      return;
    }
    next();
  });
}

void Trainer::LaterInTraining(Milliseconds wait, std::function<void()> next) {
  Later(wait, [this, training = training_, next = std::move(next)] {
    if (busy_ && training == training_ && !hangs_) next();
  });
}

void Trainer::Start() {
  Later(dice_.Between(Milliseconds(100), Milliseconds(3000)), [this] {
    if (listener_.sick() && dice_.Chance(0.3)) return Exit("left with 1", false);
    listener_.said(ready_);
  });
}

void Trainer::Train(const SendTraining& training, int64_t step) {
  line_.emplace_back(training, step);
  if (!busy_) Next();
}

void Trainer::Next() {
  busy_ = false;
  if (line_.empty()) return;
  const auto [training, step] = std::move(line_.front());
  line_.pop_front();
  Begin(training, step);
}

void Trainer::Begin(const SendTraining& training, int64_t step) {
  busy_ = true;
  ++training_;
  const auto spec = nlohmann::json::parse(training.spec_json, nullptr, false);
  course_ = {.id = training.id,
             .domain = spec.value("domain", ""),
             .step = step,
             .steps = 2 + static_cast<int64_t>(Mix(19, spec.value("domain", "")) % 5),
             .each = dice_.Between(Milliseconds(300), Milliseconds(4000))};
  const std::string base = spec.value("base", "");
  LaterInTraining(dice_.Between(Milliseconds(10), Milliseconds(500)), [this, base] {
    listener_.said(TrainerPhase{course_.id, v1::AttemptReport::PREPARING, ""});
    if (Mix(17, course_.domain) % kOneInHopeless == 0) {
      const bool user = Mix(18, course_.domain) % 2 == 0;
      return Fail(user ? v1::Failure::USER : v1::Failure::DATA, "it can never be trained");
    }
    if (GoesWrong()) return;
    if (base != loaded_base_) {
      loaded_base_ = base;
      listener_.said(TrainerBaseLoaded{base, 1.0, ++base_loads_});
    }
    listener_.said(TrainerPhase{course_.id, v1::AttemptReport::TRAINING, ""});
    listener_.said(TrainerStarted{.id = course_.id,
                                  .step = course_.step,
                                  .steps = course_.steps,
                                  .train_rows = 100,
                                  .trainable_parameters = 1000,
                                  .pinned_json = R"({"compute_dtype":"float32","threads":2})"});
    LaterInTraining(course_.each,
                    [this] { course_.step < course_.steps ? MakeStep() : Evaluate(); });
  });
}

void Trainer::Save() {
  if (course_.step > 0) listener_.said(TrainerCheckpoint{course_.id, course_.step});
}

void Trainer::MakeStep() {
  if (GoesWrong()) return;
  ++course_.step;
  if (listener_.sick() && dice_.Chance(kSickness)) {
    listener_.said(TrainerSteppedDown{course_.id, "needs less", R"({"rung":1})"});
  }
  listener_.said(TrainerStep{.id = course_.id,
                             .step = course_.step,
                             .steps = course_.steps,
                             .loss = 2.0 / static_cast<double>(course_.step),
                             .step_loss = 2.0 / static_cast<double>(course_.step),
                             .mean_loss = 2.0 / static_cast<double>(course_.step),
                             .tokens = 1000,
                             .tokens_per_second = 500});
  if (course_.step == course_.steps || dice_.Chance(0.5)) Save();
  if (course_.step < course_.steps) {
    LaterInTraining(course_.each, [this] { MakeStep(); });
  } else {
    LaterInTraining(course_.each / 2, [this] { Evaluate(); });
  }
}

void Trainer::Evaluate() {
  listener_.said(TrainerPhase{course_.id, v1::AttemptReport::EVALUATING, ""});
  LaterInTraining(dice_.Between(Milliseconds(100), Milliseconds(3000)), [this] { Finish(); });
}

void Trainer::Finish() {
  if (GoesWrong()) return;
  const TrainerDone done{
      .id = course_.id,
      .metrics_json = R"({"base":{"eval_loss":2.0},"adapter":{"eval_loss":1.0}})",
      .base_digest = "digest",
      .code_version = "sim",
      .train_rows = 100,
      .train_seconds = 1.0};
  Over();
  listener_.said(done);
}

bool Trainer::GoesWrong() {
  if (!listener_.sick() || !dice_.Chance(kSickness)) return false;
  switch (dice_.Between(0, 6)) {
    case 0:
      Fail(v1::Failure::OUT_OF_MEMORY, "out of memory");
      return true;
    case 1:
      Fail(v1::Failure::INFRASTRUCTURE, "the disk is full");
      return true;
    case 2:
      Fail(v1::Failure::CLASS_UNSPECIFIED, "something else");
      return true;
    case 3:
      Fail(v1::Failure::DATA, "the loss is not finite");
      return true;
    case 4:
      Exit("was killed by signal 11", false);
      return true;
    case 5:
      Exit("was killed by signal 9", true);
      return true;
    default:
      hangs_ = true;  // until it is killed
      return true;
  }
}

void Trainer::Fail(v1::Failure::Class failure, const std::string& message) {
  TrainerFailed failed{.id = course_.id};
  failed.failure.set_class_(failure);
  failed.failure.set_message(message);
  Over();
  listener_.said(failed);
}

void Trainer::Over() {
  busy_ = false;
  Later(Milliseconds(5), [this] {
    if (!busy_) Next();
  });
}

void Trainer::Cancel(const AttemptId& id, bool save) {
  Later(dice_.Between(Milliseconds(5), Milliseconds(2000)), [this, id, save] {
    if (hangs_) return;
    const auto waiting = std::find_if(line_.begin(), line_.end(),
                                      [&](const auto& each) { return each.first.id == id; });
    if (waiting != line_.end()) {
      line_.erase(waiting);
    } else if (busy_ && course_.id == id) {
      if (save) Save();
      Over();
    } else {
      return;  // it came to another end first
    }
    listener_.said(TrainerCancelled{id});
  });
}

void Trainer::End() {
  Later(dice_.Between(Milliseconds(20), Milliseconds(1500)), [this] {
    if (busy_ && !hangs_) Save();
    Exit("ended", false);
  });
}

void Trainer::Kill() {
  agenda_.After(Milliseconds(20),
                [self = shared_from_this()] { self->Exit("was killed by signal 9", false); });
}

void Trainer::Exit(const std::string& how, bool for_memory) {
  if (!alive_) return;
  alive_ = false;
  listener_.exited(how, for_memory);
}

}  // namespace mozgach::sim
