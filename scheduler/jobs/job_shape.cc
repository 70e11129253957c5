#include "scheduler/jobs/job_shape.h"

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/json_text.h"
#include "nlohmann/json.hpp"
#include "registry/query.h"
#include "scheduler/queries.h"

namespace mozgach {
namespace sql = scheduler_sql;
namespace {

using Json = nlohmann::json;

Json RowsJson(const RowTokens& rows) { return {rows.rows, rows.total, rows.longest}; }

RowTokens RowsFrom(const Json& json) {
  return {json.at(0).get<int64_t>(), json.at(1).get<int64_t>(), json.at(2).get<int64_t>()};
}

std::string SettingsDigest(const std::string& settings) {
  return settings.empty() ? "" : Sha256Hex(settings);
}

JobShape ShapeFrom(const Query& row) {
  JobShape shape;
  shape.shape = row.Int(0);
  shape.base = row.Text(1);
  shape.base_key = row.Text(2);
  shape.settings = row.Text(3);
  shape.stepped_down = row.Int(4) != 0;
  shape.needs = {row.Int(5), row.Int(6), row.Int(7) != 0};
  return shape;
}

}  // namespace

std::string MemorySettings(const DomainSpec& spec, const DomainRows& rows) {
  const DomainRows bounded = MemoryRows(spec, rows);
  const Json json = {
      {"spec", ToJson(MemorySpec(spec))},
      {"rows", {RowsJson(bounded.train), RowsJson(bounded.validation), RowsJson(bounded.test)}}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<MemoryWish> ReadMemorySettings(const std::string& settings) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(settings));
  try {
    MemoryWish wish;
    ASSIGN_OR_RETURN(wish.spec, DomainSpecFromJson(json.at("spec")));
    const Json& rows = json.at("rows");
    wish.rows = {RowsFrom(rows.at(0)), RowsFrom(rows.at(1)), RowsFrom(rows.at(2))};
    return wish;
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(error.what());
  }
}

bool HasSteppedDown(const std::string& pinned_json) {
  if (pinned_json.empty()) return false;
  const absl::StatusOr<Json> pins = ParseJson(pinned_json);
  if (!pins.ok() || !pins->is_object()) return false;
  const auto rung = pins->find("rung");
  return rung != pins->end() && rung->is_number_integer() && rung->get<int64_t>() > 0;
}

Needs PlanNeeds(const BaseConfig& config, const std::string& settings, bool stepped_down) {
  const absl::StatusOr<MemoryWish> wish = ReadMemorySettings(settings);
  if (!wish.ok() || !config.config.ok()) return Needs();
  const auto plan = [&](DeviceClass device) {
    return PlanLeast(*config.config, wish->spec, device, wish->rows, stepped_down);
  };
  const absl::StatusOr<LeastPlan> cpu = plan(DeviceClass::kCpu), gpu = plan(DeviceClass::kGpu);
  if (!cpu.ok() || !gpu.ok()) return Needs();
  return {cpu->memory.total(), gpu->memory.total(), gpu->checkpointing == Checkpointing::kPerLayer};
}

absl::StatusOr<JobShape> Shapes::Get(int64_t shape) {
  Query row(database_, sql::kShape, shape);
  if (row.Next()) return ShapeFrom(row);
  RETURN_IF_ERROR(row.status());
  return absl::NotFoundError(absl::StrCat("there is no shape ", shape));
}

absl::StatusOr<std::optional<int64_t>> Shapes::Find(const std::string& base_key,
                                                    const std::string& settings,
                                                    bool stepped_down) {
  Query row(database_, sql::kFindShape, base_key, SettingsDigest(settings), stepped_down);
  if (row.Next()) return std::optional<int64_t>(row.Int(0));
  RETURN_IF_ERROR(row.status());
  return std::optional<int64_t>();
}

absl::StatusOr<int64_t> Shapes::FindOrAdd(const std::string& base, const std::string& base_key,
                                          const std::string& settings, bool stepped_down,
                                          const BaseConfig* config,
                                          const std::optional<ShapePlan>& plan) {
  ASSIGN_OR_RETURN(const std::optional<int64_t> shape, Find(base_key, settings, stepped_down));
  if (shape.has_value()) return *shape;
  const bool planned =
      config != nullptr && plan.has_value() && plan->config_digest == config->digest;
  Needs needs;
  if (planned) {
    needs = plan->needs;
  } else if (config != nullptr) {
    needs = PlanNeeds(*config, settings, stepped_down);
  }
  RETURN_IF_ERROR(Run(database_, sql::kInsertShape, base, base_key, settings,
                      SettingsDigest(settings), stepped_down,
                      config == nullptr ? "" : config->digest, needs.cpu_bytes, needs.gpu_bytes,
                      needs.checkpoints));
  return database_.LastInsertedRow();
}

absl::StatusOr<int64_t> Shapes::Plan(const std::string& base, const BaseConfig& config,
                                     int64_t limit) {
  std::vector<JobShape> shapes;
  {
    Query rows(database_, sql::kShapesToPlan, base, config.digest, limit);
    while (rows.Next()) shapes.push_back(ShapeFrom(rows));
    RETURN_IF_ERROR(rows.status());
  }
  for (const JobShape& shape : shapes) {
    const Needs needs = PlanNeeds(config, shape.settings, shape.stepped_down);
    RETURN_IF_ERROR(Run(database_, sql::kPlanShape, shape.shape, config.digest, needs.cpu_bytes,
                        needs.gpu_bytes, needs.checkpoints));
  }
  return static_cast<int64_t>(shapes.size());
}

}  // namespace mozgach
