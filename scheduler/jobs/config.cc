#include "scheduler/jobs/config.h"

#include <yaml-cpp/yaml.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/files.h"
#include "common/nearest_name.h"
#include "common/web/web_hosts.h"

namespace mozgach {
namespace {

// One key: its least and largest value, and where the value goes.
struct Key {
  double least;
  double most;
  std::function<void(SchedulerConfig&, double)> set;
};

Milliseconds Seconds(double seconds) { return Milliseconds(static_cast<int64_t>(seconds * 1000)); }

const std::map<std::string, Key>& Keys() {
  static const std::map<std::string, Key> keys = {
      {"lease_seconds", {0.1, 86400, [](auto& c, double v) { c.lease = Seconds(v); }}},
      {"failures_max", {1, 1000, [](auto& c, double v) { c.failures_max = int64_t(v); }}},
      {"disturbances_max", {1, 1e6, [](auto& c, double v) { c.disturbances_max = int64_t(v); }}},
      {"back_off_seconds", {0, 3600, [](auto& c, double v) { c.back_off = Seconds(v); }}},
      {"back_off_max_seconds", {0, 86400, [](auto& c, double v) { c.back_off_max = Seconds(v); }}},
      {"quarantine_domains",
       {0, 1e6, [](auto& c, double v) { c.quarantine_domains = int64_t(v); }}},
      {"quarantine_seconds", {0, 86400, [](auto& c, double v) { c.quarantine = Seconds(v); }}},
      {"call_interval_seconds",
       {0.01, 60, [](auto& c, double v) { c.call_interval = Seconds(v); }}},
      {"blob_bytes_max", {1, 1e15, [](auto& c, double v) { c.blob_bytes_max = uint64_t(v); }}},
      {"disk_reserve_bytes",
       {0, 1e15, [](auto& c, double v) { c.disk_reserve_bytes = uint64_t(v); }}},
      {"log_bytes_max", {1024, 1e12, [](auto& c, double v) { c.log_bytes_max = uint64_t(v); }}},
      {"blob_days_kept", {0, 36500, [](auto& c, double v) { c.blob_days_kept = int64_t(v); }}},
      {"versions_kept", {0, 1e9, [](auto& c, double v) { c.versions_kept = int64_t(v); }}},
      {"job_days_kept", {0, 36500, [](auto& c, double v) { c.job_days_kept = int64_t(v); }}},
      {"event_days_kept", {0, 36500, [](auto& c, double v) { c.event_days_kept = int64_t(v); }}},
      {"log_days_kept", {0, 36500, [](auto& c, double v) { c.log_days_kept = int64_t(v); }}},
      {"retention_interval_seconds",
       {0, 604800, [](auto& c, double v) { c.retention_interval = Seconds(v); }}},
      {"calls_per_second_max", {1, 1e9, [](auto& c, double v) { c.calls_per_second_max = v; }}},
      {"workers_max", {1, 1e6, [](auto& c, double v) { c.workers_max = int64_t(v); }}},
  };
  return keys;
}

absl::Status Wrong(const std::string& path, const YAML::Mark& mark, const std::string& what) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ":", mark.line + 1, ":", mark.column + 1, ": ", what));
}

absl::Status SetEndpoint(const std::string& path, const std::string& key, const YAML::Node& value,
                         SchedulerConfig& config) {
  if (key == "tls") {
    if (!value.IsScalar() || value.Scalar().empty()) {
      return Wrong(path, value.Mark(), "tls must name a folder, as `mozgachctl fleet init` makes");
    }
    config.tls = value.Scalar();
    return absl::OkStatus();
  }
  if (value.IsScalar() && YAML::convert<bool>::decode(value, config.insecure_plaintext)) {
    return absl::OkStatus();
  }
  return Wrong(path, value.Mark(), "insecure_plaintext must be true or false");
}

// One name, or a list of them.
absl::Status SetHosts(const std::string& path, const YAML::Node& value, SchedulerConfig& config) {
  std::vector<std::string> hosts;
  if (value.IsScalar()) hosts.push_back(value.Scalar());
  if (value.IsSequence()) {
    for (const YAML::Node& host : value) hosts.push_back(host.IsScalar() ? host.Scalar() : "");
  }
  absl::Status status = hosts.empty() ? absl::InvalidArgumentError("expected names of hosts")
                                      : CheckAllowedHosts(hosts);
  if (!status.ok()) {
    return Wrong(path, value.Mark(), absl::StrCat("http_allowed_hosts: ", status.message()));
  }
  config.http_allowed_hosts = std::move(hosts);
  return absl::OkStatus();
}

absl::Status Set(const std::string& path, const YAML::Node& name, const YAML::Node& value,
                 SchedulerConfig& config) {
  const std::string text = name.IsScalar() ? name.Scalar() : "";
  if (text == "tls" || text == "insecure_plaintext") return SetEndpoint(path, text, value, config);
  if (text == "http_allowed_hosts") return SetHosts(path, value, config);
  const auto key = Keys().find(text);
  if (key == Keys().end()) {
    std::vector<std::string> known = {"tls", "insecure_plaintext", "http_allowed_hosts"};
    for (const auto& [each, rule] : Keys()) known.push_back(each);
    const std::string near = NearestName(text, known);
    return Wrong(path, name.Mark(),
                 absl::StrCat("unknown key '", text, "'; ",
                              near.empty() ? "" : absl::StrCat("did you mean '", near, "'?  "),
                              "there are ", absl::StrJoin(known, ", ")));
  }
  double number = 0;
  if (!value.IsScalar() || !YAML::convert<double>::decode(value, number) ||
      !(number >= key->second.least && number <= key->second.most)) {
    return Wrong(
        path, value.Mark(),
        absl::StrCat(text, " must be a number from ", key->second.least, " to ", key->second.most));
  }
  key->second.set(config, number);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SchedulerConfig> ReadSchedulerConfig(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, 1 << 20));
  SchedulerConfig config;
  try {
    const YAML::Node root = YAML::Load(text);
    if (root.IsNull()) return config;
    if (!root.IsMap()) return Wrong(path.string(), root.Mark(), "expected keys and values");
    for (const auto& entry : root) {
      RETURN_IF_ERROR(Set(path.string(), entry.first, entry.second, config));
    }
  } catch (const YAML::Exception& error) {
    return Wrong(path.string(), error.mark, error.msg);
  }
  return config;
}

}  // namespace mozgach
