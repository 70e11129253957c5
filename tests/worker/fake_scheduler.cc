#include "tests/worker/fake_scheduler.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "common/digest.h"
#include "nlohmann/json.hpp"
#include "proto/base_manifest.h"

namespace mozgach {
namespace {

constexpr std::chrono::seconds kTimeout{30};
constexpr uint64_t kLeaseMs = 3'000;

}  // namespace

FakeScheduler::FakeScheduler() { BringUp(); }

FakeScheduler::~FakeScheduler() { TakeDown(); }

std::string FakeScheduler::address() const { return "127.0.0.1:" + std::to_string(port_); }

void FakeScheduler::BringUp() {
  {
    const std::lock_guard lock(mutex_);
    down_ = false;
  }
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port_), grpc::InsecureServerCredentials(),
                           &port_);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
}

void FakeScheduler::TakeDown() {
  {
    const std::lock_guard lock(mutex_);
    down_ = true;
  }
  changed_.notify_all();
  if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
  server_.reset();
}

int64_t FakeScheduler::Submit(const std::string& domain,
                              const std::map<std::string, std::string>& labels,
                              const std::string& base, const std::string& rows) {
  const std::lock_guard lock(mutex_);
  FakeJob job;
  job.domain = domain;
  job.spec_json =
      nlohmann::json{
          {"domain", domain}, {"base", base}, {"labels", labels}, {"training", {{"save_steps", 5}}}}
          .dump();
  v1::Dataset dataset;
  dataset.set_role(v1::Dataset::TRAIN);
  dataset.set_name("train.jsonl");
  dataset.set_sha256(Sha256Hex(rows));
  dataset.set_size(rows.size());
  blobs_[dataset.sha256()] = rows;
  job.datasets.push_back(dataset);
  const auto id = static_cast<int64_t>(jobs_.size()) + 1;
  jobs_[id] = job;
  changed_.notify_all();
  return id;
}

v1::BaseManifest FakeScheduler::AddBase(const std::string& name,
                                        const std::map<std::string, std::string>& files) {
  const std::lock_guard lock(mutex_);
  v1::BaseManifest& manifest = bases_[name];
  manifest.Clear();
  manifest.set_base(name);
  for (const auto& [path, bytes] : files) {
    v1::File& file = *manifest.add_files();
    file.set_path(path);
    file.set_sha256(Sha256Hex(bytes));
    file.set_size(bytes.size());
    blobs_[file.sha256()] = bytes;
  }
  Seal(manifest);
  return manifest;
}

void FakeScheduler::SlowDown(std::chrono::milliseconds pause) {
  const std::lock_guard lock(mutex_);
  pause_ = pause;
}

void FakeScheduler::Cancel(int64_t job) {
  const std::lock_guard lock(mutex_);
  jobs_.at(job).cancel = true;
  changed_.notify_all();
}

bool FakeScheduler::WaitFor(int64_t job, const std::function<bool(const FakeJob&)>& condition) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kTimeout, [&] { return condition(jobs_.at(job)); });
}

bool FakeScheduler::WaitForState(int64_t job, const std::string& state) {
  return WaitFor(job, [&](const FakeJob& each) { return each.state == state; });
}

bool FakeScheduler::WaitForWorker(
    const std::function<bool(const v1::SynchronizeRequest&)>& condition) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kTimeout, [&] { return condition(last_request_); });
}

void FakeScheduler::Refuse(const grpc::Status& status) {
  const std::lock_guard lock(mutex_);
  refusal_ = status;
}

void FakeScheduler::SayReplaced() {
  const std::lock_guard lock(mutex_);
  says_replaced_ = true;
}

FakeJob FakeScheduler::Job(int64_t job) {
  const std::lock_guard lock(mutex_);
  return jobs_.at(job);
}

std::string FakeScheduler::Blob(const std::string& sha256) {
  const std::lock_guard lock(mutex_);
  return blobs_[sha256];
}

void FakeScheduler::Damage(const std::string& sha256) {
  const std::lock_guard lock(mutex_);
  blobs_.at(sha256)[0] ^= 1;
}

void FakeScheduler::CutUploadAfter(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  cut_upload_ = bytes;
}

void FakeScheduler::CutDownloadAfter(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  cut_download_ = bytes;
}

std::vector<uint64_t> FakeScheduler::upload_offsets() {
  const std::lock_guard lock(mutex_);
  return upload_offsets_;
}

int FakeScheduler::uploads_of(const std::string& sha256) {
  const std::lock_guard lock(mutex_);
  return uploads_[sha256];
}

std::vector<uint64_t> FakeScheduler::download_offsets() {
  const std::lock_guard lock(mutex_);
  return download_offsets_;
}

grpc::Status FakeScheduler::Synchronize(Context* context, const v1::SynchronizeRequest* request,
                                        v1::SynchronizeResponse* response) {
  std::unique_lock lock(mutex_);
  last_request_ = *request;
  changed_.notify_all();
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(request->wait_ms());
  for (;;) {
    if (!refusal_.ok()) return refusal_;
    if (down_ || context->IsCancelled()) return {grpc::StatusCode::UNAVAILABLE, "going down"};
    response->Clear();
    const bool news = Decide(*request, response) || says_replaced_;
    response->set_replaced(says_replaced_);
    response->set_lease_ms(kLeaseMs);
    if (news || std::chrono::steady_clock::now() >= end) return grpc::Status::OK;
    changed_.wait_for(lock, std::chrono::milliseconds(20));
  }
}

bool FakeScheduler::Decide(const v1::SynchronizeRequest& request,
                           v1::SynchronizeResponse* response) {
  bool news = false;
  std::vector<int64_t> reported;
  for (const auto& report : request.attempts()) {
    reported.push_back(report.job());
    news |= Hear(report, response);
  }
  int slots = static_cast<int>(request.free_slots());
  for (auto& [id, job] : jobs_) {
    const bool named = std::find(reported.begin(), reported.end(), id) != reported.end();
    const bool fresh = job.state == "queued" && slots > 0 && !named;
    if (!fresh && (job.state != "running" || named)) continue;
    if (fresh) ++job.attempt;
    --slots;
    Give(id, job, response);
    news = true;
  }
  if (news) changed_.notify_all();
  return news;
}

void FakeScheduler::Give(int64_t id, FakeJob& job, v1::SynchronizeResponse* response) {
  job.state = "running";
  v1::Assignment* assignment = response->add_assignments();
  assignment->set_job(id);
  assignment->set_attempt(job.attempt);
  assignment->set_domain(job.domain);
  assignment->set_spec_json(job.spec_json);
  assignment->set_pinned_json(job.pinned_json);
  assignment->set_desired(v1::Assignment::RUN);
  for (const auto& dataset : job.datasets) *assignment->add_datasets() = dataset;
  const auto base = nlohmann::json::parse(job.spec_json).value("base", "");
  if (bases_.contains(base)) *assignment->mutable_base() = bases_.at(base);
}

bool FakeScheduler::Hear(const v1::AttemptReport& report, v1::SynchronizeResponse* response) {
  const auto found = jobs_.find(report.job());
  if (found == jobs_.end() || found->second.attempt != report.attempt()) return true;
  FakeJob& job = found->second;
  if (job.state != "running" && job.state != "succeeded") return true;
  job.last = report;
  if (job.phases.empty() || job.phases.back() != report.phase())
    job.phases.push_back(report.phase());
  if (!report.pinned_json().empty()) job.pinned_json = report.pinned_json();
  if (report.phase() == v1::AttemptReport::FAILED) {
    job.failures.push_back(report.failure());
    const bool again =
        report.failure().class_() == v1::Failure::INFRASTRUCTURE && job.failures.size() < 3;
    job.state = again ? "queued" : "failed";
    return true;
  }
  if (report.phase() == v1::AttemptReport::STOPPED) {
    job.state = job.cancel ? "cancelled" : "queued";
    return true;
  }
  v1::Assignment* assignment = response->add_assignments();
  assignment->set_job(report.job());
  assignment->set_attempt(report.attempt());
  assignment->set_desired(job.cancel ? v1::Assignment::STOP : v1::Assignment::RUN);
  if (report.phase() != v1::AttemptReport::FINISHED || job.cancel) return job.cancel;
  for (const auto& file : report.result().files()) {
    if (!blobs_.contains(file.sha256())) assignment->add_missing(file.sha256());
  }
  assignment->set_desired(assignment->missing_size() > 0 ? v1::Assignment::UPLOAD_AGAIN
                                                         : v1::Assignment::PUBLISHED);
  if (assignment->missing_size() > 0) return true;
  job.state = "succeeded";
  job.result = report.result();
  return true;
}

grpc::Status FakeScheduler::StatBlobs(Context*, const v1::StatBlobsRequest* request,
                                      v1::StatBlobsResponse* response) {
  const std::lock_guard lock(mutex_);
  for (const std::string& sha256 : request->sha256()) {
    auto* blob = response->add_blobs();
    blob->set_sha256(sha256);
    blob->set_complete(blobs_.contains(sha256));
    blob->set_received_bytes(parts_[sha256].size());
  }
  return grpc::Status::OK;
}

grpc::Status FakeScheduler::UploadBlob(Context*, grpc::ServerReader<v1::UploadBlobRequest>* reader,
                                       v1::UploadBlobResponse* response) {
  v1::UploadBlobRequest message;
  std::string sha256;
  uint64_t size = 0;
  while (reader->Read(&message)) {
    const std::lock_guard lock(mutex_);
    if (sha256.empty()) {
      sha256 = message.sha256();
      size = message.size();
      upload_offsets_.push_back(message.offset());
      ++uploads_[sha256];
      if (message.offset() != parts_[sha256].size()) {
        return {grpc::StatusCode::OUT_OF_RANGE, "starts elsewhere"};
      }
    }
    parts_[sha256] += message.data();
    if (cut_upload_ > 0 && parts_[sha256].size() >= cut_upload_) {
      cut_upload_ = 0;
      return {grpc::StatusCode::UNAVAILABLE, "the line is cut"};
    }
  }
  const std::lock_guard lock(mutex_);
  if (parts_[sha256].size() != size || Sha256Hex(parts_[sha256]) != sha256) {
    return {grpc::StatusCode::DATA_LOSS, "not these bytes"};
  }
  blobs_[sha256] = parts_[sha256];
  response->set_received_bytes(size);
  changed_.notify_all();
  return grpc::Status::OK;
}

grpc::Status FakeScheduler::DownloadBlob(Context*, const v1::DownloadBlobRequest* request,
                                         grpc::ServerWriter<v1::DownloadBlobResponse>* writer) {
  std::string bytes;
  uint64_t cut = 0;
  std::chrono::milliseconds pause{0};
  {
    const std::lock_guard lock(mutex_);
    download_offsets_.push_back(request->offset());
    if (!blobs_.contains(request->sha256())) return {grpc::StatusCode::NOT_FOUND, "no such blob"};
    bytes = blobs_.at(request->sha256()).substr(request->offset());
    std::swap(cut, cut_download_);
    pause = pause_;
  }
  if (cut > 0) bytes.resize(std::min<size_t>(bytes.size(), cut));
  v1::DownloadBlobResponse piece;
  for (size_t at = 0; at < bytes.size(); at += 1000) {
    piece.set_data(bytes.substr(at, 1000));
    if (!writer->Write(piece)) break;
    std::this_thread::sleep_for(pause);
  }
  return cut > 0 ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "the line is cut")
                 : grpc::Status::OK;
}

grpc::Status FakeScheduler::AppendLog(Context*, const v1::AppendLogRequest* request,
                                      v1::AppendLogResponse* response) {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(request->job());
  if (found == jobs_.end()) return {grpc::StatusCode::NOT_FOUND, "no such job"};
  uint64_t& size = log_sizes_[{request->job(), request->attempt()}];
  if (request->offset() <= size && request->offset() + request->data().size() > size) {
    found->second.log += request->data().substr(size - request->offset());
    size = request->offset() + request->data().size();
  }
  response->set_size(size);
  changed_.notify_all();
  return grpc::Status::OK;
}

}  // namespace mozgach
