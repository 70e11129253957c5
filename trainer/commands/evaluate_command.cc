#include <iostream>
#include <memory>

#include "nlohmann/json.hpp"
#include "trainer/adapter/adapter_job.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/model_flags.h"
#include "trainer/train/extended_context.h"

namespace mozgach {
namespace {

struct EvaluateFlags {
  std::string domain;
  std::string base;
  std::string adapter;
  int threads = 0;
  std::string cache;
};

absl::Status RunEvaluate(const EvaluateFlags& flags) {
  ASSIGN_OR_RETURN(DomainFile file, ReadDomainFile(flags.domain));
  UseThreads(flags.threads);
  ASSIGN_OR_RETURN(const auto base, LoadBase(flags.base, file.spec.quantization, std::nullopt,
                                             {.cache = flags.cache}));
  const ExtendedContext context(*base->model, file.spec.rope_scaling);
  std::optional<LoraAdapter> adapter;
  if (!flags.adapter.empty()) {
    ASSIGN_OR_RETURN(
        adapter, LoraAdapter::Load(flags.adapter, base->model->config(), base->model->device()));
  }
  const DatasetPaths paths{file.train, file.validation, file.test};
  ASSIGN_OR_RETURN(const JobData data, PrepareEvaluation(file.spec, paths, TextOf(*base)));
  for (const std::string& notice : data.notices) std::cerr << notice << std::endl;
  if (data.evaluation.held_out.empty() && data.evaluation.questions.empty()) {
    return absl::InvalidArgumentError(
        "there are no rows to score: set data.validation to a file or a fraction, or data.test "
        "with exact_match in evaluation.metrics");
  }
  TrainingObserver uninterrupted;
  ASSIGN_OR_RETURN(const Scores of_base,
                   AllScores(*base, nullptr, data.evaluation, file.spec.evaluation, uninterrupted));
  nlohmann::json metrics = {{"base", of_base}};
  if (adapter) {
    ASSIGN_OR_RETURN(metrics["adapter"], AllScores(*base, &*adapter, data.evaluation,
                                                   file.spec.evaluation, uninterrupted));
  }
  std::cout << metrics.dump(2) << std::endl;
  return absl::OkStatus();
}

}  // namespace

void AddEvaluateCommand(CLI::App& app, Command* command) {
  auto flags = std::make_shared<EvaluateFlags>();
  CLI::App* evaluate =
      app.add_subcommand("evaluate", "score a base, and an adapter, on a domain's rows");
  evaluate->add_option("--domain", flags->domain, "domain file")->required();
  AddBaseFlag(*evaluate, &flags->base);
  evaluate->add_option("--adapter", flags->adapter, "PEFT directory of an adapter");
  AddThreadsFlag(*evaluate, &flags->threads);
  AddCacheFlag(*evaluate, &flags->cache);
  evaluate->callback([=] { *command = [flags] { return RunEvaluate(*flags); }; });
}

}  // namespace mozgach
