#include "worker/session/log_words.h"

#include <array>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/json_text.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

using Json = nlohmann::json;

// The object in `text`; an empty one where there is none.
Json ObjectIn(const std::string& text) {
  const absl::StatusOr<Json> json = ParseJson(text);
  return json.ok() && json->is_object() ? *json : Json::object();
}

Json Member(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : Json::object();
}

int64_t Count(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
}

std::string Score(const Json& value) {
  return value.is_number() ? absl::StrFormat("%.4g", value.get<double>()) : "-";
}

}  // namespace

std::string DataInWords(const std::string& data_json) {
  const Json data = ObjectIn(data_json);
  if (data.empty()) return "";
  return absl::StrCat(Count(data, "rows"), " rows (", Count(data, "dropped"), " dropped, ",
                      Count(data, "truncated"), " truncated), ", Count(data, "tokens"),
                      " tokens, of which ", Count(data, "trained_tokens"), " are trained");
}

std::string MetricsInWords(const std::string& metrics_json) {
  const Json metrics = ObjectIn(metrics_json);
  const Json base = Member(metrics, "base"), adapter = Member(metrics, "adapter");
  std::vector<std::string> scores;
  for (const auto& [name, value] : adapter.items()) {
    const auto before = base.find(name);
    scores.push_back(absl::StrCat(name, " ", before == base.end() ? "" : Score(*before),
                                  before == base.end() ? "" : " → ", Score(value)));
  }
  return absl::StrJoin(scores, ", ");
}

std::optional<double> EvalLossIn(const std::string& metrics_json) {
  const Json adapter = Member(ObjectIn(metrics_json), "adapter");
  const auto found = adapter.find("eval_loss");
  if (found == adapter.end() || !found->is_number()) return std::nullopt;
  const auto loss = found->get<double>();
  return std::isfinite(loss) ? std::optional(loss) : std::nullopt;
}

std::string BytesInWords(uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  double amount = static_cast<double>(bytes);
  size_t unit = 0;
  for (; amount >= 1000 && unit + 1 < kUnits.size(); ++unit) amount /= 1000;
  return absl::StrFormat("%.*f %s", unit == 0 ? 0 : 1, amount, kUnits[unit]);
}

}  // namespace mozgach
