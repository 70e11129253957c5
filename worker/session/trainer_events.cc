#include "worker/session/trainer_events.h"

#include <functional>
#include <limits>
#include <map>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "common/json_text.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

using Json = nlohmann::json;

// Absent and null give `fallback`; a wrong type or a number that does not fit throws, caught in one
// place below.
template <typename T>
T Get(const Json& json, const char* key, T fallback = T()) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return fallback;
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(WholeNumber(*found, std::is_unsigned_v<T> ? 0 : INT64_MIN));
  } else {
    return found->get<T>();
  }
}

std::string Dump(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found == json.end() ? "{}" : found->dump(-1, ' ', false, Json::error_handler_t::replace);
}

AttemptId Id(const Json& json) {
  return {WholeNumber(json.at("job")), WholeNumber(json.at("attempt"))};
}

TrainerEvent Ready(const Json& json) {
  const Json device = Get(json, "device", Json::object());
  return TrainerReady{.version = Get<std::string>(json, "version"),
                      .device_name = Get<std::string>(device, "name", "cpu"),
                      .device_kind = Get<std::string>(device, "kind"),
                      .memory_total_bytes = Get<uint64_t>(device, "memory_total_bytes"),
                      .memory_free_bytes = Get<uint64_t>(device, "memory_free_bytes")};
}

TrainerEvent Memory(const Json& json) {
  return TrainerMemory{.free_bytes = Get<uint64_t>(json, "memory_free_bytes"),
                       .used_bytes = Get<uint64_t>(json, "memory_bytes")};
}

TrainerEvent BaseLoaded(const Json& json) {
  return TrainerBaseLoaded{.base = Get<std::string>(json, "base"),
                           .seconds = Get<double>(json, "seconds"),
                           .base_loads = Get<uint64_t>(json, "base_loads")};
}

TrainerEvent Phase(const Json& json) {
  const auto name = Get<std::string>(json, "phase");
  const auto phase = name == "training"     ? v1::AttemptReport::TRAINING
                     : name == "evaluating" ? v1::AttemptReport::EVALUATING
                                            : v1::AttemptReport::PREPARING;
  return TrainerPhase{Id(json), phase, json.contains("data") ? Dump(json, "data") : ""};
}

TrainerEvent Started(const Json& json) {
  const auto mean_loss = json.find("mean_loss");
  const bool has_mean = mean_loss != json.end() && !mean_loss->is_null();
  return TrainerStarted{
      .id = Id(json),
      .step = Get<int64_t>(json, "step"),
      .steps = Get<int64_t>(json, "steps"),
      .train_rows = Get<int64_t>(json, "train_rows"),
      .trainable_parameters = Get<int64_t>(json, "trainable_parameters"),
      .mean_loss = has_mean ? std::optional(mean_loss->get<double>()) : std::nullopt,
      .memory_planned_bytes = Get<uint64_t>(json, "memory_planned_bytes"),
      .pinned_json = Dump(json, "pinned")};
}

TrainerEvent Step(const Json& json) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const auto loss = Get<double>(json, "loss", kNone);
  return TrainerStep{.id = Id(json),
                     .step = Get<int64_t>(json, "step"),
                     .steps = Get<int64_t>(json, "steps"),
                     .loss = loss,
                     .step_loss = Get<double>(json, "step_loss", loss),
                     .mean_loss = Get<double>(json, "mean_loss", loss),
                     .learning_rate = Get<double>(json, "learning_rate"),
                     .tokens = Get<int64_t>(json, "tokens"),
                     .tokens_per_second = Get<double>(json, "tokens_per_second"),
                     .memory_peak_bytes = Get<uint64_t>(json, "memory_peak_bytes")};
}

TrainerEvent Done(const Json& json) {
  return TrainerDone{.id = Id(json),
                     .metrics_json = Dump(json, "metrics"),
                     .base_digest = Get<std::string>(json, "base_digest"),
                     .code_version = Get<std::string>(json, "code_version"),
                     .train_rows = Get<int64_t>(json, "train_rows"),
                     .train_seconds = Get<double>(json, "train_seconds"),
                     .memory_peak_bytes = Get<uint64_t>(json, "memory_peak_bytes"),
                     .memory_bytes = Get<uint64_t>(json, "memory_bytes")};
}

TrainerEvent Failed(const Json& json) {
  static const std::map<std::string, v1::Failure::Class> kClasses = {
      {"user", v1::Failure::USER},
      {"data", v1::Failure::DATA},
      {"out_of_memory", v1::Failure::OUT_OF_MEMORY},
      {"infrastructure", v1::Failure::INFRASTRUCTURE}};
  TrainerFailed failed;
  if (json.contains("job")) failed.id = Id(json);
  const auto known = kClasses.find(Get<std::string>(json, "class"));
  failed.failure.set_class_(known == kClasses.end() ? v1::Failure::INFRASTRUCTURE : known->second);
  failed.failure.set_message(Get<std::string>(json, "message", "the trainer gave no reason"));
  return failed;
}

using Reader = std::function<TrainerEvent(const Json&)>;

const std::map<std::string, Reader>& Readers() {
  static const std::map<std::string, Reader> readers = {
      {"ready", Ready},
      {"memory", Memory},
      {"base_loaded", BaseLoaded},
      {"phase", Phase},
      {"started", Started},
      {"prepared",
       [](const Json& json) {
         return TrainerPrepared{Id(json), Get<int64_t>(json, "rows"), Get<int64_t>(json, "tokens"),
                                Get<double>(json, "seconds")};
       }},
      {"stepped_down",
       [](const Json& json) {
         return TrainerSteppedDown{Id(json), Get<std::string>(json, "message"),
                                   Dump(json, "pinned")};
       }},
      {"step", Step},
      {"evaluation",
       [](const Json& json) {
         return TrainerEvaluation{Id(json), Get<int64_t>(json, "step"), Dump(json, "metrics")};
       }},
      {"alive", [](const Json& json) { return TrainerAlive{Id(json)}; }},
      {"checkpoint",
       [](const Json& json) {
         return TrainerCheckpoint{Id(json), Get<int64_t>(json, "step")};
       }},
      {"done", Done},
      {"failed", Failed},
      {"cancelled", [](const Json& json) { return TrainerCancelled{Id(json)}; }},
      {"error",
       [](const Json& json) { return TrainerComplaint{Get<std::string>(json, "message")}; }}};
  return readers;
}

}  // namespace

absl::StatusOr<TrainerEvent> ParseTrainerEvent(std::string_view line) {
  try {
    ASSIGN_OR_RETURN(const Json json, ParseJson(line));
    if (!json.is_object()) return absl::InvalidArgumentError("not a JSON object");
    const auto name = Get<std::string>(json, "event");
    const auto reader = Readers().find(name);
    if (reader == Readers().end()) {
      return absl::UnimplementedError(absl::StrCat("an event '", name, "' is not known here"));
    }
    return reader->second(json);
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(error.what());
  }
}

}  // namespace mozgach
