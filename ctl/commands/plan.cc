// mozgachctl plan: what jobs need before they run, line by line.
#include <cstdio>
#include <map>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/files.h"
#include "common/terminal_text.h"
#include "ctl/commands/command.h"
#include "ctl/display/job_table.h"
#include "ctl/display/message_json.h"
#include "ctl/display/plan_display.h"
#include "ctl/local/base_config.h"
#include "ctl/local/plan_data.h"
#include "planner/known_device.h"

namespace mozgach {
namespace {

// A scheduler that is only asked for speeds may be absent.
constexpr Milliseconds kShortTimeout{1500};

struct PlanFlags {
  std::vector<std::string> files;
  std::vector<std::string> bases;
  std::string memory;
  std::string device;
  std::string worker;
  std::string contexts;
};

// Tokens per second that finished jobs of a base have shown.
struct Speeds {
  std::map<std::string, std::pair<double, int>> by_base;  // sum, jobs

  double Of(const std::string& base) const {
    const auto found = by_base.find(base);
    return found == by_base.end() ? 0 : found->second.first / found->second.second;
  }
};

absl::StatusOr<Speeds> AskSpeeds(Connection& connection, const std::string& worker) {
  v1::ListRequest request;
  request.mutable_selector()->set_all(true);
  ASSIGN_OR_RETURN(const v1::ListResponse response,
                   connection.Call(&v1::JobService::Stub::List, request));
  Speeds speeds;
  for (const v1::Job& job : response.jobs()) {
    if (job.state() != "succeeded" || job.tokens_per_second() <= 0) continue;
    if (!worker.empty() && job.worker() != worker) continue;
    auto& [sum, jobs] = speeds.by_base[job.base()];
    sum += job.tokens_per_second();
    ++jobs;
  }
  return speeds;
}

// Where jobs are planned for, and what of them was observed there, by base.
struct Target {
  PlanTarget plan;
  std::map<std::string, v1::Calibration> calibrations;

  PlanTarget For(const std::string& base) const {
    PlanTarget target = plan;
    const auto found = calibrations.find(base);
    if (found != calibrations.end()) target.factor = found->second.factor();
    return target;
  }
};

absl::StatusOr<Target> TargetOfWorker(Connection& connection, const std::string& name) {
  ASSIGN_OR_RETURN(const v1::ListWorkersResponse response,
                   connection.Call(&v1::JobService::Stub::ListWorkers, v1::ListWorkersRequest()));
  std::vector<std::string> names;
  for (const v1::Worker& worker : response.workers()) {
    names.push_back(worker.worker());
    if (worker.worker() != name) continue;
    Target target;
    std::string kind;
    for (const v1::Device& device : worker.devices()) {
      const auto memory = static_cast<int64_t>(device.memory_total_bytes());
      if (memory <= target.plan.memory_bytes) continue;
      target.plan.memory_bytes = memory;
      target.plan.device = device.name() == "cpu" ? DeviceClass::kCpu : DeviceClass::kGpu;
      kind = device.kind();
    }
    for (const v1::Calibration& calibration : worker.calibrations()) {
      if (calibration.device_kind() != kind) continue;
      target.calibrations.emplace(calibration.base(), calibration);
    }
    if (target.plan.memory_bytes > 0) return target;
    return absl::FailedPreconditionError(
        absl::StrCat("worker ", name, " has not said yet what devices it has; try again"));
  }
  return absl::NotFoundError(
      absl::StrCat("there is no worker '", name, "'; ",
                   names.empty() ? "none has called this scheduler yet"
                                 : absl::StrCat("there are: ", absl::StrJoin(names, ", "))));
}

// The machine this runs on, where nothing else is named.
PlanTarget ThisMachine() {
  PlanTarget target;
  target.device = DeviceClass::kCpu;
  target.threads = static_cast<int64_t>(std::max(1u, std::thread::hardware_concurrency()));
  return target;
}

absl::StatusOr<Target> TargetOf(const PlanFlags& flags, Connection* connection) {
  if (!flags.worker.empty()) return TargetOfWorker(*connection, flags.worker);
  if (!flags.device.empty()) {
    ASSIGN_OR_RETURN(const KnownDevice device, FindDevice(flags.device));
    return Target{{device.device, device.memory_bytes, 1}, {}};
  }
  if (flags.memory.empty()) return Target{ThisMachine(), {}};
  const auto bytes = ParseMemorySize(flags.memory);
  if (!bytes.ok()) return Annotate(bytes.status(), "--memory");
  return Target{{DeviceClass::kGpu, *bytes, 1}, {}};
}

absl::StatusOr<PlannedDomain> PlanOne(const DomainFile& file, const ModelConfig& config,
                                      const PlanTarget& target, const Speeds& speeds) {
  PlannedDomain planned;
  ASSIGN_OR_RETURN(const DomainRows rows, EstimateRows(file));
  ASSIGN_OR_RETURN(planned.plan, PlanDomain(config, file.spec, target, rows));
  DomainSpec other = planned.plan.spec;
  other.training.gradient_checkpointing =
      planned.plan.checkpointing == Checkpointing::kPerLayer ? "false" : "true";
  ASSIGN_OR_RETURN(const DomainPlan otherwise, PlanDomain(config, other, target, rows));
  planned.otherwise = otherwise.memory;
  if (target.memory_bytes > 0) {
    ASSIGN_OR_RETURN(planned.variants, VariantsThatFit(config, file.spec, target, rows));
    if (planned.variants.empty()) {
      ASSIGN_OR_RETURN(planned.would_fit, WhatWouldFit(config, file.spec, target, rows));
    }
  }
  planned.time = PlanTime(file.spec, rows.train, speeds.Of(file.spec.base));
  return planned;
}

struct PlannedDomains {
  std::vector<PlannedDomain> planned;
  std::vector<std::string> problems;  // problems of files that could not be read
};

absl::StatusOr<PlannedDomain> PlanWith(const DomainFile& file, const ModelConfig& config,
                                       const Target& target, const Speeds& speeds) {
  const std::string& base = file.spec.base;
  ASSIGN_OR_RETURN(PlannedDomain plan, PlanOne(file, config, target.For(base), speeds));
  if (const auto known = target.calibrations.find(base); known != target.calibrations.end()) {
    plan.calibrated_bytes = Calibrated(plan.plan.memory, target.For(base));
    plan.calibration = known->second;
  }
  return plan;
}

PlannedDomains PlanAll(const PlanFlags& flags, const Target& target, const Speeds& speeds) {
  const auto folders = BaseFolders(flags.bases, flags.files);
  std::map<std::string, absl::StatusOr<ModelConfig>> configs;
  PlannedDomains all;
  for (const std::string& name : flags.files) {
    const auto file = ReadDomainFile(name);
    if (!file.ok()) {
      all.problems.emplace_back(file.status().message());
      continue;
    }
    const std::string& base = file->spec.base;
    const bool is_new = !configs.contains(base);
    if (is_new) configs.emplace(base, ReadBaseConfig(base, folders));
    const auto& config = configs.at(base);
    if (!config.ok()) {
      all.problems.push_back(
          is_new ? absl::StrCat(name, ": ", config.status().message())
                 : absl::StrCat(name, ": base ", base, " cannot be read, as said above"));
      continue;
    }
    auto plan = PlanWith(*file, *config, target, speeds);
    if (plan.ok()) {
      all.planned.push_back(*std::move(plan));
    } else {
      all.problems.push_back(absl::StrCat(name, ": ", plan.status().message()));
    }
  }
  return all;
}

absl::StatusOr<int> Contexts(const PlanFlags& flags, const Settings& settings) {
  const auto config = ReadBaseConfigAt(flags.contexts, BaseFolders(flags.bases, flags.files));
  if (!config.ok()) return absl::InvalidArgumentError(config.status().message());
  ASSIGN_OR_RETURN(const ContextTable table, ContextsOf(*config, DeviceClass::kGpu));
  if (settings.json) {
    PrintJson(ContextsJson(table));
  } else {
    PrintContexts(table);
  }
  return 0;
}

// Returns the exit code.
int Report(const std::vector<std::string>& problems) {
  for (const std::string& problem : problems) {
    std::fprintf(stderr, "mozgachctl: %s\n", EscapeControls(problem).c_str());
  }
  return problems.empty() ? 0 : 2;
}

absl::StatusOr<int> Plan(const PlanFlags& flags, const Settings& settings) {
  if (!flags.contexts.empty()) return Contexts(flags, settings);
  if (flags.files.empty()) {
    return absl::InvalidArgumentError(
        "plan: name domain files, like domains/*.yaml, or a base with --contexts BASE");
  }
  std::unique_ptr<Connection> connection;
  if (!flags.worker.empty()) {
    ASSIGN_OR_RETURN(connection, settings.Connect());
  } else if (auto opened = settings.Connect(kShortTimeout); opened.ok()) {
    connection = *std::move(opened);
  }
  ASSIGN_OR_RETURN(const Target target, TargetOf(flags, connection.get()));
  Speeds speeds;
  if (connection != nullptr) {
    if (auto asked = AskSpeeds(*connection, flags.worker); asked.ok()) speeds = *std::move(asked);
  }
  const PlannedDomains all = PlanAll(flags, target, speeds);
  if (all.planned.empty()) return Report(all.problems);
  if (settings.json) {
    PrintJson(PlansJson(all.planned, target.plan));
  } else {
    PrintPlans(all.planned, target.plan,
               flags.worker.empty() ? "the speed that finished jobs of this base have shown"
                                    : absl::StrCat("the speed that ", flags.worker, " has shown"));
    std::fflush(stdout);
    std::fprintf(stderr, "~ is an estimate from the bytes of the rows: no tokenizer was asked.\n");
  }
  return Report(all.problems);
}

}  // namespace

void AddPlanCommand(CLI::App& app, Command* command) {
  auto flags = std::make_shared<PlanFlags>();
  CLI::App* plan = app.add_subcommand(
      "plan", "Say what memory and time jobs need, line by line, and what would fit");
  plan->add_option("FILES", flags->files, "Domain files, like domains/*.yaml");
  auto* memory = plan->add_option("--memory", flags->memory, "Of the device, like 16GiB");
  auto* device = plan->add_option("--device", flags->device, "By its name, like \"RTX 5060 Ti\"");
  auto* worker = plan->add_option("--worker", flags->worker, "A worker of the fleet");
  memory->excludes(device)->excludes(worker);
  device->excludes(worker);
  plan->add_option("--bases", flags->bases,
                   "Where bases lie; config.json alone is enough (default: ./bases, bases beside "
                   "the domain files, then the hub's cache: $HF_HUB_CACHE, $HF_HOME/hub, "
                   "~/.cache/huggingface/hub)");
  auto* contexts = plan->add_option("--contexts", flags->contexts,
                                    "A base: how long a context trains in how much memory");
  for (CLI::Option* target : {memory, device, worker}) {
    target->excludes(contexts);
    // A variable of the shell that is not set.
    target->check([](const std::string& text) { return text.empty() ? "it is empty" : ""; });
  }
  plan->callback([flags, command] {
    *command = [flags](const Settings& settings) { return Plan(*flags, settings); };
  });
}

}  // namespace mozgach
