#include "trainer/adapter/adapter_job.h"

#include <ATen/core/grad_mode.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "nlohmann/json.hpp"
#include "trainer/adapter/job_memory.h"
#include "trainer/adapter/mlx_directory.h"
#include "trainer/adapter/peft_directory.h"
#include "trainer/adapter/rung_record.h"
#include "trainer/train/compute_type.h"
#include "trainer/train/extended_context.h"
#include "trainer/train/failure.h"

namespace mozgach {
namespace {

using Json = nlohmann::json;

// Copies the tensors of the PEFT directory `dir` into `adapter`.
absl::Status StartFrom(const std::filesystem::path& dir, const Base& base, LoraAdapter& adapter) {
  const ModelConfig& config = base.model->config();
  ASSIGN_OR_RETURN(const LoraAdapter given, LoraAdapter::Load(dir, config, base.model->device()));
  const auto from = given.NamedTensors(config), to = adapter.NamedTensors(config);
  bool same = given.scaling() == adapter.scaling() && from.size() == to.size();
  for (size_t i = 0; same && i < to.size(); ++i) {
    same = from[i].first == to[i].first && from[i].second.sizes() == to[i].second.sizes();
  }
  if (!same) {
    return absl::InvalidArgumentError(
        absl::StrCat(dir.string(),
                     " does not have the rank, scaling and layers of the domain's lora section (r ",
                     adapter.rank(), ", scaling ", adapter.scaling(), ")"));
  }
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < to.size(); ++i) to[i].second.copy_(from[i].second);
  return absl::OkStatus();
}

absl::StatusOr<LoraAdapter> StartAdapter(const AdapterJob& job, const Base& base) {
  ASSIGN_OR_RETURN(LoraAdapter adapter,
                   LoraAdapter::Create(base.model->config(), job.spec.lora, job.spec.training.seed,
                                       base.model->device()));
  if (job.init_adapter) RETURN_IF_ERROR(StartFrom(*job.init_adapter, base, adapter));
  return adapter;
}

// Returns a digest over everything the base contributes: its weights and its tokenizer.
std::string DigestOf(const Base& base) {
  return Sha256Hex(absl::StrCat(base.model->digest(), " ", base.text_digest));
}

// The validation rows are drawn after data.over_length has dropped rows. Earlier versions drew them
// before, so their scores and checkpoints do not belong to these rows.
bool DrawnAfterDrops(const DomainSpec& spec, const JobData& data) {
  const double* fraction = std::get_if<double>(&spec.data.validation);
  return fraction != nullptr && *fraction > 0 && data.report.dropped > 0;
}

absl::StatusOr<TrainingIdentity> Identity(const AdapterJob& job, const Base& base,
                                          const JobData& data) {
  TrainingIdentity identity{SpecDigest(job.spec), data.digest, DigestOf(base)};
  if (DrawnAfterDrops(job.spec, data)) {
    identity.dataset_digest = Sha256Hex(absl::StrCat(data.digest, " drawn after drops"));
  }
  if (!job.init_adapter) return identity;
  ASSIGN_OR_RETURN(const std::string weights,
                   Sha256OfFile(*job.init_adapter / "adapter_model.safetensors"));
  identity.spec_digest = Sha256Hex(absl::StrCat(identity.spec_digest, " from ", weights));
  return identity;
}

// A gate that can't be decided is refused before anything is trained.
absl::Status CheckGate(const DomainSpec& spec, const JobData& data) {
  if (spec.gate.require.empty() || !data.evaluation.held_out.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "gate.require: ", spec.gate.require,
      " needs validation rows, and there are none: set data.validation to a file or "
      "a fraction, see that its rows fit into data.max_length, or leave out the gate"));
}

absl::Status PassGate(const GateSpec& gate, const Scores& base, const Scores& adapter) {
  if (gate.require != "eval_loss_below_base") return absl::OkStatus();
  const double before = base.at("eval_loss"), after = adapter.at("eval_loss");
  if (after < before) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("gate eval_loss_below_base: the adapter's validation loss ", after,
                   " is not below the bare base's ", before,
                   "; try more rows, fewer epochs, another learning_rate, or leave out the gate"));
}

// One run through MakeAdapter(), with what it makes on the way.
class Making {
 public:
  Making(AdapterJob job, const Base& base, JobObserver& observer)
      : job_(std::move(job)), base_(base), observer_(observer) {}

  absl::Status Run();
  FinishedJob Result() && { return std::move(finished_); }

 private:
  absl::Status TrainIt(LoraAdapter& adapter);
  absl::Status ScoreIt(const LoraAdapter& adapter);
  absl::Status ScoreMidway(const LoraAdapter& adapter, int64_t step);
  PreparedJob Prepared(const LoraAdapter& adapter) const;
  BatchPlan Batches() const;

  AdapterJob job_;
  const Base& base_;
  JobObserver& observer_;
  JobData data_;
  FinishedJob finished_;
};

absl::Status Making::Run() {
  ASSIGN_OR_RETURN(LoraAdapter adapter, StartAdapter(job_, base_));
  if (job_.prepared) {
    data_ = *std::exchange(job_.prepared, std::nullopt);
  } else {
    ASSIGN_OR_RETURN(data_, PrepareData(job_.spec, job_.data, TextOf(base_)));
  }
  for (const std::string& notice : base_.model->notices()) observer_.OnNotice(notice);
  for (const std::string& notice : data_.notices) observer_.OnNotice(notice);
  RETURN_IF_ERROR(CheckGate(job_.spec, data_));
  RETURN_IF_ERROR(TrainIt(adapter));
  RETURN_IF_ERROR(ScoreIt(adapter));
  RETURN_IF_ERROR(
      WriteMlxDirectory(job_.output_dir / "mlx", job_.spec, base_.model->config(), adapter));
  const AdapterFacts facts{base_.model->digest(), finished_.train_rows, finished_.totals.step,
                           finished_.totals.tokens, finished_.totals.seconds};
  return WritePeftDirectory(job_.output_dir, job_.spec, base_.model->config(), adapter,
                            MetricsJson(finished_.base, finished_.adapter), facts);
}

PreparedJob Making::Prepared(const LoraAdapter& adapter) const {
  PreparedJob prepared;
  prepared.report = data_.report;
  prepared.train_rows = static_cast<int64_t>(data_.train.size());
  prepared.trainable_parameters = adapter.TrainableParameters();
  prepared.max_length = data_.max_length;
  return prepared;
}

BatchPlan Making::Batches() const {
  std::vector<int64_t> lengths;
  for (const Example& example : data_.train) {
    lengths.push_back(static_cast<int64_t>(example.ids.size()));
  }
  DataSpec plan_data = job_.spec.data;
  plan_data.max_length = data_.max_length;
  return BatchPlan(std::move(lengths), plan_data, job_.spec.training);
}

absl::Status Making::TrainIt(LoraAdapter& adapter) {
  PreparedJob prepared = Prepared(adapter);
  finished_.train_rows = prepared.train_rows;
  const BatchPlan plan = Batches();
  ASSIGN_OR_RETURN(const JobMemory memory, PlanOfJob(job_.spec, base_, data_, plan));
  prepared.recompute = memory.recompute;
  prepared.recomputed_layers = memory.recomputed_layers;
  prepared.memory_planned_bytes = memory.plan.total();
  observer_.OnPrepared(prepared);
  ASSIGN_OR_RETURN(TrainingIdentity identity, Identity(job_, base_, data_));
  TrainingCheckpoints checkpoints(job_.checkpoint_dir, std::move(identity), job_.pinned,
                                  job_.spec.training.save_total_limit);
  TrainingInputs inputs;
  inputs.model = base_.model.get();
  inputs.adapter = &adapter;
  inputs.examples = &data_.train;
  inputs.plan = &plan;
  inputs.training = job_.spec.training;
  inputs.recompute = prepared.recompute;
  inputs.recomputed_layers = prepared.recomputed_layers;
  const RungRecord record(job_.cache_dir, job_.spec, base_);
  inputs.rung = job_.pinned.rung.value_or(record.Find());
  if (!job_.checkpoint_dir.empty()) inputs.checkpoints = &checkpoints;
  if (job_.resume_only_own && checkpoints.OnlyForeign()) {
    return absl::InvalidArgumentError(absl::StrCat(
        job_.checkpoint_dir.string(),
        " holds checkpoints of another domain file, dataset or base; start over elsewhere"));
  }
  if (!data_.evaluation.held_out.empty()) {
    inputs.evaluate = [&](int64_t step) { return ScoreMidway(adapter, step); };
  }
  ASSIGN_OR_RETURN(finished_.totals, Train(inputs, observer_));
  record.Keep(finished_.totals.rung);
  return absl::OkStatus();
}

absl::Status Making::ScoreMidway(const LoraAdapter& adapter, int64_t step) {
  ASSIGN_OR_RETURN(const Scores scores,
                   LossScores(base_, &adapter, data_.evaluation, job_.spec.evaluation, observer_));
  observer_.OnEvaluation(step, {{"adapter", scores}}, /*final=*/false);
  return absl::OkStatus();
}

absl::Status Making::ScoreIt(const LoraAdapter& adapter) {
  observer_.OnEvaluating();
  const EvaluationSpec& evaluation = job_.spec.evaluation;
  ASSIGN_OR_RETURN(finished_.adapter,
                   AllScores(base_, &adapter, data_.evaluation, evaluation, observer_));
  ASSIGN_OR_RETURN(finished_.base,
                   BaseScores(base_, data_.evaluation, evaluation,
                              BaseScoresKey(job_.spec, base_, data_), job_.cache_dir, observer_));
  observer_.OnEvaluation(finished_.totals.step, MetricsJson(finished_.base, finished_.adapter),
                         /*final=*/true);
  return PassGate(job_.spec.gate, finished_.base, finished_.adapter);
}

}  // namespace

absl::StatusOr<FinishedJob> MakeAdapter(AdapterJob job, const Base& base, JobObserver& observer) {
  const ExtendedContext context(*base.model, job.spec.rope_scaling);
  Making making(std::move(job), base, observer);
  RETURN_IF_ERROR(CatchingExceptions([&] { return making.Run(); }));
  return std::move(making).Result();
}

Json MetricsJson(const Scores& base, const Scores& adapter) {
  return {{"base", base}, {"adapter", adapter}};
}

std::string BaseScoresKey(const DomainSpec& spec, const Base& base, const JobData& data) {
  const Json json = ToJson(spec);
  Json settings = json.at("data");
  for (const char* file : {"train", "test"}) settings.erase(file);
  if (std::holds_alternative<std::string>(spec.data.validation)) settings.erase("validation");
  if (DrawnAfterDrops(spec, data)) settings["drawn"] = "after drops";
  const Json key = {{"base", DigestOf(base)},
                    {"quantization", json.at("quantization")},
                    {"compute_type", ComputeTypeName(base.compute_type)},
                    {"dataset", data.digest},
                    {"data", settings},
                    {"rope_scaling", json.at("rope_scaling")},
                    {"seed", spec.training.seed},
                    {"evaluation", json.at("evaluation")},
                    {"stop_ids", data.evaluation.stop_ids}};
  return Sha256Hex(key.dump());
}

}  // namespace mozgach
