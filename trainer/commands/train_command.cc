#include <filesystem>
#include <iostream>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "nlohmann/json.hpp"
#include "trainer/adapter/adapter_job.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/model_flags.h"
#include "trainer/commands/train_progress.h"
#include "trainer/train/compute_type.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

struct TrainFlags {
  std::string domain;
  std::string base;
  std::string output;
  std::string init_adapter;
  bool resume = false;
  bool overwrite = false;
  bool json = false;
  int threads = 0;
  std::string cache;
  uint64_t memory = 0;  // bytes; 0: what there is
};

constexpr char kCheckpoints[] = "checkpoints";

// What an earlier training left in `output`; nothing else there is ever removed.
absl::Status RemoveEarlier(const fs::path& output) {
  for (const char* name : {"adapter_config.json", "adapter_model.safetensors", "metrics.json",
                           "README.md", kCheckpoints}) {
    RETURN_IF_ERROR(RemoveAll(output / name));
  }
  return absl::OkStatus();
}

absl::Status PrepareOutput(const TrainFlags& flags) {
  if (flags.overwrite) RETURN_IF_ERROR(RemoveEarlier(flags.output));
  RETURN_IF_ERROR(MakeDirectories(flags.output));
  std::error_code error;
  const bool empty = fs::is_empty(flags.output, error);
  if (error) return SystemError(error.value(), absl::StrCat("read ", flags.output));
  if (empty || flags.resume || flags.overwrite) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "--output ", flags.output, " is not empty; --resume goes on there, --overwrite starts over"));
}

AdapterJob JobOf(const TrainFlags& flags, DomainFile file) {
  AdapterJob job;
  job.spec = std::move(file.spec);
  job.data = {std::move(file.train), std::move(file.validation), std::move(file.test)};
  job.output_dir = flags.output;
  job.checkpoint_dir = fs::path(flags.output) / kCheckpoints;
  job.resume_only_own = true;
  if (!flags.init_adapter.empty()) job.init_adapter = flags.init_adapter;
  return job;
}

absl::Status RunTrain(const TrainFlags& flags) {
  BoundMemory(static_cast<int64_t>(flags.memory));
  ASSIGN_OR_RETURN(DomainFile file, ReadDomainFile(flags.domain));
  RETURN_IF_ERROR(PrepareOutput(flags));
  AdapterJob job = JobOf(flags, std::move(file));
  job.pinned = PinnedInCheckpoints(job.checkpoint_dir);
  const int asked =
      flags.threads > 0 ? flags.threads : static_cast<int>(job.pinned.threads.value_or(0));
  job.pinned.threads = UseThreads(asked);
  std::optional<at::ScalarType> type;
  if (job.pinned.compute_dtype) {
    ASSIGN_OR_RETURN(type, ParseComputeType(*job.pinned.compute_dtype));
  }
  ASSIGN_OR_RETURN(const auto base,
                   LoadBase(flags.base, job.spec.quantization, type, {.cache = flags.cache}));
  job.pinned.compute_dtype = ComputeTypeName(base->compute_type);

  TrainProgress progress(flags.json);
  const auto finished = MakeAdapter(job, *base, progress);
  if (absl::IsCancelled(finished.status())) {
    return Annotate(finished.status(), "--resume goes on from the checkpoint");
  }
  RETURN_IF_ERROR(finished.status());
  std::cerr << "adapter: " << flags.output << "\n";
  if (!flags.json) std::cout << MetricsJson(finished->base, finished->adapter).dump(2) << std::endl;
  return absl::OkStatus();
}

}  // namespace

void AddTrainCommand(CLI::App& app, Command* command) {
  auto flags = std::make_shared<TrainFlags>();
  CLI::App* train = app.add_subcommand("train", "train one adapter from a domain file");
  train->add_option("--domain", flags->domain, "domain file")->required();
  AddBaseFlag(*train, &flags->base);
  train
      ->add_option("--output", flags->output,
                   "PEFT directory to make; checkpoints in checkpoints/ below it")
      ->required();
  train->add_option("--init-adapter", flags->init_adapter, "PEFT directory to start from");
  auto* resume = train->add_flag("--resume", flags->resume, "go on from the newest checkpoint");
  train->add_flag("--overwrite", flags->overwrite, "remove an earlier training's files first")
      ->excludes(resume);
  train->add_flag("--json", flags->json, "one JSON object per logged step on stdout");
  AddThreadsFlag(*train, &flags->threads);
  AddCacheFlag(*train, &flags->cache);
  AddMemoryFlag(*train, &flags->memory);
  train->callback([=] { *command = [flags] { return RunTrain(*flags); }; });
}

}  // namespace mozgach
