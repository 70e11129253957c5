// A Worker runs a Session for real: trainers as children, datasets and adapters over gRPC, files.
//
// Threads: the one that calls RunOnce decides and spawns; one per trainer reads it; one fetches
// datasets and looks for bases; one fetches bases; one uploads adapters, one checkpoints; one sends
// logs.  They speak to the first through the Inbox only.  gRPC has threads of its own.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "worker/agent/inbox.h"
#include "worker/agent/metrics.h"
#include "worker/agent/options.h"
#include "worker/agent/task_queue.h"
#include "worker/session/session.h"
#include "worker/trainer/chat_inspector.h"
#include "worker/trainer/memory_kills.h"
#include "worker/trainer/trainer_process.h"
#include "worker/transfer/base_cache.h"
#include "worker/transfer/data_folder.h"
#include "worker/transfer/dataset_cache.h"
#include "worker/transfer/log_spool.h"
#include "worker/transfer/scheduler_client.h"

namespace mozgach {

class Worker {
 public:
  // Opens the data folder and outlives trainers of an earlier worker.  FAILED_PRECONDITION: the
  // folder is in use, or such a trainer does not end.
  static absl::StatusOr<std::unique_ptr<Worker>> Open(const WorkerOptions& options,
                                                      SessionOptions session);
  // Ends trainers that still run.
  ~Worker();

  // Waits for the next thing to happen and deals with it.  False once the worker has ended after
  // RequestStop, or because another worker has taken its name (FAILED_PRECONDITION in `status`), or
  // because the scheduler refuses what its first call says of it (INVALID_ARGUMENT).
  bool RunOnce();
  // From any thread: end as Session::Stop says.
  void RequestStop();

  absl::Status status() const;
  const Session& session() const { return session_; }
  WorkerMetrics& metrics() { return metrics_; }
  // For tests; -1: none.
  pid_t trainer_pid(int device) const;

 private:
  Worker(const WorkerOptions& options, SessionOptions session, DataFolder data,
         const std::shared_ptr<grpc::ChannelCredentials>& credentials);

  void Do(StartTrainer& action);
  void Do(KillTrainer& action);
  void Do(EndTrainer& action);
  void Do(SendTraining& action);
  void Do(CancelTraining& action);
  void Do(FetchDatasets& action);
  void Do(FetchBase& action);
  void Do(FetchHandover& action);
  void Do(UploadHandover& action);
  void Do(UploadAdapter& action);
  void Do(AbortTransfers& action);
  void Do(ForgetAttempt& action);
  void Do(WriteLog& action);
  void Do(RescanBases& action);
  void Do(MakeCall& action);

  TrainerCommand TrainerCommandOf(int device) const;
  TrainerListener Listen(int device);
  void HearTrainer(int device, const std::string& line, Milliseconds now);
  void HearAnswer(int64_t call, const SchedulerClient::Answer& answer, Milliseconds now);
  void HearFailure(const absl::Status& failure);
  void LookAround(Milliseconds now);  // memory, bases, metrics: now and then
  void ShipLogs(std::stop_token stop);
  // Stops with all others of the attempt.
  std::stop_token NewTransfer(const AttemptId& id);
  // What is below --bases and what has been fetched.
  FoundBases FindBases() const;
  // Finds bases and inspects their chat templates. Runs outside the session's thread: it may take
  // seconds.
  FoundBases FindBasesAndChats();
  void TakeBases(FoundBases found);
  void LookAtBaseDisk();

  const WorkerOptions options_;
  const DataFolder data_;
  Inbox inbox_;
  Session session_;
  WorkerMetrics metrics_;
  LogSpool logs_;
  std::map<AttemptId, std::stop_source> transfers_;  // running transfers
  MemoryKills memory_kills_;
  std::vector<std::unique_ptr<TrainerProcess>> trainers_;  // by device; nullptr: none
  enum class Standing { kNew, kAnswered, kUnanswered, kRefused };
  Standing standing_ = Standing::kNew;  // with the scheduler, as last heard
  bool known_ = false;                  // it has answered once
  absl::Status refused_;                // why asking again does not help
  Milliseconds memory_due_{0};
  Milliseconds bases_due_{0};
  Milliseconds sweep_due_{0};
  std::set<std::string> problems_told_;  // problems of unusable bases that were logged

  // Below: what has threads, ended first.
  SchedulerClient client_;
  DatasetCache datasets_;
  BaseCache bases_;
  ChatInspector chats_;
  std::atomic<uint64_t> base_bytes_fetched_ = 0;
  TaskQueue fetches_;
  TaskQueue base_fetches_;
  TaskQueue uploads_;
  TaskQueue checkpoint_uploads_;
  std::jthread log_thread_;
};

}  // namespace mozgach
