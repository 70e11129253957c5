#include "worker/session/trainer_events.h"

#include <gtest/gtest.h>

#include <cmath>

#include "nlohmann/json.hpp"
#include "worker/trainer/trainer_requests.h"

namespace mozgach {
namespace {

template <typename Event>
Event Parse(const std::string& line) {
  const auto event = ParseTrainerEvent(line);
  EXPECT_TRUE(event.ok()) << event.status();
  EXPECT_TRUE(std::holds_alternative<Event>(*event)) << line;
  return std::get<Event>(*event);
}

TEST(TrainerEventsTest, ReadyNamesItsDevice) {
  const auto ready = Parse<TrainerReady>(
      R"({"event": "ready", "version": "1", "pid": 7, "device": {"name": "cpu", "kind": "EPYC",
          "memory_total_bytes": 100, "memory_free_bytes": 50}, "memory_bytes": 5, "new": [1]})");
  EXPECT_EQ(ready.device_name, "cpu");
  EXPECT_EQ(ready.memory_total_bytes, 100);
}

TEST(TrainerEventsTest, MemoryOfAnIdleGpu) {
  const auto memory =
      Parse<TrainerMemory>(R"({"event": "memory", "memory_free_bytes": 70, "memory_bytes": 30})");
  EXPECT_EQ(memory.free_bytes, 70u);
  EXPECT_EQ(memory.used_bytes, 30u);
}

TEST(TrainerEventsTest, StepKeepsItsNumbers) {
  const auto step = Parse<TrainerStep>(
      R"({"event": "step", "job": 3, "attempt": 2, "step": 5, "steps": 9, "loss": 1.25,
          "learning_rate": 1e-4, "tokens": 1000, "tokens_per_second": 12.5,
          "memory_peak_bytes": 123})");
  EXPECT_EQ(step.id, (AttemptId{3, 2}));
  EXPECT_EQ(step.steps, 9);
  EXPECT_DOUBLE_EQ(step.loss, 1.25);
  EXPECT_DOUBLE_EQ(step.mean_loss, 1.25) << "an older trainer has one loss";
  const auto means = Parse<TrainerStep>(
      R"({"event": "step", "job": 3, "attempt": 2, "loss": 1.25,
          "step_loss": 2.5, "mean_loss": 0.5})");
  EXPECT_DOUBLE_EQ(means.step_loss, 2.5);
  EXPECT_DOUBLE_EQ(means.mean_loss, 0.5);
  EXPECT_EQ(step.memory_peak_bytes, 123);
}

TEST(TrainerEventsTest, StartedKeepsWhatThePlanSays) {
  const auto started = Parse<TrainerStarted>(
      R"({"event": "started", "job": 3, "attempt": 2, "step": 0, "steps": 9,
          "memory_planned_bytes": 456})");
  EXPECT_EQ(started.memory_planned_bytes, 456);
}

TEST(TrainerEventsTest, PreparedNamesTheAttemptThatWaits) {
  const auto event = Parse<TrainerPrepared>(
      R"({"event": "prepared", "job": 4, "attempt": 1, "rows": 23, "tokens": 900,
          "seconds": 0.5})");
  EXPECT_EQ(event.id.job, 4);
  EXPECT_EQ(event.rows, 23);
  EXPECT_EQ(event.tokens, 900);
}

TEST(TrainerEventsTest, SteppingDownKeepsWhatChanged) {
  const auto event = Parse<TrainerSteppedDown>(
      R"({"event": "stepped_down", "job": 3, "attempt": 2, "step": 7, "rung": 1,
          "message": "less at once", "pinned": {"rung": 1}})");
  EXPECT_EQ(event.id.attempt, 2);
  EXPECT_EQ(event.message, "less at once");
  EXPECT_EQ(event.pinned_json, R"({"rung":1})");
}

TEST(TrainerEventsTest, StartKeepsTheMeanOfTheStepsBefore) {
  EXPECT_EQ(Parse<TrainerStarted>(R"({"event": "started", "job": 1, "attempt": 1})").mean_loss,
            std::nullopt);
  EXPECT_EQ(
      Parse<TrainerStarted>(R"({"event": "started", "job": 1, "attempt": 1, "mean_loss": null})")
          .mean_loss,
      std::nullopt);
  EXPECT_EQ(
      Parse<TrainerStarted>(R"({"event": "started", "job": 1, "attempt": 1, "mean_loss": 0.5})")
          .mean_loss,
      0.5);
  EXPECT_EQ(Parse<TrainerAlive>(R"({"event": "alive", "job": 4, "attempt": 2})").id,
            (AttemptId{4, 2}));
}

TEST(TrainerEventsTest, NullLossIsNotANumber) {
  EXPECT_TRUE(std::isnan(
      Parse<TrainerStep>(R"({"event": "step", "job": 1, "attempt": 1, "loss": null})").loss));
}

TEST(TrainerEventsTest, FailureKeepsItsClass) {
  const auto failed = Parse<TrainerFailed>(
      R"({"event": "failed", "job": 1, "attempt": 1, "class": "out_of_memory", "message": "m"})");
  EXPECT_EQ(failed.failure.class_(), v1::Failure::OUT_OF_MEMORY);
  EXPECT_EQ(failed.failure.message(), "m");
  EXPECT_FALSE(Parse<TrainerFailed>(R"({"event": "failed", "base": "b"})").id.has_value());
}

TEST(TrainerEventsTest, DoneCarriesItsMetricsAsText) {
  const auto done = Parse<TrainerDone>(
      R"({"event": "done", "job": 1, "attempt": 1, "metrics": {"adapter": {"eval_loss": 0.5}},
          "train_rows": 10, "train_seconds": 2})");
  EXPECT_EQ(done.metrics_json, R"({"adapter":{"eval_loss":0.5}})");
  EXPECT_DOUBLE_EQ(done.train_seconds, 2);
}

TEST(TrainerEventsTest, LinesThatAreNoEventsAreErrors) {
  for (const char* line :
       {"", "x", "[]", "7", "null", "{", R"({"event": 3})", R"({"event": "step"})",
        R"({"event": "step", "job": "one", "attempt": 1})", "\xff\xfe",
        R"({"event": "step", "job": 1, "attempt": 1, "loss": "high"})",
        R"({"event": "step", "job": 9223372036854775808, "attempt": 1})",
        R"({"event": "step", "job": 1, "attempt": 1, "step": 1e300})",
        R"({"event": "memory", "memory_free_bytes": -1})"}) {
    EXPECT_FALSE(ParseTrainerEvent(line).ok()) << line;
  }
  EXPECT_TRUE(absl::IsUnimplemented(ParseTrainerEvent(R"({"event": "song"})").status()));
}

TEST(TrainerRequestsTest, TrainLineIsWhatTheProtocolSays) {
  const auto line = nlohmann::json::parse(TrainLine({.id = {4, 2},
                                                     .spec_json = R"({"domain": "d"})",
                                                     .base_dir = "/b",
                                                     .data = {.train = {"/t"}, .test = "/x"},
                                                     .output_dir = "/o",
                                                     .checkpoint_dir = "/c",
                                                     .cache_dir = "/k"}));
  EXPECT_EQ(line["op"], "train");
  EXPECT_EQ(line["job"], 4);
  EXPECT_EQ(line["attempt"], 2);
  EXPECT_EQ(line["spec"]["domain"], "d");
  EXPECT_EQ(line["data"]["train"][0], "/t");
  EXPECT_TRUE(line["data"]["validation"].is_null());
  EXPECT_EQ(line["data"]["test"], "/x");
  EXPECT_EQ(line["pinned"], nlohmann::json::object());
  EXPECT_EQ(TrainLine({}).find('\n'), std::string::npos);
}

}  // namespace
}  // namespace mozgach
