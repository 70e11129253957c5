#include "tests/sim/worker_machine.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/domain/domain_spec.h"
#include "nlohmann/json.hpp"
#include "tests/registry/weights.h"
#include "tests/sim/moments.h"

namespace mozgach::sim {
namespace {

constexpr Milliseconds kWaitMax{1'000};
// As on the hub, as far as the planner reads it.
constexpr char kQwenConfig[] =
    R"({"model_type": "qwen2", "vocab_size": 151936, "hidden_size": 2048,
        "intermediate_size": 11008, "num_hidden_layers": 36, "num_attention_heads": 16,
        "num_key_value_heads": 2, "max_position_embeddings": 32768, "tie_word_embeddings": true,
        "torch_dtype": "bfloat16"})";
constexpr Milliseconds kTransferRetry{1'500};
constexpr int kTransferTries = 5;  // against a disk that is full

SessionOptions OptionsOf(const std::string& name, const std::string& incarnation, uint64_t seed,
                         int devices) {
  SessionOptions options;
  options.name = name;
  options.incarnation = incarnation;
  options.version = "sim";
  options.devices = devices;
  options.seed = seed;
  options.calls.progress_gap = Milliseconds(3'000);  // many calls that say little prove little
  options.trainer_silence = Milliseconds(120'000);
  return options;
}

std::string NameOf(const Action& action) {
  static constexpr std::array<const char*, std::variant_size_v<Action>> kNames = {
      "StartTrainer",   "KillTrainer",   "EndTrainer",    "SendTraining",   "CancelTraining",
      "FetchDatasets",  "FetchBase",     "FetchHandover", "UploadHandover", "UploadAdapter",
      "AbortTransfers", "ForgetAttempt", "WriteLog",      "RescanBases",    "MakeCall"};
  return kNames[action.index()];
}

// The same few texts come thousands of times.
const std::string& DigestOf(const std::string& spec_json) {
  static std::unordered_map<std::string, std::string> known;
  const auto [found, first] = known.try_emplace(spec_json);
  if (first) {
    const auto spec = DomainSpecFromJson(nlohmann::json::parse(spec_json));
    if (spec.ok()) found->second = SpecDigest(*spec);
  }
  return found->second;
}

}  // namespace

std::string DeviceName(const HostState& host, int device) {
  return host.devices == 1 ? std::string("cpu") : absl::StrCat("cuda:", device);
}

std::map<std::string, std::string> AdapterOf(const Work& work) {
  return {
      {"adapter_config.json", AdapterConfigText(nlohmann::json::parse(work.spec_json).at("base"))},
      {"adapter_model.safetensors",
       Weights(absl::StrCat(work.domain, " ", Sha256Hex(work.spec_json), " ", work.id.job, "-",
                            work.id.attempt))}};
}

std::map<std::string, std::string> CheckpointOf(const Work& work, int64_t step) {
  // A change of priority or labels leaves the job what it is.
  const std::string& digest = DigestOf(work.spec_json);
  std::map<std::string, std::string> files;
  for (const char* name : {"checkpoint.json", "state.safetensors"}) {
    files[name] =
        absl::StrCat(name, " of ", work.domain, " ", digest, " job ", work.id.job, " step ", step);
  }
  return files;
}

WorkerMachine::WorkerMachine(std::string name, std::string incarnation, uint64_t seed,
                             const HostState& host, Line& line, Agenda& agenda, Trace& trace)
    : name_(std::move(name)),
      incarnation_(std::move(incarnation)),
      label_(incarnation_),
      dice_(Mix(seed, incarnation_)),
      host_(host),
      line_(line),
      agenda_(agenda),
      trace_(trace),
      session_(OptionsOf(name_, incarnation_, Mix(seed, label_), host.devices)),
      trainers_(static_cast<size_t>(host.devices)) {}

FoundBases WorkerMachine::Bases() const {
  FoundBases bases;
  for (const std::string& name : host_.bases) {
    // The tiny one is not planned: its jobs go anywhere.
    const std::string config = name == kQwen ? kQwenConfig : "";
    bases.AddFetched({.name = name,
                      .plain = "/bases/" + name,
                      .size_bytes = 1000,
                      .config_json = config,
                      .config_digest = config.empty() ? "" : Sha256Hex(config)});
  }
  return bases;
}

void WorkerMachine::Start() {
  Note("starts");
  session_.BasesFound(Bases());
  Wake();
}

void WorkerMachine::Crash() {
  Note("crashes");
  alive_ = false;
  for (const auto& trainer : trainers_) {
    if (trainer != nullptr) trainer->Vanish();
  }
}

void WorkerMachine::Stop() {
  Note("is told to end");
  Tell([this] { session_.Stop(now()); });
}

void WorkerMachine::Later(Milliseconds wait, std::function<void()> deed) {
  agenda_.After(wait, [self = shared_from_this(), deed = std::move(deed)] {
    if (!self->alive_) return;
    if (self->held_until() > self->agenda_.now()) {
      self->Later(self->held_until() - self->agenda_.now(), deed);
      return;
    }
    deed();
  });
}

void WorkerMachine::Tell(std::function<void()> hear) {
  Later(Milliseconds(0), [this, hear = std::move(hear)] {
    hear();
    Poll();
  });
}

void WorkerMachine::Wake() {
  Later(Milliseconds(0), [this] { Poll(); });
}

void WorkerMachine::Poll() {
  for (Action& action : session_.Poll(now())) {
    if (Moments::Get().Pass("worker before", NameOf(action))) return Crash();
    std::visit([this](auto& each) { Do(each); }, action);
    if (!alive_) return;
  }
  if (session_.Over(now())) {
    Note(session_.replaced() ? "gives way" : "ends");
    alive_ = false;
    for (const auto& trainer : trainers_) {
      if (trainer != nullptr) trainer->Vanish();
    }
    return;
  }
  const Milliseconds due = session_.NextDue(now());
  const Milliseconds wait =
      due == Milliseconds::max() ? Milliseconds(60'000) : std::max(due - now(), Milliseconds(1));
  Later(wait, [this, wake = ++wakes_] {
    if (wake == wakes_) Poll();
  });
}

void WorkerMachine::Do(StartTrainer& action) {
  const std::weak_ptr<WorkerMachine> weak = weak_from_this();
  auto& trainer = trainers_[static_cast<size_t>(action.device)];
  const int64_t number = ++trainers_started_;
  const int device = action.device;
  const auto tell = [weak, device, number, this](auto hear) {
    const auto self = weak.lock();
    if (self == nullptr || !alive_) return;
    Tell([this, hear] { hear(); });
  };
  trainer = std::make_shared<Trainer>(
      agenda_, Mix(dice_.Next(), static_cast<uint64_t>(number)),
      TrainerReady{.version = "sim",
                   .device_name = DeviceName(host_, device),
                   .device_kind = "simulated",
                   .memory_total_bytes = host_.memory_bytes,
                   .memory_free_bytes = host_.memory_bytes - host_.memory_bytes / 8},
      Trainer::Listener{
          .said =
              [this, tell, device](const TrainerEvent& event) {
                if (Moments::Get().Pass("trainer before event", absl::StrCat(event.index()))) {
                  if (auto& dies = trainers_[static_cast<size_t>(device)]) return dies->Kill();
                }
                tell([this, device, event] { session_.TrainerSaid(device, event, now()); });
              },
          .exited =
              [this, tell, device](const std::string& how, bool for_memory) {
                tell([this, device, how, for_memory] {
                  Note("lost its trainer", device);
                  trainers_[static_cast<size_t>(device)] = nullptr;
                  session_.TrainerExited(device, how, now(), for_memory);
                });
              },
          .sick = [this] { return agenda_.now() < host_.sick_until; },
          .frozen_until = [this] { return host_.frozen_until; }});
  trainer->Start();
}

void WorkerMachine::Do(KillTrainer& action) {
  if (auto& trainer = trainers_[static_cast<size_t>(action.device)]) trainer->Kill();
}

void WorkerMachine::Do(EndTrainer& action) {
  if (auto& trainer = trainers_[static_cast<size_t>(action.device)]) trainer->End();
}

void WorkerMachine::Do(SendTraining& action) {
  Note("trains", action.id.job, action.id.attempt);
  if (auto& trainer = trainers_[static_cast<size_t>(action.device)]) {
    const auto saved = checkpoints_.find(action.id.job);
    trainer->Train(action, saved == checkpoints_.end() ? 0 : saved->second);
  }
}

void WorkerMachine::Do(CancelTraining& action) {
  if (auto& trainer = trainers_[static_cast<size_t>(action.device)]) {
    trainer->Cancel(action.id, action.save);
  }
}

bool WorkerMachine::StillWanted(const AttemptId& id, int64_t transfer) const {
  const auto newest = transfers_.find(id);
  return newest != transfers_.end() && newest->second == transfer;
}

void WorkerMachine::Do(FetchDatasets& action) {
  const int64_t transfer = transfers_[action.id] = next_transfer_++;
  Later(dice_.Between(Milliseconds(5), Milliseconds(400)),
        [this, id = action.id, datasets = action.datasets, transfer] {
          Fetch(id, datasets, transfer);
        });
}

void WorkerMachine::Fetch(const AttemptId& id, const std::vector<v1::Dataset>& datasets,
                          int64_t transfer) {
  if (!StillWanted(id, transfer)) return;
  DatasetPaths paths;
  for (const v1::Dataset& dataset : datasets) {
    const absl::Status status = line_.Download(dataset.sha256());
    if (absl::IsUnavailable(status)) {
      return Later(kTransferRetry, [=, this] { Fetch(id, datasets, transfer); });
    }
    if (!status.ok()) {
      session_.DatasetsFetched(id, status);
      return Poll();
    }
    paths.train.push_back("/datasets/" + dataset.sha256());
  }
  session_.DatasetsFetched(id, paths);
  Poll();
}

void WorkerMachine::Do(FetchBase& action) {
  Tell([this, id = action.id] { session_.BaseFetched(id, std::string("/bases/fetched")); });
}

void WorkerMachine::Do(UploadAdapter& action) {
  const auto attempt = session_.attempts().find(action.id);
  if (attempt == session_.attempts().end()) return;
  const int64_t transfer = transfers_[action.id] = next_transfer_++;
  Later(dice_.Between(Milliseconds(5), Milliseconds(800)),
        [this, id = action.id, work = attempt->second.work, transfer] {
          Upload(id, work, transfer);
        });
}

void WorkerMachine::Upload(const AttemptId& id, const Work& work, int64_t transfer) {
  if (!StillWanted(id, transfer)) return;
  auto files = TryToUpload(AdapterOf(work));
  if (absl::IsUnavailable(files.status())) {
    return Later(kTransferRetry, [=, this] { Upload(id, work, transfer); });
  }
  session_.Uploaded(id, std::move(files));
  Poll();
}

absl::StatusOr<std::vector<v1::File>> WorkerMachine::TryToUpload(
    const std::map<std::string, std::string>& contents) {
  std::vector<v1::File> files;
  for (const auto& [path, bytes] : contents) {
    const absl::Status status = line_.Upload(bytes);
    if (!status.ok()) {
      // A full disk is waited for here as well; a worker gives up on it after some tries.
      const bool gives_up = !absl::IsUnavailable(status) && dice_.Between(1, kTransferTries) == 1;
      return gives_up ? status : absl::UnavailableError(status.message());
    }
    v1::File& file = files.emplace_back();
    file.set_path(path);
    file.set_sha256(Sha256Hex(bytes));
    file.set_size(bytes.size());
  }
  return files;
}

void WorkerMachine::Do(FetchHandover& action) {
  Later(dice_.Between(Milliseconds(5), Milliseconds(600)),
        [this, id = action.id, checkpoint = action.checkpoint] { FetchState(id, checkpoint); });
}

void WorkerMachine::FetchState(const AttemptId& id, const v1::Checkpoint& checkpoint) {
  const auto attempt = session_.attempts().find(id);
  if (attempt == session_.attempts().end()) return;
  const auto expected = CheckpointOf(attempt->second.work, checkpoint.step());
  absl::Status status;
  for (const v1::File& file : checkpoint.files()) {
    status = line_.Download(file.sha256());
    if (absl::IsUnavailable(status)) {
      return Later(kTransferRetry, [=, this] { FetchState(id, checkpoint); });
    }
    if (status.ok() && file.sha256() != Sha256Hex(expected.at(file.path()))) {
      line_.Alarm(absl::StrCat("job ", id.job, " is to go on from another training's checkpoint"));
    }
    if (!status.ok()) break;
  }
  if (status.ok()) {
    int64_t& step = checkpoints_[id.job];
    step = std::max(step, checkpoint.step());
  }
  session_.CheckpointFetched(id, status);
  Poll();
}

void WorkerMachine::Do(UploadHandover& action) {
  const auto attempt = session_.attempts().find(action.id);
  if (attempt == session_.attempts().end()) return;
  int64_t& newest = checkpoints_[action.id.job];
  newest = std::max(newest, action.step);
  Later(dice_.Between(Milliseconds(5), Milliseconds(1500)),
        [this, id = action.id, work = attempt->second.work, step = action.step] {
          UploadState(id, work, step);
        });
}

void WorkerMachine::UploadState(const AttemptId& id, const Work& work, int64_t step) {
  if (!session_.attempts().contains(id)) return;
  const auto files = TryToUpload(CheckpointOf(work, step));
  if (absl::IsUnavailable(files.status())) {
    return Later(kTransferRetry, [=, this] { UploadState(id, work, step); });
  }
  if (!files.ok()) {
    session_.CheckpointUploaded(id, files.status());
    return Poll();
  }
  v1::Checkpoint checkpoint;
  checkpoint.set_step(step);
  checkpoint.mutable_files()->Add(files->begin(), files->end());
  session_.CheckpointUploaded(id, checkpoint);
  Poll();
}

void WorkerMachine::Do(AbortTransfers& action) { transfers_.erase(action.id); }

void WorkerMachine::Do(ForgetAttempt& action) {
  Note("forgets", action.id.job, action.id.attempt);
  transfers_.erase(action.id);
  if (action.job_over) checkpoints_.erase(action.id.job);
}

void WorkerMachine::Do(RescanBases&) {
  Later(Milliseconds(50), [this] {
    session_.BasesFound(Bases());
    Poll();
  });
}

void WorkerMachine::Do(MakeCall& action) {
  if (call_ != nullptr) line_.GiveUp(call_);
  call_ = std::make_shared<const v1::SynchronizeRequest>(action.request);
  line_.Call(call_, action.call.deadline,
             [weak = weak_from_this(), this,
              number = action.call.number](absl::StatusOr<v1::SynchronizeResponse> answer) {
               const auto self = weak.lock();
               if (self == nullptr || !alive_) return;
               Tell([this, number, answer = std::move(answer)] {
                 if (answer.ok()) {
                   session_.Answered(number, *answer, now());
                 } else {
                   session_.CallFailed(number, answer.status(), now());
                 }
               });
             });
}

}  // namespace mozgach::sim
