#include "ctl/display/adapter_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/json_text.h"
#include "common/size_text.h"
#include "ctl/display/job_table.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

using nlohmann::json;

const json* Metric(const json& metrics, const char* side, const char* name) {
  if (!metrics.is_object() || !metrics.contains(side)) return nullptr;
  const json& values = metrics[side];
  if (!values.is_object() || !values.contains(name)) return nullptr;
  return values[name].is_number() ? &values[name] : nullptr;
}

std::string ShowMetric(const json* value, bool as_percent) {
  if (value == nullptr) return "-";
  const double number = value->get<double>();
  return as_percent ? absl::StrFormat("%.0f %%", 100 * number) : absl::StrFormat("%.3f", number);
}

// Returns "4.912 → 0.031": the score of the bare base, then with the adapter. Empty if both are
// unknown.
std::string Change(const json& metrics, const char* name, bool as_percent) {
  const json* base = Metric(metrics, "base", name);
  const json* adapter = Metric(metrics, "adapter", name);
  if (base == nullptr && adapter == nullptr) return "";
  return absl::StrCat(ShowMetric(base, as_percent), " → ", ShowMetric(adapter, as_percent));
}

// Returns lines "name value" with aligned values.
std::vector<std::string> Aligned(const std::vector<std::pair<std::string, std::string>>& facts) {
  int widest = 0;
  for (const auto& [name, value] : facts) widest = std::max(widest, DisplayWidth(name));
  std::vector<std::string> lines;
  for (const auto& [name, value] : facts) {
    const auto gap = static_cast<size_t>(widest - DisplayWidth(name) + 2);
    lines.push_back(absl::StrCat(name, std::string(gap, ' '), value));
  }
  return lines;
}

json MetricsOf(const v1::Version& version) {
  const absl::StatusOr<json> metrics = ParseJson(version.metrics_json());
  return metrics.ok() ? *metrics : json();
}

}  // namespace

Table VersionTable(const std::vector<v1::Version>& versions) {
  Table table({{.title = "DOMAIN", .least = 10},
               {.title = "VERSION"},
               {.title = "ALIASES", .least = 7, .rank = 2},
               {.title = "EVAL LOSS", .right = true, .rank = 3},
               {.title = "EXACT MATCH", .right = true, .rank = 1},
               {.title = "SIZE", .right = true, .rank = 4},
               {.title = "PATH", .rank = 5}});
  for (const v1::Version& version : versions) {
    const json metrics = MetricsOf(version);
    table.AddRow({version.domain(), version.version(), absl::StrJoin(version.aliases(), " "),
                  Change(metrics, "eval_loss", false), Change(metrics, "exact_match", true),
                  FormatSize(version.size_bytes()), version.path()});
  }
  return table;
}

std::vector<std::string> VersionLines(const v1::Version& version) {
  std::vector<std::pair<std::string, std::string>> facts;
  const auto add = [&facts](const std::string& name, const std::string& value) {
    if (!value.empty()) facts.emplace_back(Clip(name, 0), Clip(value, 0));
  };
  add("domain", version.domain());
  add("version", version.version());
  add("aliases", absl::StrJoin(version.aliases(), " "));
  add("path", version.path());
  add("base", version.base());
  add("job", absl::StrCat(version.job(), ", attempt ", version.attempt()));
  add("published", version.published_at());
  add("code version", version.code_version());
  add("base digest", version.base_digest());
  add("spec digest", version.spec_digest());
  add("dataset digest", version.dataset_digest());
  const json metrics = MetricsOf(version);
  if (metrics.is_object()) {
    for (const auto& [side, values] : metrics.items()) {
      if (!values.is_object()) continue;
      for (const auto& [name, value] : values.items()) {
        add(absl::StrCat(side, " ", name),
            value.is_number() ? absl::StrFormat("%.4g", value.get<double>()) : "-");
      }
    }
  }
  for (const v1::File& file : version.files()) {
    add("file", absl::StrCat(file.path(), "  ", FormatSize(file.size()), "  ", file.sha256()));
  }
  return Aligned(facts);
}

}  // namespace mozgach
