#include "worker/agent/worker.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/interruptible_sleep.h"
#include "common/log.h"
#include "security/channel.h"
#include "worker/session/process_memory.h"
#include "worker/trainer/trainer_devices.h"
#include "worker/trainer/trainer_lock.h"

namespace mozgach {
namespace {

constexpr Milliseconds kWaitMax{1'000};
constexpr Milliseconds kMemoryEvery{2'000};
constexpr Milliseconds kBasesEvery{30'000};
constexpr Milliseconds kLogsEvery{500};
constexpr Milliseconds kSweepEvery{3600'000};
constexpr Milliseconds kOrphanTimeout{5'000};
constexpr Milliseconds kDevicesTake{60'000};

std::string Text(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

absl::StatusOr<std::unique_ptr<Worker>> Worker::Open(const WorkerOptions& options,
                                                     SessionOptions session) {
  ASSIGN_OR_RETURN(const std::shared_ptr<grpc::ChannelCredentials> credentials,
                   CredentialsFor({.address = options.scheduler,
                                   .tls = options.tls,
                                   .insecure_plaintext = options.insecure_plaintext}));
  ASSIGN_OR_RETURN(DataFolder data, DataFolder::Open(options.data, options.rules));
  WorkerOptions all = options;
  if (all.devices.empty()) {
    all.devices = AskForDevices(options.trainer, data.devices_lock(), kDevicesTake);
  }
  session.devices = std::max(1, static_cast<int>(all.devices.size()));
  for (int device = 0; device < session.devices; ++device) {
    RETURN_IF_ERROR(OutliveOrphan(data.trainer_lock(device), kOrphanTimeout));
  }
  std::unique_ptr<Worker> worker(new Worker(all, std::move(session), std::move(data), credentials));
  RETURN_IF_ERROR(worker->bases_.Open());
  worker->TakeBases(worker->FindBases());
  worker->LookAtBaseDisk();
  for (const auto& [name, base] : worker->session_.bases().all()) {
    if (base.problem.empty()) {
      spdlog::info("base {}{}", name, base.digest.empty() ? "" : ", fetched");
    } else {
      spdlog::warn("base {} cannot be used: {}", name, base.problem);
    }
  }
  if (worker->session_.bases().all().empty()) {
    spdlog::info("no base below --bases: this worker fetches those that the scheduler holds");
  }
  return worker;
}

Worker::Worker(const WorkerOptions& options, SessionOptions session, DataFolder data,
               const std::shared_ptr<grpc::ChannelCredentials>& credentials)
    : options_(options),
      data_(std::move(data)),
      session_(session),
      metrics_(session.name, session.version),
      logs_(data_.logs()),
      trainers_(static_cast<size_t>(session.devices)),
      client_(options.scheduler, credentials),
      datasets_(data_.datasets(), client_, options.rules.dataset_bytes),
      bases_(data_.bases(), client_),
      log_thread_([this](std::stop_token stop) { ShipLogs(stop); }) {}

Worker::~Worker() {
  for (auto& [id, stop] : transfers_) stop.request_stop();
  trainers_.clear();
}

bool Worker::RunOnce() {
  const Clock& clock = Clock::System();
  const Milliseconds before = clock.SinceBoot();
  const Milliseconds wait = std::min(session_.NextDue(before) - before, kWaitMax);
  for (const Inbox::Message& message : inbox_.Take(wait)) message(clock.SinceBoot());
  const Milliseconds now = clock.SinceBoot();
  LookAround(now);
  std::vector<Action> actions = session_.Poll(now);
  bases_.SetInUse(session_.BasesInUse());
  for (Action& action : actions) {
    std::visit([this](auto& each) { Do(each); }, action);
  }
  return refused_.ok() && !session_.Over(now);
}

void Worker::RequestStop() {
  inbox_.Post([this](Milliseconds now) {
    spdlog::info("told to end: stopping what runs");
    session_.Stop(now);
  });
}

absl::Status Worker::status() const {
  if (!session_.replaced()) return refused_;
  return absl::FailedPreconditionError(
      absl::StrCat("another worker called '", options_.name,
                   "' has started since; give each worker a --name of its own"));
}

pid_t Worker::trainer_pid(int device) const {
  const auto& trainer = trainers_[static_cast<size_t>(device)];
  return trainer == nullptr ? -1 : trainer->pid();
}

void Worker::LookAround(Milliseconds now) {
  if (now >= memory_due_) {
    memory_due_ = now + kMemoryEvery;
    for (size_t i = 0; i < trainers_.size(); ++i) {
      if (trainers_[i] != nullptr) {
        const pid_t pid = trainers_[i]->pid();
        session_.TrainerUses(static_cast<int>(i), ResidentBytesOf(pid), MappedBytesOf(pid));
      }
    }
    memory_kills_.Look();
    session_.HostHas(LookAtHostMemory());
    LookAtBaseDisk();
  }
  if (now >= bases_due_) {
    bases_due_ = now + kBasesEvery;
    RescanBases rescan;
    Do(rescan);
  }
  if (now >= sweep_due_) {
    sweep_due_ = now + kSweepEvery;
    data_.Sweep(options_.rules, session_.JobsHeld());
  }
  metrics_.Update(session_, now, Clock::System().Now());
}

FoundBases Worker::FindBases() const {
  FoundBases found = FoundBases::Scan(options_.bases);
  for (const FoundBase& base : bases_.Held()) found.AddFetched(base);
  return found;
}

FoundBases Worker::FindBasesAndChats() {
  FoundBases found = FindBases();
  for (const auto& [name, base] : found.all()) {
    const absl::StatusOr<std::filesystem::path> directory = found.Find(name, "");
    if (directory.ok()) found.SetChat(name, chats_.Inspect(*directory));
  }
  return found;
}

void Worker::TakeBases(FoundBases found) {
  for (const auto& [name, base] : found.all()) {
    if (!base.problem.empty() && problems_told_.insert(base.problem).second) {
      spdlog::warn("base {} cannot be used: {}", name, base.problem);
    }
  }
  session_.BasesFound(std::move(found));
}

void Worker::LookAtBaseDisk() { session_.BaseDisk(bases_.Room(), base_bytes_fetched_); }

void Worker::ShipLogs(std::stop_token stop) {
  while (!stop.stop_requested()) {
    SleepUnlessStopped(stop, kLogsEvery);
    const absl::Status sent = logs_.Flush(client_, stop);
    if (!sent.ok()) spdlog::debug("logs wait: {}", Text(sent));
  }
  // What was said at the end, if the scheduler is there.
  const absl::Status sent = logs_.Flush(client_, std::stop_token());
  if (!sent.ok()) spdlog::debug("logs are kept for the next start: {}", Text(sent));
}

TrainerCommand Worker::TrainerCommandOf(int device) const {
  TrainerCommand command{.program = options_.trainer,
                         .lock = data_.trainer_lock(device),
                         .memory_bytes = options_.memory_bytes};
  command.arguments = {"serve"};
  int64_t threads = options_.threads;
  if (options_.devices.size() > 1) {
    // The cores are shared out too.
    const int64_t cores = std::max(1u, std::thread::hardware_concurrency());
    const auto devices = static_cast<int64_t>(options_.devices.size());
    if (threads == 0) threads = std::max<int64_t>(1, cores / devices);
  }
  if (!options_.devices.empty()) {
    command.arguments.insert(command.arguments.end(),
                             {"--device", options_.devices[static_cast<size_t>(device)]});
  }
  if (options_.memory_bytes > 0) {
    command.arguments.insert(command.arguments.end(),
                             {"--memory", absl::StrCat(options_.memory_bytes)});
  }
  if (threads > 0) {
    command.arguments.insert(command.arguments.end(), {"--threads", absl::StrCat(threads)});
  }
  for (const auto& folder : options_.bases) {
    command.arguments.insert(command.arguments.end(), {"--bases", folder.string()});
  }
  return command;
}

TrainerListener Worker::Listen(int device) {
  return TrainerListener{
      .said =
          [this, device](std::string line) {
            inbox_.Post([this, device, line = std::move(line)](Milliseconds now) {
              HearTrainer(device, line, now);
            });
          },
      .wrote =
          [this, device](std::string line) {
            spdlog::info("trainer: {}", line);
            inbox_.Post([this, device, line = std::move(line)](Milliseconds) {
              session_.TrainerWrote(device, line);
            });
          },
      .exited =
          [this, device](std::string how) {
            inbox_.Post([this, device, how = std::move(how)](Milliseconds now) {
              spdlog::info("the trainer {}", how);
              const auto ended = std::move(trainers_[static_cast<size_t>(device)]);
              const bool for_memory =
                  ended != nullptr && memory_kills_.Ended(ended->pid(), ended->killed_by_others());
              session_.TrainerExited(device, how, now, for_memory);
            });
          }};
}

void Worker::HearTrainer(int device, const std::string& line, Milliseconds now) {
  const absl::StatusOr<TrainerEvent> event = ParseTrainerEvent(line);
  if (!event.ok()) {
    spdlog::warn("the trainer wrote a line that is not an event: {}: {}", Text(event.status()),
                 line.substr(0, 200));
    return;
  }
  if (const auto* complaint = std::get_if<TrainerComplaint>(&*event)) {
    spdlog::warn("the trainer complains: {}", complaint->message);
  }
  session_.TrainerSaid(device, *event, now);
}

void Worker::HearAnswer(int64_t call, const SchedulerClient::Answer& answer, Milliseconds now) {
  if (!answer.ok()) {
    session_.CallFailed(call, answer.status(), now);
    if (!absl::IsCancelled(answer.status())) HearFailure(answer.status());  // given up by us
    return;
  }
  if (!std::exchange(known_, true)) {
    spdlog::info("works for the scheduler at {}", options_.scheduler);
  } else if (standing_ != Standing::kAnswered) {
    spdlog::info("the scheduler answers again");
  }
  standing_ = Standing::kAnswered;
  session_.Answered(call, *answer, now);
}

void Worker::HearFailure(const absl::Status& failure) {
  const bool wrong = absl::IsInvalidArgument(failure) || absl::IsPermissionDenied(failure);
  const bool refuses = wrong || absl::IsUnauthenticated(failure);
  if (wrong && !known_) {
    refused_ = absl::InvalidArgumentError(absl::StrCat("the scheduler at ", options_.scheduler,
                                                       " refuses this worker: ", Text(failure)));
    return;
  }
  const Standing now = refuses ? Standing::kRefused : Standing::kUnanswered;
  if (std::exchange(standing_, now) == now) return;
  // Another certificate may come into the place of one that was revoked: it is asked again.
  spdlog::warn("the scheduler at {} {} ({}); {}", options_.scheduler,
               refuses ? "refuses this worker" : "does not answer", Text(failure),
               known_ ? "what runs goes on" : "it is asked again and again");
}

}  // namespace mozgach
