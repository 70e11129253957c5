#include "ctl/adapter_table.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "ctl/job_table.h"
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

// "4.912 → 0.031": the bare base, then with the adapter; empty where neither is known.
std::string Change(const json& metrics, const char* name, bool as_percent) {
  const json* base = Metric(metrics, "base", name);
  const json* adapter = Metric(metrics, "adapter", name);
  if (base == nullptr && adapter == nullptr) return "";
  return absl::StrCat(ShowMetric(base, as_percent), " → ", ShowMetric(adapter, as_percent));
}

json MetricsOf(const v1::Version& version) {
  return json::parse(version.metrics_json(), nullptr, false);
}

}  // namespace

Table VersionTable(const std::vector<v1::Version>& versions) {
  Table table({{.title = "DOMAIN", .least = 10},
               {.title = "VERSION"},
               {.title = "ALIASES", .least = 7, .rank = 2},
               {.title = "EVAL LOSS", .right = true, .rank = 3},
               {.title = "EXACT MATCH", .right = true, .rank = 4},
               {.title = "SIZE", .right = true, .rank = 5},
               {.title = "PATH", .least = 12, .rank = 1}});
  for (const v1::Version& version : versions) {
    const json metrics = MetricsOf(version);
    table.AddRow({version.domain(), version.version(), absl::StrJoin(version.aliases(), " "),
                  Change(metrics, "eval_loss", false), Change(metrics, "exact_match", true),
                  ShowBytes(version.size_bytes()), version.path()});
  }
  return table;
}

std::vector<std::string> VersionLines(const v1::Version& version) {
  std::vector<std::string> lines;
  const auto add = [&lines](const char* name, const std::string& value) {
    if (!value.empty()) lines.push_back(absl::StrFormat("%-15s %s", name, Clip(value, 0)));
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
        add(absl::StrCat(side, " ", name).c_str(), value.dump());
      }
    }
  }
  for (const v1::File& file : version.files()) {
    add("file", absl::StrCat(file.path(), "  ", ShowBytes(file.size()), "  ", file.sha256()));
  }
  return lines;
}

}  // namespace mozgach
