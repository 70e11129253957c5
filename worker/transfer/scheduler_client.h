// A SchedulerClient is the worker's end of WorkerService: every call has a deadline, every error is
// an absl::Status.  Thread-safe.
#pragma once

#include <grpcpp/security/credentials.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/mutex.h"
#include "common/status.h"
#include "mozgach/v1/worker_service.grpc.pb.h"

namespace mozgach {

class SchedulerClient {
 public:
  using Answer = absl::StatusOr<v1::SynchronizeResponse>;

  // HOST:PORT or unix:PATH; security/channel.h makes the credentials.  Connects when it is first
  // used, and again whenever the connection is gone, or when its certificate is refused: there may
  // be another by then.
  SchedulerClient(const std::string& address,
                  const std::shared_ptr<grpc::ChannelCredentials>& credentials);
  // In plaintext.
  explicit SchedulerClient(const std::string& address);
  // Gives up the call in flight and waits for its end.
  ~SchedulerClient();

  // Starts a call; `done` is called once, on a thread of gRPC's.  A call that is still in flight is
  // given up first: its `done` gets CANCELLED, or the answer that was on its way.
  void Synchronize(const v1::SynchronizeRequest& request, Milliseconds deadline,
                   std::function<void(Answer)> done);

  // In the order asked.
  absl::StatusOr<std::vector<v1::StatBlobsResponse::Blob>> StatBlobs(
      const std::vector<std::string>& sha256, std::stop_token stop);

  // Sends the bytes of `path` from `offset` to its end.  OK: the whole blob is there and its digest
  // is right.  `sent` hears of each piece, in bytes.
  absl::Status UploadBlob(const v1::File& blob, const std::filesystem::path& path, uint64_t offset,
                          const std::function<void(uint64_t)>& sent, std::stop_token stop);

  // Gives the bytes from `offset` on, about `bytes` of them, to `sink`, whose first error ends the
  // call and is returned.
  absl::Status DownloadBlob(const std::string& sha256, uint64_t offset, uint64_t bytes,
                            const std::function<absl::Status(std::string_view)>& sink,
                            std::stop_token stop);

  // Returns how long the log is there now.
  absl::StatusOr<uint64_t> AppendLog(int64_t job, int64_t attempt, uint64_t offset,
                                     std::string_view bytes, std::stop_token stop);

 private:
  struct Call;

  std::shared_ptr<v1::WorkerService::Stub> Stub();
  // After an answer: connects again if it was UNAUTHENTICATED.
  void Heed(const grpc::Status& status);

  const std::string address_;
  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  Mutex mutex_;
  std::shared_ptr<v1::WorkerService::Stub> stub_ ABSL_GUARDED_BY(mutex_);  // guarded by mutex_
  std::chrono::steady_clock::time_point connected_at_
      ABSL_GUARDED_BY(mutex_){};  // guarded by mutex_
  std::condition_variable_any ended_;
  std::shared_ptr<Call> current_
      ABSL_GUARDED_BY(mutex_);                 // guarded by mutex_; nullptr: none in flight
  int in_flight_ ABSL_GUARDED_BY(mutex_) = 0;  // guarded by mutex_; those given up included
};

}  // namespace mozgach
