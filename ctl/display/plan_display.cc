#include "ctl/display/plan_display.h"

#include <cstdio>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/size_text.h"
#include "ctl/display/job_table.h"
#include "ctl/display/table.h"

namespace mozgach {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::string Bytes(int64_t bytes) {
  return bytes < 0 ? absl::StrCat("-", FormatSize(static_cast<uint64_t>(-bytes)))
                   : FormatSize(static_cast<uint64_t>(bytes));
}

std::string Duration(double seconds) {
  if (seconds < 120) return absl::StrFormat("%.0f s", seconds);
  if (seconds < 7200) return absl::StrFormat("%.0f min", seconds / 60);
  return absl::StrFormat("%.1f h", seconds / 3600);
}

const char* ModeName(Checkpointing mode) {
  return mode == Checkpointing::kPerLayer ? "with checkpointing" : "without checkpointing";
}

Checkpointing Other(Checkpointing mode) {
  return mode == Checkpointing::kPerLayer ? Checkpointing::kNone : Checkpointing::kPerLayer;
}

OrderedJson LinesJson(const MemoryPlan& plan) {
  OrderedJson lines = OrderedJson::array();
  for (size_t i = 0; i < kMemoryLines; ++i) {
    lines.push_back({{"name", NameOf(static_cast<MemoryLine>(i))}, {"bytes", plan.lines[i]}});
  }
  return lines;
}

// What makes two plans one for a reader.
std::string KeyOf(const PlannedDomain& domain) {
  return absl::StrCat(domain.plan.spec.base, " ", domain.plan.spec.lora.r, " ",
                      absl::StrJoin(domain.plan.memory.lines, " "));
}

void PrintTable(const PlannedDomain& domain, const PlanTarget& target) {
  const MemoryPlan& plan = domain.plan.memory;
  Table table({{.title = "MEMORY AT ITS PEAK", .least = 12},
               {.title = "BYTES", .right = true, .rank = 1},
               {.title = "SIZE", .right = true}});
  const auto row = [&](const std::string& title, int64_t bytes, Tone tone = Tone::kPlain) {
    table.AddRow({{title, tone}, {absl::StrCat(bytes), tone}, {Bytes(bytes), tone}});
  };
  for (size_t i = 0; i < kMemoryLines; ++i) {
    const auto line = static_cast<MemoryLine>(i);
    const bool read = line == MemoryLine::kHead && plan.mapped > 0;
    if (line == MemoryLine::kEvaluation && plan.lines[i] == 0) continue;
    row(absl::StrCat(TitleOf(line), read ? ", read in its file" : ""), plan.lines[i]);
    if (line != MemoryLine::kActivations) continue;
    row(absl::StrCat("  (", ModeName(Other(domain.plan.checkpointing)), ")"),
        domain.otherwise.Line(line), Tone::kFaint);
  }
  row("total", plan.total(), domain.plan.fits ? Tone::kGood : Tone::kBad);
  if (domain.calibrated_bytes > 0) {
    row(absl::StrFormat("×%.2f from %d attempts on %s", domain.calibration.factor(),
                        domain.calibration.attempts(), domain.calibration.device_kind()),
        domain.calibrated_bytes, domain.plan.fits ? Tone::kGood : Tone::kBad);
  }
  if (target.memory_bytes > 0) row("left", target.memory_bytes - domain.total());
  table.Print();
}

void PrintVariants(const PlannedDomain& domain) {
  for (const Variant& variant : domain.variants) {
    std::printf("\n# %s: %s, %s\n%s", variant.name.c_str(),
                Bytes(variant.plan.memory.total()).c_str(), ModeName(variant.plan.checkpointing),
                DomainKeys(variant).c_str());
  }
  if (domain.would_fit.empty()) return;
  std::printf("\nNothing fits.  What would make it fit: %s\n",
              absl::StrJoin(domain.would_fit, "; ").c_str());
}

void PrintTime(const std::vector<const PlannedDomain*>& group, const std::string& speed) {
  int64_t tokens = 0, steps = 0;
  double seconds = 0;
  for (const PlannedDomain* domain : group) {
    tokens += domain->time.tokens;
    steps += domain->time.steps;
    seconds += domain->time.seconds.value_or(0);
  }
  const std::string time = seconds > 0
                               ? absl::StrCat("~", Duration(seconds), " at ", speed)
                               : "seconds unknown: no finished job of this base has shown a speed";
  std::printf("\ntime: ~%s tokens, ~%s steps, %s\n", absl::StrCat(tokens).c_str(),
              absl::StrCat(steps).c_str(), time.c_str());
}

std::string Names(const std::vector<const PlannedDomain*>& group) {
  constexpr size_t kShown = 3;
  std::vector<std::string> names;
  for (const PlannedDomain* domain : group) {
    if (names.size() == kShown) break;
    names.push_back(domain->plan.spec.domain);
  }
  std::string text = absl::StrJoin(names, ", ");
  if (group.size() > kShown) absl::StrAppend(&text, " and ", group.size() - kShown, " more");
  return text;
}

}  // namespace

void PrintPlans(const std::vector<PlannedDomain>& domains, const PlanTarget& target,
                const std::string& speed) {
  std::vector<std::vector<const PlannedDomain*>> groups;
  std::map<std::string, size_t> known;
  for (const PlannedDomain& domain : domains) {
    const auto [place, is_new] = known.try_emplace(KeyOf(domain), groups.size());
    if (is_new) groups.emplace_back();
    groups[place->second].push_back(&domain);
  }
  for (size_t i = 0; i < groups.size(); ++i) {
    const PlannedDomain& first = *groups[i].front();
    if (i > 0) std::printf("\n");
    std::printf(
        "%s\n%s on %s, r %lld, %lld trainable parameters, %s\n", Names(groups[i]).c_str(),
        groups[i].size() == 1 ? "1 domain" : absl::StrCat(groups[i].size(), " domains").c_str(),
        first.plan.spec.base.c_str(), static_cast<long long>(first.plan.spec.lora.r),
        static_cast<long long>(first.plan.memory.trainable_parameters),
        ModeName(first.plan.checkpointing));
    PrintTable(first, target);
    PrintVariants(first);
    PrintTime(groups[i], speed);
  }
}

OrderedJson PlansJson(const std::vector<PlannedDomain>& domains, const PlanTarget& target) {
  OrderedJson plans = OrderedJson::array();
  for (const PlannedDomain& domain : domains) {
    const MemoryPlan& memory = domain.plan.memory;
    OrderedJson variants = OrderedJson::array();
    for (const Variant& variant : domain.variants) {
      variants.push_back({{"name", variant.name},
                          {"total_bytes", variant.plan.memory.total()},
                          {"keys", DomainKeys(variant)}});
    }
    const OrderedJson seconds =
        domain.time.seconds ? OrderedJson(*domain.time.seconds) : OrderedJson(nullptr);
    const OrderedJson left = target.memory_bytes > 0
                                 ? OrderedJson(target.memory_bytes - domain.total())
                                 : OrderedJson(nullptr);
    plans.push_back(
        {{"domain", domain.plan.spec.domain},
         {"base", domain.plan.spec.base},
         {"fits", domain.plan.fits},
         {"total_bytes", memory.total()},
         {"left_bytes", left},
         {"calibrated_bytes", domain.total()},
         {"calibration",
          {{"factor", domain.calibrated_bytes > 0 ? domain.calibration.factor() : 1.0},
           {"attempts", domain.calibration.attempts()},
           {"device_kind", domain.calibration.device_kind()}}},
         {"trainable_parameters", memory.trainable_parameters},
         {"gradient_checkpointing", domain.plan.checkpointing == Checkpointing::kPerLayer},
         {"lines", LinesJson(memory)},
         {"activations_otherwise_bytes", domain.otherwise.Line(MemoryLine::kActivations)},
         {"variants", variants},
         {"would_fit", domain.would_fit},
         {"time",
          {{"tokens", domain.time.tokens},
           {"steps", domain.time.steps},
           {"seconds", seconds},
           {"estimated", true}}}});
  }
  return plans;
}

void PrintContexts(const ContextTable& table) {
  std::vector<Column> columns = {{.title = "MEMORY", .right = true}};
  for (size_t i = 0; i < table.techniques.size(); ++i) {
    // The last is what this trainer does: it stays where the terminal is narrow.
    const int rank = static_cast<int>(table.techniques.size() - 1 - i);
    columns.push_back({.title = table.techniques[i], .right = true, .rank = rank});
  }
  Table shown(std::move(columns));
  for (const ContextRow& row : table.rows) {
    std::vector<Cell> cells = {absl::StrCat(row.memory_bytes >> 30, " GB")};
    for (const int64_t tokens : row.tokens) {
      const bool stretched = tokens > table.base_tokens;
      cells.push_back({tokens == 0 ? "-" : absl::StrCat(tokens, stretched ? "*" : ""),
                       stretched ? Tone::kFaint : Tone::kPlain});
    }
    shown.AddRow(std::move(cells));
  }
  shown.Print();
  std::fflush(stdout);
  std::fprintf(stderr, "Tokens; * beyond the %d this base was made for, by rope_scaling.\n",
               static_cast<int>(table.base_tokens));
}

OrderedJson ContextsJson(const ContextTable& table) {
  OrderedJson rows = OrderedJson::array();
  for (const ContextRow& row : table.rows) {
    OrderedJson tokens = OrderedJson::object();
    for (size_t i = 0; i < row.tokens.size(); ++i) tokens[table.techniques[i]] = row.tokens[i];
    rows.push_back({{"memory_bytes", row.memory_bytes}, {"tokens", tokens}});
  }
  return rows;
}

}  // namespace mozgach
