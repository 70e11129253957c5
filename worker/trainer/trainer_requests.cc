#include "worker/trainer/trainer_requests.h"

#include "common/json_text.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

using Json = nlohmann::json;

Json PathOrNull(const std::string& path) { return path.empty() ? Json() : Json(path); }

Json ObjectOf(const std::string& text) {
  const absl::StatusOr<Json> json = ParseJson(text);
  return json.ok() && json->is_object() ? *json : Json::object();
}

std::string Line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string TrainLine(const TrainRequest& request) {
  return Line({{"op", "train"},
               {"job", request.id.job},
               {"attempt", request.id.attempt},
               {"spec", ObjectOf(request.spec_json)},
               {"base_dir", request.base_dir},
               {"data",
                {{"train", request.data.train},
                 {"validation", PathOrNull(request.data.validation)},
                 {"test", PathOrNull(request.data.test)}}},
               {"output_dir", request.output_dir},
               {"checkpoint_dir", request.checkpoint_dir},
               {"cache_dir", request.cache_dir},
               {"pinned", ObjectOf(request.pinned_json)}});
}

std::string CancelLine(const AttemptId& id, bool save) {
  return Line({{"op", "cancel"}, {"job", id.job}, {"attempt", id.attempt}, {"save", save}});
}

std::string ExitLine() { return Line({{"op", "exit"}}); }

}  // namespace mozgach
