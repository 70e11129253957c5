#include "ctl/client/job_feed.h"

#include <utility>

#include "common/mutex.h"

namespace mozgach {
namespace {

// The call is repeated after this time, which detects a scheduler that no longer sends anything.
constexpr std::chrono::seconds kCallLength{60};

}  // namespace

JobFeed::JobFeed(Connection& connection, v1::Selector selector, Milliseconds timeout)
    : connection_(connection),
      selector_(std::move(selector)),
      reconnection_(connection, timeout),
      thread_([this] { Run(); }) {}

JobFeed::~JobFeed() {
  {
    const MutexLock lock(mutex_);
    stopped_ = true;
    if (context_ != nullptr) context_->TryCancel();
  }
  thread_.join();
}

JobFeed::News JobFeed::Next(Milliseconds timeout) {
  MutexLock lock(mutex_);
  changed_.wait_for(lock, timeout, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !news_.empty() || whole_ || ended_;
  });
  News news;
  for (auto& [number, job] : news_) news.changed.push_back(std::move(job));
  news_.clear();
  news.whole = std::exchange(whole_, false);
  news.waiting = waiting_;
  news.back = std::exchange(back_, "");
  if (ended_) news.ended = ended_;
  return news;
}

void JobFeed::Run() {
  while (!Stopped()) {
    bool answered = false;
    const grpc::Status status = Watch(&answered);
    if (status.ok()) return End(absl::OkStatus());
    if (answered && status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) continue;
    if (const absl::Status final = reconnection_.Failed(status); !final.ok()) return End(final);
    ShowWaiting();
    reconnection_.Pause([this] { return Stopped(); });
  }
}

grpc::Status JobFeed::Watch(bool* answered) {
  v1::WatchRequest request;
  *request.mutable_selector() = selector_;
  const auto stream = connection_.jobs().Watch(&NewContext(), request);
  v1::WatchResponse response;
  while (stream->Read(&response)) {
    Take(response, /*whole=*/!std::exchange(*answered, true));
  }
  return stream->Finish();
}

void JobFeed::Take(v1::WatchResponse& response, bool whole) {
  std::string back = reconnection_.Answered();
  const MutexLock lock(mutex_);
  if (!back.empty()) back_ = std::move(back);
  waiting_.clear();
  if (whole) news_.clear();
  whole_ |= whole;
  for (v1::Job& job : *response.mutable_jobs()) news_[job.job()] = std::move(job);
  changed_.notify_one();
}

grpc::ClientContext& JobFeed::NewContext() {
  const MutexLock lock(mutex_);
  context_ = std::make_unique<grpc::ClientContext>();
  context_->set_deadline(std::chrono::system_clock::now() + kCallLength);
  if (stopped_) context_->TryCancel();
  return *context_;
}

void JobFeed::ShowWaiting() {
  const MutexLock lock(mutex_);
  waiting_ = reconnection_.Waiting();
}

bool JobFeed::Stopped() {
  const MutexLock lock(mutex_);
  return stopped_;
}

void JobFeed::End(absl::Status status) {
  const MutexLock lock(mutex_);
  ended_ = std::move(status);
  changed_.notify_one();
}

}  // namespace mozgach
