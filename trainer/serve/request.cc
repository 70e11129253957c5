#include "trainer/serve/request.h"

#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "common/json_text.h"

namespace mozgach {
namespace {

using Json = nlohmann::json;

constexpr int64_t kMostThreads = 1024;
constexpr int64_t kMostRungs = 64;

// get<int64_t>() would wrap a number that does not fit and cut a fraction off.
int64_t PositiveInteger(const Json& json, const char* key, int64_t most = INT64_MAX) {
  const Json& value = json.at(key);
  if (!value.is_number_integer() || value < 1 || value > most) {
    throw std::invalid_argument(absl::StrCat("'", key, "' is not a whole number from 1 to ", most));
  }
  return value.get<int64_t>();
}

AttemptId IdOf(const Json& json) {
  return {PositiveInteger(json, "job"), PositiveInteger(json, "attempt")};
}

std::optional<std::filesystem::path> OptionalPath(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return std::nullopt;
  return found->get<std::string>();
}

PinnedChoices ParsePinned(const Json& json) {
  PinnedChoices pinned;
  if (json.contains("compute_dtype")) {
    pinned.compute_dtype = json.at("compute_dtype").get<std::string>();
  }
  if (json.contains("threads")) {
    pinned.threads = PositiveInteger(json, "threads", kMostThreads);
  }
  if (json.contains("rung")) pinned.rung = PositiveInteger(json, "rung", kMostRungs);
  return pinned;
}

DatasetPaths ParseData(const Json& json) {
  DatasetPaths data;
  for (const Json& path : json.at("train")) data.train.emplace_back(path.get<std::string>());
  data.validation = OptionalPath(json, "validation");
  data.test = OptionalPath(json, "test");
  return data;
}

TrainRequest ParseTrain(const Json& json) {
  TrainRequest request;
  request.id = IdOf(json);
  request.spec = json.at("spec");
  request.base_dir = json.at("base_dir").get<std::string>();
  request.data = ParseData(json.at("data"));
  request.output_dir = json.at("output_dir").get<std::string>();
  request.checkpoint_dir = OptionalPath(json, "checkpoint_dir").value_or("");
  request.cache_dir = OptionalPath(json, "cache_dir").value_or("");
  if (json.contains("pinned")) request.pinned = ParsePinned(json.at("pinned"));
  return request;
}

// The section is read as part of a domain file, so that it gets the same checks.
absl::StatusOr<Request> ParseLoad(const Json& json) {
  LoadRequest request;
  request.base = json.at("base").get<std::string>();
  request.base_dir = json.at("base_dir").get<std::string>();
  request.cache_dir = OptionalPath(json, "cache_dir").value_or("");
  const Json quantization = json.value("quantization", Json::object());
  ASSIGN_OR_RETURN(const DomainSpec spec,
                   DomainSpecFromJson({{"domain", "load"},
                                       {"base", request.base},
                                       {"data", {{"train", {"train.jsonl"}}}},
                                       {"quantization", quantization}}));
  request.quantization = spec.quantization;
  return request;
}

}  // namespace

absl::StatusOr<Request> ParseRequest(std::string_view line) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(line));
  if (!json.is_object()) return absl::InvalidArgumentError("the line is not a JSON object");
  try {
    const std::string op = json.at("op").get<std::string>();
    if (op == "load") return ParseLoad(json);
    if (op == "train") return ParseTrain(json);
    if (op == "cancel") return CancelRequest{IdOf(json), json.value("save", false)};
    if (op == "exit") return ExitRequest{};
    return absl::InvalidArgumentError(
        absl::StrCat("unknown op '", op, "'; there are load, train, cancel and exit"));
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(error.what());
  }
}

}  // namespace mozgach
