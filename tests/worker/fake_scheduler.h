// FakeScheduler: a WorkerService on loopback with a few jobs, for tests of the worker.  It gives
// jobs, hears results, keeps blobs and logs in memory, and can be taken down, cut lines, and
// cancel.
//
// Thread-safe.  Every Wait… gives up after 30 seconds and returns false.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "mozgach/v1/worker_service.grpc.pb.h"

namespace mozgach {

struct FakeJob {
  std::string domain;
  std::string spec_json;
  std::vector<v1::Dataset> datasets;
  int64_t attempt = 0;           // the present one; 0: not given yet
  std::string state = "queued";  // queued | running | succeeded | failed | cancelled
  bool cancel = false;
  std::string pinned_json;
  std::string log;  // the log of all attempts
  std::vector<v1::Failure> failures;
  v1::AttemptReport last;  // the report of the present attempt
  std::vector<v1::AttemptReport::Phase> phases;
  v1::Result result;
};

class FakeScheduler final : public v1::WorkerService::Service {
 public:
  FakeScheduler();
  ~FakeScheduler() override;

  std::string address() const;
  // The scheduler dies, and comes back on the same port with what it knew.
  void TakeDown();
  void BringUp();

  // Every call of a worker is answered with this; OK: as ever.
  void Refuse(const grpc::Status& status);
  // Calls are answered as to a worker whose name another has taken.
  void SayReplaced();

  // Queues a job whose training rows are `rows`; `labels` steer fake_trainer.
  int64_t Submit(const std::string& domain, const std::map<std::string, std::string>& labels,
                 const std::string& base = "mozgach/tiny", const std::string& rows = "{}\n{}\n");
  // Holds a base of these files, by path, and gives it with the jobs that name it.
  v1::BaseManifest AddBase(const std::string& name,
                           const std::map<std::string, std::string>& files);
  void Cancel(int64_t job);
  bool WaitFor(int64_t job, const std::function<bool(const FakeJob&)>& condition);
  bool WaitForState(int64_t job, const std::string& state);
  bool WaitForWorker(const std::function<bool(const v1::SynchronizeRequest&)>& condition);
  FakeJob Job(int64_t job);
  std::string Blob(const std::string& sha256);
  // The bytes of a blob become others of the same number.
  void Damage(const std::string& sha256);
  // The next upload or download ends after so many bytes.
  void CutUploadAfter(uint64_t bytes);
  void CutDownloadAfter(uint64_t bytes);
  // Downloads wait for `pause` after every piece.
  void SlowDown(std::chrono::milliseconds pause);
  std::vector<uint64_t> upload_offsets();  // one for each UploadBlob so far
  std::vector<uint64_t> download_offsets();
  int uploads_of(const std::string& sha256);  // uploads begun so far

 private:
  using Context = grpc::ServerContext;

  grpc::Status Synchronize(Context* context, const v1::SynchronizeRequest* request,
                           v1::SynchronizeResponse* response) override;
  grpc::Status StatBlobs(Context* context, const v1::StatBlobsRequest* request,
                         v1::StatBlobsResponse* response) override;
  grpc::Status UploadBlob(Context* context, grpc::ServerReader<v1::UploadBlobRequest>* reader,
                          v1::UploadBlobResponse* response) override;
  grpc::Status DownloadBlob(Context* context, const v1::DownloadBlobRequest* request,
                            grpc::ServerWriter<v1::DownloadBlobResponse>* writer) override;
  grpc::Status AppendLog(Context* context, const v1::AppendLogRequest* request,
                         v1::AppendLogResponse* response) override;

  // All REQUIRE mutex_.
  bool Decide(const v1::SynchronizeRequest& request, v1::SynchronizeResponse* response);
  bool Hear(const v1::AttemptReport& report, v1::SynchronizeResponse* response);
  void Give(int64_t id, FakeJob& job, v1::SynchronizeResponse* response);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int64_t, FakeJob> jobs_;
  std::map<std::string, std::string> blobs_;
  std::map<std::string, v1::BaseManifest> bases_;              // by name
  std::map<std::string, std::string> parts_;                   // blobs that are being uploaded
  std::map<std::pair<int64_t, int64_t>, uint64_t> log_sizes_;  // by job and attempt
  v1::SynchronizeRequest last_request_;
  uint64_t cut_upload_ = 0;
  uint64_t cut_download_ = 0;
  std::vector<uint64_t> upload_offsets_;
  std::vector<uint64_t> download_offsets_;
  std::map<std::string, int> uploads_;
  std::chrono::milliseconds pause_{0};
  bool down_ = false;
  bool says_replaced_ = false;
  grpc::Status refusal_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace mozgach
