#include "worker/agent/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/text_serializer.h>

#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"

namespace mozgach {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;

// Brings a counter up to a count that is kept elsewhere.
void RaiseTo(Counter& counter, uint64_t count) {
  const double missing = static_cast<double>(count) - counter.Value();
  if (missing > 0) counter.Increment(missing);
}

}  // namespace

struct WorkerMetrics::Families {
  explicit Families(prometheus::Registry& registry)
      : registry(registry),
        base_loads(Total("mozgach_worker_base_loads_total", "Bases loaded by its trainers")),
        trainer_restarts(
            Total("mozgach_worker_trainer_restarts_total", "Trainers started after one that died")),
        uploaded_bytes(Total("mozgach_worker_uploaded_bytes_total", "Bytes of adapters sent")),
        base_fetched_bytes(Total("mozgach_worker_base_fetched_bytes_total",
                                 "Bytes of bases fetched from the scheduler")),
        base_bytes(Value("mozgach_worker_base_bytes", "Bytes of bases on this host")),
        base_bytes_given(base_bytes.Add({{"fetched", "false"}})),
        base_bytes_fetched(base_bytes.Add({{"fetched", "true"}})),
        trainer_memory(
            Value("mozgach_worker_trainer_memory_bytes", "Resident memory of its trainers")
                .Add({})),
        trainers_up(Value("mozgach_worker_trainers_up", "Trainers that are ready").Add({})),
        last_synchronize(Value("mozgach_worker_last_synchronize_timestamp_seconds",
                               "When the scheduler last answered")
                             .Add({})),
        step(Value("mozgach_worker_job_step", "Optimizer steps made")),
        steps(Value("mozgach_worker_job_steps", "Optimizer steps of the whole job")),
        loss(Value("mozgach_worker_job_loss", "Running mean of the training loss")),
        step_loss(Value("mozgach_worker_job_step_loss", "Training loss of the last step alone")),
        eval_loss(Value("mozgach_worker_job_eval_loss", "Newest loss on the validation rows")),
        tokens_per_second(
            Value("mozgach_worker_job_tokens_per_second", "Tokens trained per second")),
        memory_peak(Value("mozgach_worker_job_memory_peak_bytes", "Peak memory of the job")) {}

  Counter& Total(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
  }
  Family<Gauge>& Value(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  }

  prometheus::Registry& registry;
  Counter& base_loads;
  Counter& trainer_restarts;
  Counter& uploaded_bytes;
  Counter& base_fetched_bytes;
  Family<Gauge>& base_bytes;
  Gauge& base_bytes_given;
  Gauge& base_bytes_fetched;
  Gauge& trainer_memory;
  Gauge& trainers_up;
  Gauge& last_synchronize;
  Family<Gauge>& step;
  Family<Gauge>& steps;
  Family<Gauge>& loss;
  Family<Gauge>& step_loss;
  Family<Gauge>& eval_loss;
  Family<Gauge>& tokens_per_second;
  Family<Gauge>& memory_peak;
};

struct WorkerMetrics::Series {
  Series(Families& families, const std::string& domain)
      : families(families),
        step(families.step.Add({{"domain", domain}})),
        steps(families.steps.Add({{"domain", domain}})),
        domain(domain),
        loss(families.loss.Add({{"domain", domain}})),
        step_loss(families.step_loss.Add({{"domain", domain}})),
        tokens_per_second(families.tokens_per_second.Add({{"domain", domain}})),
        memory_peak(families.memory_peak.Add({{"domain", domain}})) {}

  ~Series() {
    families.step.Remove(&step);
    families.steps.Remove(&steps);
    families.loss.Remove(&loss);
    families.step_loss.Remove(&step_loss);
    if (eval_loss != nullptr) families.eval_loss.Remove(eval_loss);
    families.tokens_per_second.Remove(&tokens_per_second);
    families.memory_peak.Remove(&memory_peak);
  }

  void Show(const v1::Progress& progress) {
    step.Set(static_cast<double>(progress.step()));
    steps.Set(static_cast<double>(progress.steps()));
    if (std::isfinite(progress.loss())) loss.Set(progress.loss());
    if (std::isfinite(progress.step_loss())) step_loss.Set(progress.step_loss());
    ShowEvalLoss(progress);
    tokens_per_second.Set(progress.tokens_per_second());
    memory_peak.Set(static_cast<double>(progress.memory_peak_bytes()));
  }

  // Absent until it is measured.
  void ShowEvalLoss(const v1::Progress& progress) {
    if (!progress.has_eval_loss()) return;
    if (eval_loss == nullptr) eval_loss = &families.eval_loss.Add({{"domain", domain}});
    eval_loss->Set(progress.eval_loss());
  }

  Families& families;
  Gauge& step;
  Gauge& steps;
  const std::string domain;
  Gauge& loss;
  Gauge& step_loss;
  Gauge* eval_loss = nullptr;
  Gauge& tokens_per_second;
  Gauge& memory_peak;
};

WorkerMetrics::WorkerMetrics(const std::string& worker, const std::string& version)
    : registry_(std::make_shared<prometheus::Registry>()),
      families_(std::make_unique<Families>(*registry_)) {
  prometheus::BuildGauge()
      .Name("mozgach_build_info")
      .Help("1; the labels say what runs here")
      .Register(*registry_)
      .Add({{"program", "mozgach-worker"}, {"version", version}, {"worker", worker}})
      .Set(1);
}

WorkerMetrics::~WorkerMetrics() = default;

absl::StatusOr<std::string> WorkerMetrics::Serve(const std::string& address,
                                                 const std::vector<std::string>& allowed_hosts) {
  const WebPages pages = {{"/metrics", [registry = registry_] {
                             return WebAnswer{
                                 200, "text/plain; version=0.0.4; charset=utf-8",
                                 prometheus::TextSerializer().Serialize(registry->Collect())};
                           }}};
  absl::StatusOr<std::unique_ptr<WebServer>> web = WebServer::Start(
      {.address = address,
       .allowed_hosts = allowed_hosts,
       .how_to_allow = "To allow it, give --http-allowed-host, here or in the file of --config"},
      pages);
  if (!web.ok()) return Annotate(web.status(), "--http");
  web_ = *std::move(web);
  return web_->address();
}

void WorkerMetrics::Update(const Session& session, Milliseconds monotonic_now, WallTime now) {
  RaiseTo(families_->base_loads, session.base_loads());
  RaiseTo(families_->trainer_restarts, session.trainer_restarts());
  RaiseTo(families_->uploaded_bytes, uploaded_bytes_);
  RaiseTo(families_->base_fetched_bytes, session.base_bytes_fetched());
  double given = 0, fetched = 0;
  for (const auto& [name, base] : session.bases().all()) {
    (base.digest.empty() ? given : fetched) += static_cast<double>(base.size_bytes);
  }
  families_->base_bytes_given.Set(given);
  families_->base_bytes_fetched.Set(fetched);
  families_->trainer_memory.Set(static_cast<double>(session.memory_bytes()));
  int up = 0;
  for (const Device& device : session.devices()) up += device.up() ? 1 : 0;
  families_->trainers_up.Set(up);
  if (session.last_answer_at() >= Milliseconds(0)) {
    const WallTime answered = now - (monotonic_now - session.last_answer_at());
    families_->last_synchronize.Set(static_cast<double>(ToMillis(answered)) / 1000.0);
  }
  UpdateJobs(session);
}

void WorkerMetrics::UpdateJobs(const Session& session) {
  std::set<std::string> running;
  for (const auto& [id, attempt] : session.attempts()) {
    if (attempt.state != AttemptState::kInTrainer || attempt.progress.steps() == 0) continue;
    running.insert(attempt.work.domain);
    auto series = jobs_.find(attempt.work.domain);
    if (series == jobs_.end()) {
      series = jobs_.try_emplace(attempt.work.domain, *families_, attempt.work.domain).first;
    }
    series->second.Show(attempt.progress);
  }
  std::erase_if(jobs_, [&](const auto& each) { return !running.contains(each.first); });
}

}  // namespace mozgach
