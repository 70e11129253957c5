// The streams of the JobService that go on while something happens: job changes and logs.  Poked by
// the front executor; each write waits for the one before it.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <string>

#include "common/mutex.h"
#include "mozgach/v1/job_service.pb.h"
#include "scheduler/access/unary_reply.h"
#include "scheduler/executor/core_executor.h"
#include "scheduler/jobs/attempt_log.h"
#include "scheduler/services/job_changes.h"

namespace mozgach {

// What the two have in common.  Lives until gRPC is done with it.
template <typename Response>
class PokedStream : public grpc::ServerWriteReactor<Response>,
                    public CoreExecutor::Listener,
                    public std::enable_shared_from_this<PokedStream<Response>> {
 public:
  // UNAUTHENTICATED when the reader is not let in any more.
  using Admission = std::function<absl::Status()>;

  PokedStream(CoreExecutor& executor, Admission admission)
      : executor_(executor), admission_(std::move(admission)) {}

  // Once, by the service.
  grpc::ServerWriteReactor<Response>* Start() {
    self_ = this->shared_from_this();
    if (executor_.Listen(self_)) {
      Notify();
    } else {
      const MutexLock lock(mutex_);
      End(absl::ResourceExhaustedError("a thousand others watch already; try again later"));
    }
    return this;
  }

  void Notify() override {
    const MutexLock lock(mutex_);
    if (writing_ || finished_) return;
    if (executor_.closed()) {
      return End(
          absl::UnavailableError("the scheduler is shutting down; call again when it is back"));
    }
    if (absl::Status status = admission_(); !status.ok()) return End(status);
    response_.Clear();
    const Step step = Next(response_);
    if (step.writes) {
      writing_ = true;
      ends_ = step.ends;
      // A thousand of them wait for one sync, not one after another.
      executor_.WhenSynced(
          [self = this->shared_from_this()] { self->StartWrite(&self->response_); });
    } else if (step.ends) {
      End(step.status);
    }
  }
  void OnWriteDone(bool ok) override {
    {
      const MutexLock lock(mutex_);
      writing_ = false;
      if (!ok) return End(absl::CancelledError("the reader has gone"));
      if (ends_) return End(absl::OkStatus());
    }
    // A reader of a scheduler that shuts down must not wait until its stream is cut.
    if (executor_.closed() || WantsMore()) Notify();
  }
  void OnCancel() override {
    const MutexLock lock(mutex_);
    if (!writing_) End(absl::CancelledError("the reader has gone"));
  }
  void OnDone() override { self_.reset(); }

 protected:
  struct Step {
    bool writes = false;
    bool ends = false;  // after the write, if any
    absl::Status status;
  };
  // Fills the next response, if there is one.  It is sent when what it says is certain.
  virtual Step Next(Response& response) = 0;
  // True when there may be more at once, without waiting for the next poke.
  virtual bool WantsMore() const { return false; }

  CoreExecutor& executor_;

 private:
  const Admission admission_;

  // REQUIRES: mutex_ and no write under way.
  void End(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (finished_) return;
    finished_ = true;
    this->Finish(ToReply(status));
  }

  Mutex mutex_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ends_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  Response response_;
  std::shared_ptr<PokedStream> self_;  // until OnDone
};

class WatchStream final : public PokedStream<v1::WatchResponse> {
 public:
  WatchStream(CoreExecutor& executor, Admission admission, const v1::WatchRequest& request)
      : PokedStream(executor, std::move(admission)), changes_(request.selector()) {}

 private:
  Step Next(v1::WatchResponse& response) override;

  JobChanges changes_;
  bool started_ = false;
};

class LogStream final : public PokedStream<v1::LogsResponse> {
 public:
  LogStream(CoreExecutor& executor, Admission admission, const AttemptLogs& logs,
            const v1::LogsRequest& request)
      : PokedStream(executor, std::move(admission)),
        logs_(logs),
        request_(request),
        offset_(request.offset()) {}

 private:
  Step Next(v1::LogsResponse& response) override;
  bool WantsMore() const override { return true; }
  // Finds the attempt, and whether more lines may come.
  absl::Status Locate();

  const AttemptLogs& logs_;
  const v1::LogsRequest request_;
  uint64_t offset_;
  int64_t job_ = 0;
  int64_t attempt_ = 0;
  bool runs_ = true;
};

}  // namespace mozgach
