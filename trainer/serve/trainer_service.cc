#include "trainer/serve/trainer_service.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/log_line.h"
#include "common/utf8.h"
#include "failpoint/failpoint.h"
#include "nlohmann/json.hpp"
#include "trainer/adapter/adapter_job.h"
#include "trainer/device/compute_device.h"
#include "trainer/device/runtime.h"
#include "trainer/serve/job_events.h"
#include "trainer/serve/line_reader.h"
#include "trainer/train/compute_type.h"
#include "trainer/train/failure.h"

namespace mozgach {
namespace {

using Json = nlohmann::json;

constexpr size_t kLineLimit = size_t{16} << 20;
constexpr std::chrono::milliseconds kMemoryEvery{5000};

Json FailureFields(const absl::Status& status) {
  return {{"class", FailureClassName(ClassOf(status))},
          {"message", Showable(std::string(status.message()))},
          {"memory_bytes", MemoryUsedBytes()}};
}

// Returns the request's choices; missing ones come from the checkpoint of an earlier attempt.
PinnedChoices ChoicesFor(const TrainRequest& request) {
  PinnedChoices pinned = PinnedInCheckpoints(request.checkpoint_dir);
  if (request.pinned.compute_dtype) pinned.compute_dtype = request.pinned.compute_dtype;
  if (request.pinned.threads) pinned.threads = request.pinned.threads;
  // A checkpoint may record a later step down than the request.
  const int64_t rung = std::max(request.pinned.rung.value_or(0), pinned.rung.value_or(0));
  if (rung > 0) pinned.rung = rung;
  return pinned;
}

// A base that could be loaded before is probably being copied, not damaged: a data error becomes an
// infrastructure error. The next attempt finds no base in memory and reports the real class.
absl::Status PerhapsBeingCopied(const absl::Status& status, const std::string& reason) {
  return WithClass(
      absl::Status(status.code(), absl::StrCat(status.message(), "; ", reason,
                                               ", perhaps it is still being copied")),
      ClassOf(status) == FailureClass::kData ? FailureClass::kInfrastructure : ClassOf(status));
}

AdapterJob JobOf(const TrainRequest& request, DomainSpec spec, PinnedChoices pinned) {
  AdapterJob job;
  job.spec = std::move(spec);
  job.data = request.data;
  job.output_dir = request.output_dir;
  job.output_dir += ".partial";
  job.checkpoint_dir = request.checkpoint_dir;
  job.cache_dir = request.cache_dir;
  job.pinned = std::move(pinned);
  return job;
}

}  // namespace

TrainerService::TrainerService(std::istream& in, std::ostream& out, int64_t threads,
                               std::vector<std::filesystem::path> base_folders)
    : in_(in),
      events_(out),
      threads_(threads),
      base_folders_(std::move(base_folders)),
      ahead_([this](const AttemptId& id, const DataReport& report, double seconds) {
        ReportAhead(id, report, seconds);
      }),
      heartbeat_(events_) {}

void TrainerService::Run() {
  SetThreads(static_cast<int>(threads_));
  ReportReady();
  std::thread reader([this] { ReadRequests(); });
  for (;;) {
    Idle();
    const auto work = inbox_.Next();
    if (!work) break;
    std::visit([this](const auto& request) { Do(request); }, *work);
  }
  reader.join();
}

void TrainerService::Idle() {
  if (ComputeDevice().is_cpu()) return;
  while (!inbox_.WaitForWork(kMemoryEvery)) {
    events_.Write({{"event", "memory"},
                   {"memory_free_bytes", MemoryFreeBytes()},
                   {"memory_bytes", MemoryUsedBytes()}});
  }
}

void TrainerService::ReportReady() {
  events_.Write({{"event", "ready"},
                 {"version", MOZGACH_VERSION},
                 {"pid", getpid()},
                 {"device",
                  {{"name", ComputeDevice().str()},
                   {"kind", DeviceKind(ComputeDevice())},
                   {"memory_total_bytes", MemoryTotalBytes()},
                   {"memory_free_bytes", MemoryFreeBytes()}}},
                 {"memory_bytes", MemoryUsedBytes()}});
}

void TrainerService::ReadRequests() {
  LineReader lines(in_, kLineLimit);
  for (;;) {
    const auto line = lines.Next();
    if (line.ok() && !line->has_value()) break;
    if (line.ok() && (*line)->empty()) continue;
    const auto request = line.ok() ? ParseRequest(**line) : line.status();
    if (!request.ok()) {
      events_.Write(
          {{"event", "error"}, {"message", Showable(std::string(request.status().message()))}});
      continue;
    }
    if (std::holds_alternative<ExitRequest>(*request)) break;
    Accept(*request);
  }
  inbox_.Close();
}

void TrainerService::Accept(const Request& request) {
  if (const auto* load = std::get_if<LoadRequest>(&request)) return Add(*load);
  if (const auto* train = std::get_if<TrainRequest>(&request)) return Add(*train);
  const auto* cancel = std::get_if<CancelRequest>(&request);
  if (cancel == nullptr || !inbox_.Cancel(cancel->id, cancel->save)) return;
  ahead_.Drop(cancel->id);
  events_.Write({{"event", "cancelled"},
                 {"job", cancel->id.job},
                 {"attempt", cancel->id.attempt},
                 {"memory_bytes", MemoryUsedBytes()}});
}

void TrainerService::Add(Inbox::Work work) {
  Json event = {{"event", "failed"}};
  const auto* train = std::get_if<TrainRequest>(&work);
  if (train != nullptr) {
    event.update({{"job", train->id.job}, {"attempt", train->id.attempt}});
  } else {
    event["base"] = std::get<LoadRequest>(work).base;
  }
  // Prepares the data of a job that has to wait.
  const bool waits = train != nullptr && inbox_.busy();
  if (waits) ahead_.Begin(*train);
  const absl::Status status = inbox_.Add(std::move(work));
  if (status.ok()) return;
  if (waits) ahead_.Drop({event["job"], event["attempt"]});
  event.update(FailureFields(status));
  events_.Write(event);
}

void TrainerService::Do(const LoadRequest& request) {
  const auto loaded = UseBase(request.base, request.base_dir, request.quantization, PinnedChoices(),
                              request.cache_dir);
  if (loaded.ok()) {
    if (!*loaded) ReportBase(request.base, 0);
    return;
  }
  Json event = FailureFields(loaded.status());
  event.update({{"event", "failed"}, {"base", request.base}});
  events_.Write(event);
}

void TrainerService::Do(const TrainRequest& request) {
  JobEvents events(request.id, PinnedChoices(), events_, inbox_);
  Json done;
  heartbeat_.Begin(request.id);
  const absl::Status status = CatchingExceptions([&] { return Train(request, &done); });
  heartbeat_.End();
  SetThreads(static_cast<int>(threads_));
  ReleaseFreeMemory();
  if (absl::IsCancelled(status)) {
    events.Write("cancelled", {{"memory_bytes", MemoryUsedBytes()}});
  } else if (!status.ok()) {
    events.Write("failed", FailureFields(status));
  } else {
    done["memory_bytes"] = MemoryUsedBytes();
    events.Write("done", std::move(done));
  }
}

absl::Status TrainerService::Train(const TrainRequest& request, Json* done) {
  ResetMemoryPeak();
  ASSIGN_OR_RETURN(const DomainSpec spec, DomainSpecFromJson(request.spec));
  PinnedChoices pinned = ChoicesFor(request);
  SetThreads(static_cast<int>(pinned.threads.value_or(threads_)));
  JobEvents(request.id, pinned, events_, inbox_).Preparing();
  RETURN_IF_ERROR(
      UseBase(spec.base, request.base_dir, spec.quantization, pinned, request.cache_dir).status());
  pinned = {ComputeTypeName(base_->compute_type), pinned.threads.value_or(threads_), pinned.rung};

  JobEvents observer(request.id, pinned, events_, inbox_);
  AdapterJob job = JobOf(request, spec, pinned);
  job.prepared = ahead_.Take(request.id);
  const std::filesystem::path partial = job.output_dir;
  RETURN_IF_ERROR(RemoveAll(partial));
  ASSIGN_OR_RETURN(const FinishedJob finished, MakeAdapter(std::move(job), *base_, observer));
  RETURN_IF_ERROR(base_->CheckUnchangedInPlace());
  RETURN_IF_ERROR(RemoveAll(request.output_dir));
  RETURN_IF_ERROR(DURABLE("trainer.adapter.hand_over", RenameDurably(partial, request.output_dir)));
  *done = {{"output_dir", request.output_dir.string()},
           {"metrics", MetricsJson(finished.base, finished.adapter)},
           {"base_digest", base_->model->digest()},
           {"code_version", MOZGACH_VERSION},
           {"train_rows", finished.train_rows},
           {"steps", finished.totals.step},
           {"train_seconds", finished.totals.seconds},
           {"memory_peak_bytes", MemoryPeakBytes()},
           {"base_loads", base_loads_}};
  return absl::OkStatus();
}

absl::StatusOr<bool> TrainerService::UseBase(const std::string& name,
                                             const std::filesystem::path& dir,
                                             const QuantizationSpec& quantization,
                                             const PinnedChoices& pinned,
                                             const std::filesystem::path& cache_dir) {
  std::optional<at::ScalarType> type;
  if (pinned.compute_dtype) {
    ASSIGN_OR_RETURN(type, ParseComputeType(*pinned.compute_dtype));
  }
  std::string reason;
  if (base_ != nullptr && base_->Serves(dir, quantization, type)) {
    const std::string changed = base_->ChangedFile();
    if (changed.empty()) return false;
    reason = absl::StrCat(changed, " changed since the base was loaded");
    LogInfo(absl::StrCat("base ", name, ": ", reason, "; it is loaded again"));
  }
  ahead_.SetBase(nullptr);
  base_.reset();
  ReleaseFreeMemory();
  const auto begin = std::chrono::steady_clock::now();
  auto loaded = LoadBase(dir, quantization, type, {cache_dir, base_folders_});
  if (!loaded.ok()) {
    return reason.empty() ? loaded.status() : PerhapsBeingCopied(loaded.status(), reason);
  }
  base_ = *std::move(loaded);
  ++base_loads_;
  ahead_.SetBase(base_.get());
  ReportBase(name, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
             reason);
  return true;
}

void TrainerService::ReportAhead(const AttemptId& id, const DataReport& report, double seconds) {
  events_.Write({{"event", "prepared"},
                 {"job", id.job},
                 {"attempt", id.attempt},
                 {"rows", report.rows},
                 {"tokens", report.tokens},
                 {"seconds", seconds}});
}

void TrainerService::ReportBase(const std::string& name, double seconds,
                                const std::string& reason) {
  Json event = {{"event", "base_loaded"},
                {"base", name},
                {"base_digest", base_->model->digest()},
                {"seconds", seconds},
                {"base_loads", base_loads_},
                {"memory_bytes", MemoryUsedBytes()}};
  if (!reason.empty()) event["reason"] = reason;
  events_.Write(event);
}

}  // namespace mozgach
