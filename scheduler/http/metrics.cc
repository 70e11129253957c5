#include "scheduler/http/metrics.h"

#include <map>
#include <string>

#include "scheduler/http/metric_families.h"
#include "scheduler/views/job_view.h"

namespace mozgach {
namespace {

void CollectJobs(SchedulerState& state, MetricFamilies& out) {
  for (const JobState job_state : kJobStates) {
    const auto count = state.queue.Count(job_state);
    if (count.ok()) {
      out.Gauge("mozgach_jobs", "Jobs by state.", static_cast<double>(*count),
                {{"state", Name(job_state)}});
    }
  }
  const Counters& counters = state.counters;
  out.Counter("mozgach_jobs_submitted_total", "Jobs queued since the start.",
              static_cast<double>(counters.jobs_submitted));
  for (const JobState job_state : {JobState::kSucceeded, JobState::kFailed, JobState::kCancelled}) {
    const auto finished = counters.jobs_finished.find(Name(job_state));
    out.Counter(
        "mozgach_jobs_finished_total", "Jobs that ended since the start, by how.",
        finished == counters.jobs_finished.end() ? 0 : static_cast<double>(finished->second),
        {{"result", Name(job_state)}});
  }
  for (const char* ended : {"succeeded", "cancelled", "user", "data", "out_of_memory", "unknown",
                            "infrastructure", "lost", "stopped"}) {
    const auto attempts = counters.attempts_ended.find(ended);
    out.Counter(
        "mozgach_job_attempts_total", "Attempts that ended since the start, by how.",
        attempts == counters.attempts_ended.end() ? 0 : static_cast<double>(attempts->second),
        {{"class", ended}});
  }
}

void CollectCounters(const Counters& counters, MetricFamilies& out) {
  out.Counter("mozgach_stale_reports_total", "Reports with an attempt number that is over.",
              static_cast<double>(counters.stale_reports));
  out.Counter("mozgach_lease_expired_total", "Leases lost by silent or restarted workers.",
              static_cast<double>(counters.leases_expired));
  out.Counter("mozgach_claims_total", "Jobs given to workers.",
              static_cast<double>(counters.claims));
  out.Counter("mozgach_affinity_hits_total", "Jobs given to a worker that had the base loaded.",
              static_cast<double>(counters.affinity_hits));
  for (const char* result : {"published", "refused", "error"}) {
    const auto publishes = counters.publishes.find(result);
    out.Counter("mozgach_publish_total", "Tries to publish a version, by result.",
                publishes == counters.publishes.end() ? 0 : static_cast<double>(publishes->second),
                {{"result", result}});
  }
  out.Observations("mozgach_publish_seconds", "How long publishing a version took.",
                   counters.publish_seconds);
  out.Observations("mozgach_job_queue_wait_seconds",
                   "How long jobs waited before a worker had them.", counters.queue_wait_seconds);
  out.Observations("mozgach_claim_seconds", "How long giving out a job took.",
                   counters.claim_seconds);
}

void CollectRunning(const ProgressCache& board, MetricFamilies& out) {
  // A superseded job may still be stopping when its successor runs: the successor has the series.
  std::map<std::string, AttemptProgress> by_domain;
  for (const auto& [job, entry] : board.entries()) by_domain[entry.domain] = entry.progress;
  for (const auto& [domain, progress] : by_domain) {
    const MetricFamilies::Labels labels = {{"domain", domain}};
    const double ratio = progress.steps > 0 ? double(progress.step) / double(progress.steps) : 0;
    out.Gauge("mozgach_job_progress_ratio", "How far a running job is.", ratio, labels);
    out.Gauge("mozgach_job_step", "Step of a running job.", double(progress.step), labels);
    out.Gauge("mozgach_job_steps", "All steps of a running job.", double(progress.steps), labels);
    if (progress.loss.has_value()) {
      out.Gauge("mozgach_job_loss", "Running mean of a running job's training loss.",
                *progress.loss, labels);
    }
    if (progress.step_loss.has_value()) {
      out.Gauge("mozgach_job_step_loss", "Training loss of a running job's last step alone.",
                *progress.step_loss, labels);
    }
    if (progress.eval_loss.has_value()) {
      out.Gauge("mozgach_job_eval_loss", "Newest loss of a running job on its validation rows.",
                *progress.eval_loss, labels);
    }
    out.Gauge("mozgach_job_tokens_per_second", "Speed of a running job.",
              progress.tokens_per_second, labels);
    out.Gauge("mozgach_job_memory_peak_bytes", "Peak memory of a running job.",
              double(progress.memory_peak_bytes), labels);
  }
}

void CollectWorker(const SchedulerState& state, const Now& now, const WorkerState& worker,
                   MetricFamilies& out) {
  const bool lost = WorkerTable::IsLost(worker, now, state.config.lease);
  const MetricFamilies::Labels labels = {{"worker", worker.name}};
  if (WorkerTable::IsAwaited(worker, now, state.config.lease)) return;
  out.Gauge("mozgach_worker_up", "1: the worker has called within a lease.", lost ? 0 : 1, labels);
  out.Gauge("mozgach_worker_last_call_timestamp_seconds", "When the worker called last.",
            double(ToMillis(worker.last_call)) / 1000, labels);
  out.Gauge("mozgach_worker_jobs", "Leases the worker holds.",
            double(state.leases.JobsOf(worker.name).size()), labels);
  if (lost) return;
  uint64_t base_bytes = 0;
  for (const v1::Base& base : worker.bases) base_bytes += base.size_bytes();
  out.Gauge("mozgach_worker_base_bytes", "Bytes of bases on the worker's disk.", double(base_bytes),
            labels);
  out.Gauge("mozgach_worker_base_room_bytes", "Room on its disk for bases that it would fetch.",
            double(worker.base_room_bytes), labels);
  out.Gauge("mozgach_worker_memory_bytes", "Resident memory of the worker's trainers.",
            double(worker.memory_bytes), labels);
  for (const v1::Device& device : worker.devices) {
    const MetricFamilies::Labels at = {{"worker", worker.name}, {"device", device.name()}};
    out.Gauge("mozgach_device_memory_total_bytes", "Memory of a device.",
              double(device.memory_total_bytes()), at);
    out.Gauge("mozgach_device_memory_free_bytes", "Free memory of a device.",
              double(device.memory_free_bytes()), at);
  }
}

void CollectWorkers(const SchedulerState& state, const Now& now, MetricFamilies& out) {
  std::map<std::string, double> states = {
      {"up", 0}, {"draining", 0}, {"quarantined", 0}, {"lost", 0}, {"awaited", 0}};
  for (const auto& [name, worker] : state.worker_table.workers()) {
    ++states[StateOf(state, now, worker)];
    CollectWorker(state, now, worker, out);
  }
  for (const auto& [state, workers] : states) {
    out.Gauge("mozgach_workers", "Workers by state.", workers, {{"state", state}});
  }
  out.Counter("mozgach_base_loads_total", "Times that a trainer loaded a base.",
              double(state.worker_table.base_loads_total()));
  out.Counter("mozgach_base_fetched_bytes_total", "Bytes of bases that workers have fetched.",
              double(state.worker_table.base_bytes_fetched_total()));
  out.Gauge("mozgach_bases", "Bases that the scheduler holds.", double(state.bases.all().size()));
  out.Gauge("mozgach_base_bytes", "Bytes of the bases that the scheduler holds.",
            double(state.bases.size_bytes()));
  out.Counter("mozgach_trainer_restarts_total", "Times that a worker restarted a trainer.",
              double(state.worker_table.trainer_restarts_total()));
}

void CollectWriteProblems(const SchedulerState& state, MetricFamilies& out) {
  out.Gauge("mozgach_write_problem",
            "1: what the scheduler is told cannot be stored safely; /health says why.",
            state.WhyNotWritable().empty() ? 0 : 1);
  out.Counter("mozgach_write_problems_total", "Times that such a problem began.",
              static_cast<double>(state.counters.write_problems));
}

void CollectDatabase(Database& database, MetricFamilies& out) {
  const Database::Stats& stats = database.stats();
  out.Counter("mozgach_db_commits_total", "Transactions.", double(stats.commits));
  out.Counter("mozgach_db_commit_seconds_total", "Time spent writing transactions.",
              stats.commit_seconds);
  out.Counter("mozgach_db_syncs_total", "Times that transactions were made to survive a power cut.",
              double(database.log_sync().syncs()));
  out.Counter("mozgach_db_sync_seconds_total", "Time spent waiting for the disk in them.",
              database.log_sync().seconds());
  out.Counter("mozgach_db_errors_total", "Statements that failed.", double(stats.failures));
  out.Gauge("mozgach_db_size_bytes", "Size of the database.", double(database.SizeBytes()));
  out.Gauge("mozgach_db_wal_bytes", "Size of its write-ahead log.",
            double(database.WalSizeBytes()));
}

}  // namespace

std::vector<prometheus::MetricFamily> CollectFrom(Core& core, const Now& now) {
  MetricFamilies out;
  out.Gauge("mozgach_build_info", "1, with the version of this program.", 1,
            {{"version", MOZGACH_VERSION}});
  CollectJobs(core.state(), out);
  CollectCounters(core.state().counters, out);
  CollectRunning(core.state().progress, out);
  CollectWorkers(core.state(), now, out);
  CollectWriteProblems(core.state(), out);
  CollectDatabase(core.state().database, out);
  return out.Take();
}

std::vector<prometheus::MetricFamily> Metrics::Collect() const {
  std::vector<prometheus::MetricFamily> families =
      executor_.Run([](Core& core, const Now& now) { return CollectFrom(core, now); });
  MetricFamilies out;
  for (const auto& [key, count] : refused_.counts()) {
    out.Counter("mozgach_calls_refused_total",
                "Calls refused since the start, by reason and by the caller's role.", double(count),
                {{"reason", key.first}, {"role", key.second}});
  }
  for (prometheus::MetricFamily& family : out.Take()) families.push_back(std::move(family));
  return families;
}

}  // namespace mozgach
